//! What the board knows of one member.

use crate::rules::graph::Id;
use crate::settings::member_policy::{OnCompletion, OnFailure};

/// Where a member is in its life, as far as its group is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Not started yet, or down to be started again.
    Pending,
    Starting,
    Up,
    /// Told to stop.
    Falling,
    Completed,
    /// It failed, and that is ignored or ends the group.
    Ended,
    /// Stopped by its handle.
    Parked,
}

impl Fate {
    pub(super) fn is_alive(self) -> bool {
        matches!(self, Self::Starting | Self::Up | Self::Falling)
    }

    fn is_settled(self) -> bool {
        matches!(self, Self::Up | Self::Completed | Self::Ended | Self::Parked)
    }
}

/// What the group wants of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    Up,
    Down,
}

/// A member, or a barrier.
#[allow(clippy::struct_excessive_bools)] // Marks that hold beside each other in any mixture.
#[derive(Debug)]
pub(super) struct Place {
    /// There is no member here.
    pub(super) barrier: bool,
    pub(super) deps: Vec<Id>,
    pub(super) dependents: Vec<Id>,
    pub(super) on_failure: OnFailure,
    pub(super) on_completion: OnCompletion,
    pub(super) want: Want,
    pub(super) fate: Fate,
    /// It is ready, or rests and was.
    pub(super) good: bool,
    /// It has been ready since it was last told to start.
    pub(super) was_ready: bool,
    /// It is about to fail because of what it depends on.
    pub(super) failing: bool,
    /// Its dependencies have to wait for it on the way down: it is not down yet, or something that depends
    /// on it is not.
    pub(super) blocks: bool,
    /// How many it depends on are not good.
    pub(super) unready: usize,
    /// How many depend on it, go down and are not down yet.
    pub(super) blockers: usize,
    /// It is one of those that a restart takes down and up again.
    pub(super) restarts: bool,
    /// It is to be removed once it is down.
    pub(super) leaves: bool,
    /// The group told it to stop, the last time that it went down.
    pub(super) told: bool,
    /// It was at rest, or on its way there, before the group told it to stop.
    pub(super) by_itself: bool,
    /// It was inserted into the running group and has not come up yet: its failure is not the group's.
    pub(super) fresh: bool,
}

impl Place {
    /// The place of a member that is to start.
    pub(super) fn new(deps: Vec<Id>, on_failure: OnFailure, on_completion: OnCompletion) -> Self {
        Self {
            barrier: false,
            unready: deps.len(),
            deps,
            dependents: Vec::new(),
            on_failure,
            on_completion,
            want: Want::Up,
            fate: Fate::Pending,
            good: false,
            was_ready: false,
            failing: false,
            blocks: false,
            blockers: 0,
            restarts: false,
            leaves: false,
            told: false,
            by_itself: false,
            fresh: false,
        }
    }

    /// Whether the group waits for it before it is ready: it is not settled, and has not been ready either.
    pub(super) fn is_awaited(&self) -> bool {
        !self.barrier && !self.was_ready && !self.fate.is_settled()
    }

    /// Forgets what was: the group begins to run.
    pub(super) fn reset(&mut self) {
        self.want = Want::Up;
        self.fate = Fate::Pending;
        (self.good, self.was_ready, self.failing, self.blocks) = (false, false, false, false);
        (self.restarts, self.fresh, self.leaves, self.told) = (false, false, false, false);
        self.by_itself = false;
        self.unready = self.deps.len();
        self.blockers = 0;
    }
}
