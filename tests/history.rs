//! What is recorded of a failure, and for how long.

mod errors;
mod failure;
mod format;
mod keeping;
mod panics;
