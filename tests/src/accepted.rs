//! Declarations that compile. Here, and not with those that do not: what they depend on is built already.
//!
//! Each file says which lints it is held to; those that this workspace adds are not among them.

#![allow(
    missing_debug_implementations,
    unreachable_pub,
    clippy::all,
    clippy::pedantic
)]

pub mod composed;
pub mod hygiene;
pub mod lifetimes;
pub mod marked;
pub mod pedantic;
pub mod renamed;
pub mod settings;
pub mod shapes;

/// Runs all of them.
pub fn run() {
    composed::main();
    hygiene::main();
    lifetimes::main();
    marked::main();
    pedantic::main();
    renamed::main();
    settings::main();
    shapes::main();
}
