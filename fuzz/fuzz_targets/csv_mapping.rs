#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::import::properties::mapping_and_rows(data));
