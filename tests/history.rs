//! The record of a failure, and how long it is kept.

mod errors;
mod failure;
mod format;
mod keeping;
mod odd_errors;
mod panics;
