//! Holds no code: its Cargo.toml makes every build of the workspace choose the same features of shared libraries, so that one
//! build of the large ones serves `cargo run`, `cargo test --workspace` and a single room's tests.
