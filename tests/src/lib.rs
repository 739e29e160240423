//! The programs in the pages, as doc tests. The tests are the modules of `main.rs` beside this folder.

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../../startstop-core/README.md")]
mod readme_of_the_core {}
