//! The plan of a simulation, and the report of the ideal clock.

use std::time::Duration;

use super::super::Rule;

/// The plan of a simulation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) replicas: usize,
    pub(super) steps: u64,
    pub(super) broken: Option<Rule>,
    /// The mean time between two faults.
    pub(super) faults: Duration,
    pub(super) network: Network,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Network {
    /// Messages are lost and late.
    Bad,
    /// None is, and nothing goes wrong: leaders stop in order.
    Good,
}

/// The observations of the ideal clock.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) steps: u64,
    pub(super) time: Duration,
    pub(super) terms: u64,
    /// Two services worked at once.
    pub(super) overlaps: u64,
    /// A term whose fence is not greater than that of the one before.
    pub(super) fences: u64,
    /// A service that ends within its grace, in a process that was never frozen, outlived its term.
    pub(super) told_late: u64,
    /// How often the lease was free for longer than promised.
    pub(super) slow: u64,
    pub(super) overruns: u64,
    /// Terms that ended because they could not be renewed.
    pub(super) losses: u64,
    pub(super) longest_gap: Duration,
    /// From a release in force to the take in force that followed.
    pub(super) longest_handover: Duration,
    pub(super) handovers: u64,
}

impl Report {
    /// Counts the violations of what must always hold.
    pub(super) fn wrongs(&self) -> u64 {
        self.overlaps + self.fences + self.told_late + self.slow
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.time += other.time;
        self.terms += other.terms;
        self.overlaps += other.overlaps;
        self.fences += other.fences;
        self.told_late += other.told_late;
        self.slow += other.slow;
        self.overruns += other.overruns;
        self.losses += other.losses;
        self.longest_gap = self.longest_gap.max(other.longest_gap);
        self.longest_handover = self.longest_handover.max(other.longest_handover);
        self.handovers += other.handovers;
    }
}
