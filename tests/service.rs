//! The context: what a service says and asks by it, and what it is given.

mod ending;
mod large;
mod pieces;
mod probing;
mod readiness;
mod saying;
mod tasks;
mod watched;
mod watches;
mod wrapping;
