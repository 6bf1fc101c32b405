#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::import::csv_mapping::mapping_and_rows(data));
