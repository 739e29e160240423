//! The tests of startstop: a module per behaviour.

#[cfg(unix)]
mod child;
#[cfg(unix)]
mod examples;
#[cfg(unix)]
mod programs;
#[cfg(unix)]
mod readme;
mod tidy;
