#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::set_aside_frame::frame(data));
