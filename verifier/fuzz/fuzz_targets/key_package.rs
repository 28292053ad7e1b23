#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lockstep_verifier::testing::fuzz::key_package(bytes));
