//! What was measured, of whom, on which runtime.

use std::collections::BTreeMap;

use crate::flavour::Flavour;

/// What is measured; times are nanoseconds for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Cycle,
    Hooked,
    Restart,
    Failing,
    /// With so many readers.
    Running(usize),
    /// With so many readers.
    Uptime(usize),
    /// One of so many.
    Start(usize),
    /// One of so many.
    Stop(usize),
    ChainStart,
    ChainStop,
    StarStart,
    StarStop,
    /// After so many failures.
    ErrorsLast(u32),
    /// After so many failures.
    ErrorsList(u32),
    /// After so many failures.
    History(u32),
    /// Of one of so many that run.
    Bytes(usize),
    /// Of one of so many that run.
    Allocations(usize),
    /// Of one of so many that never ran.
    StoppedBytes(usize),
    /// Of one of so many that never ran.
    StoppedAllocations(usize),
}

/// The medians.
#[derive(Debug, Default)]
pub(crate) struct Results(BTreeMap<(What, Flavour, &'static str), f64>);

impl Results {
    pub(crate) fn put(&mut self, what: What, flavour: Flavour, who: &'static str, value: f64) {
        self.0.insert((what, flavour, who), value);
    }

    pub(crate) fn get(&self, what: What, flavour: Flavour, who: &'static str) -> Option<f64> {
        self.0.get(&(what, flavour, who)).copied()
    }
}
