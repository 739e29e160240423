//! Services that are made of other things: closures, threads, boxes, runners.

mod blocking;
mod blocking_polled;
mod boxed;
mod detached;
mod every;
mod functions;
mod nested;
mod nested_again;
mod nested_causes;
mod nested_deadline;
mod nested_readiness;
mod stale;
