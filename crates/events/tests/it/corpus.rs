//! The seeds of the fuzz targets, by the very code that fuzzing runs.

#[path = "../../../../fuzz/src/avro.rs"]
mod avro;
#[path = "../../../../fuzz/src/events.rs"]
mod events;
#[path = "../../../../fuzz/src/seeds.rs"]
mod seeds;

#[test]
fn the_seeds_of_fuzzing_hold() {
    seeds::each("structured", events::structured);
    seeds::each("binary", events::binary);
    seeds::each("sealed", events::sealed);
    seeds::each("avro_framing", avro::framing);
    seeds::each("avro_schema", avro::schema);
}
