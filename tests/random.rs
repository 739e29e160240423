//! The number of random programs in a test, and how one is run again.
//!
//! A program is made from its seed alone. Two environment variables say which ones are run:
//!
//! - `STARTSTOP_PROGRAMS=32` runs that many times the full number, with further seeds, `1/32` that part of it. Unless it is
//!   set a tenth is run; the stage `random` of `.ci/run` runs all;
//! - `STARTSTOP_SEED=17` runs the one with this seed, and prints what happens in it. Whatever fails prints the command for that.

use std::env;
use std::ops::Range;
use std::thread;

const PROGRAMS: &str = "STARTSTOP_PROGRAMS";
const SEED: &str = "STARTSTOP_SEED";

/// The seeds of a test that runs `full` programs from `first` on, or the share of them that is asked for.
pub(crate) fn seeds(first: u64, full: u64) -> Range<u64> {
    match number(SEED) {
        Some(seed) => seed..seed + 1,
        None => first..first + programs(full),
    }
}

/// Prints a step of a program, if that is the only one that is run.
pub(crate) fn note(step: impl FnOnce() -> String) {
    if env::var_os(SEED).is_some() {
        eprintln!("{}", step());
    }
}

fn programs(full: u64) -> u64 {
    let text = env::var(PROGRAMS).unwrap_or_else(|_| "1/10".to_owned());
    let (times, parts) = text.split_once('/').unwrap_or((&text, "1"));
    (full * parse(PROGRAMS, times) / parse(PROGRAMS, parts)).max(1)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| parse(name, &text))
}

fn parse(name: &str, text: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|error| panic!("{name}: {text}: {error}"))
}

/// While it is alive, a panic prints how to run the program with this seed again.
pub(crate) struct Seed(pub(crate) u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if thread::panicking() {
            // The harness names a thread after its test.
            let name = thread::current().name().unwrap_or_default().to_owned();
            eprintln!(
                "{SEED}={} cargo test --package tests --test startstop -- {name}",
                self.0
            );
        }
    }
}
