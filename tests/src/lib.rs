//! Declarations that have to compile, and the programs in the pages as doc tests. The tests are the modules of `main.rs` beside this folder.

// For what is accepted: these are of a whole crate.
#![deny(future_incompatible, non_ascii_idents)]

pub mod accepted;

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

#[cfg(doctest)]
#[doc = include_str!("../../startstop-core/README.md")]
mod readme_of_the_core {}

#[cfg(doctest)]
#[doc = include_str!("../../startstop-derive/src/service.md")]
mod derive {}

#[cfg(doctest)]
#[doc = include_str!("../../startstop-derive/src/service_methods.md")]
mod service_methods {}
