//! Groups: what starts, stops, fails and changes as one.

mod support;

mod building;
mod starting;
mod stopping;
mod policies;
mod changes;
