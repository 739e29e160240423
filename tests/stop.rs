//! A stop, step by step.

mod blocked;
mod context;
mod deadline;
mod drain;
mod failures;
mod natural;
mod reload;
mod reload_answers;
mod reload_refused;
mod requests;
mod shutdown_always;
mod steps;
mod unresponsive;
