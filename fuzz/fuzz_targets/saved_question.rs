#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::saved::question(data));
