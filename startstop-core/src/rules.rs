//! The rules, pure: without tokio, without a lock, time as numbers.

pub(crate) mod plan;
pub(crate) mod lifecycle;
pub(crate) mod span;
pub(crate) mod graph;
pub(crate) mod id_set;
pub(crate) mod restart_counter;

#[cfg(test)]
mod walks;
