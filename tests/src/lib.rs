//! The programs in the README, as doc tests. The tests are the modules of `main.rs` beside this folder.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
