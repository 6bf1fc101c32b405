//! Shows a sample at a glance: how many lines of which kind, how fast, how much memory. `cargo run --example look medium`.
#![allow(missing_docs, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::time::Instant;

use sample::{Feed, Size, Truth, World};

fn main() {
    let size = if std::env::args().nth(1).as_deref() == Some("medium") { Size::Medium } else { Size::Small };
    let world = World::new(1, size);
    let begun = Instant::now();
    let (mut lines, mut bytes, mut notes) = (0u64, 0usize, BTreeMap::<&str, u64>::new());
    for line in Feed::new(world) {
        lines += 1;
        bytes += line.value.len() + line.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        *notes.entry(line.note).or_default() += 1;
    }
    let told = begun.elapsed();
    println!("{lines} lines, {bytes} bytes, {told:?}, {:.0} lines/s", lines as f64 / told.as_secs_f64());
    for (note, count) in notes {
        println!("{count:>9}  {note}");
    }
    let begun = Instant::now();
    println!("{} true cells, {:?}", Truth::of(world).cells().len(), begun.elapsed());
}
