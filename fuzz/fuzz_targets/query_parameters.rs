#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::doors::query_parameters(data));
