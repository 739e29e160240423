//! The tests are the modules of `main.rs` beside this folder.
