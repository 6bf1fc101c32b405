#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::doors::postgres_messages(data));
