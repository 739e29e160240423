//! Groups: what starts, stops, fails and changes as one.

mod support;

mod building;
mod starting;
mod stopping;
mod stuck;
mod policies;
mod merging;
mod completing;
mod handles;
mod changes;
mod inserting;
mod removing;
mod nesting;
mod tree;
mod size;
mod random;
