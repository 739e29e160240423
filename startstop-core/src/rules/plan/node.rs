//! The state of one member in the plan.

use crate::rules::graph::Id;
use crate::settings::member_policy::{OnCompletion, OnFailure};

/// The stage of a member in its life, as far as its group is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MemberState {
    /// Not started yet, or down to be started again.
    Pending,
    Starting,
    Up,
    /// Told to stop.
    Stopping,
    Completed,
    /// It failed, and that is ignored or ends the group.
    Ended,
    /// Stopped by its handle.
    StoppedByHandle,
}

impl MemberState {
    pub(super) fn is_alive(self) -> bool {
        matches!(self, Self::Starting | Self::Up | Self::Stopping)
    }

    fn is_settled(self) -> bool {
        matches!(
            self,
            Self::Up | Self::Completed | Self::Ended | Self::StoppedByHandle
        )
    }
}

/// The target of the group for a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Up,
    Down,
}

/// How long a member stays in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Stay {
    /// Until it is removed.
    #[default]
    Permanent,
    /// Until it has ended.
    Transient,
}

/// The policy for a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Policy {
    pub(crate) on_failure: OnFailure,
    pub(crate) on_completion: OnCompletion,
    pub(crate) stay: Stay,
}

/// The readiness of a member, as far as its dependents are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct NodeReadiness {
    /// It is ready, or rests and was.
    pub(super) satisfied: bool,
    /// It has been ready since it was last told to start.
    pub(super) was_ready: bool,
    /// It says that it is ready now.
    pub(super) ready: bool,
}

/// The reasons why a member goes down and up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct NodeRestart {
    /// It is one of those that a restart takes down and up again.
    pub(super) restarts: bool,
    /// It goes down with what it is bound to, and comes up after it.
    pub(super) rebinds: bool,
    /// It was taken down in order to be started again: its next start counts as a restart.
    pub(super) again: bool,
}

/// How a member goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct NodeStopping {
    /// Its dependencies have to wait for it on the way down: it is not down yet, or something that depends
    /// on it is not.
    pub(super) blocks: bool,
    /// The group told it to stop, the last time that it went down.
    pub(super) told: bool,
    /// It was at rest, or on its way there, before the group told it to stop.
    pub(super) by_itself: bool,
}

/// Whether a node has a member, and how long that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct NodeStay {
    /// There is no member here.
    pub(super) barrier: bool,
    /// It was inserted into the running group and has not come up yet: its failure is not the group's.
    pub(super) fresh: bool,
    leaving: Departure,
}

/// Whether a member is to be removed once it is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum Departure {
    #[default]
    No,
    /// It has ended: it stays if its handle starts it again.
    Ended,
    /// It is being removed.
    Removed,
}

impl NodeStay {
    /// Returns whether it is to be removed once it is down.
    pub(super) fn leaves(self) -> bool {
        self.leaving != Departure::No
    }

    /// Has a member leave that stays until it has ended.
    pub(super) fn end(&mut self) {
        if self.leaving == Departure::No {
            self.leaving = Departure::Ended;
        }
    }

    /// Has one stay that its handle has started again, unless it is being removed.
    pub(super) fn begin(&mut self) {
        if self.leaving == Departure::Ended {
            self.leaving = Departure::No;
        }
    }

    /// Has it removed.
    pub(super) fn remove(&mut self) {
        self.leaving = Departure::Removed;
    }

    /// Gives up a removal that was not carried out.
    pub(super) fn stay(&mut self) {
        self.leaving = Departure::No;
    }
}

/// The reasons that keep a member from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct NodeTrouble {
    /// It is about to fail because of what it depends on.
    pub(super) failing: bool,
    /// It was given up on and is still there.
    pub(super) stuck: bool,
    /// It waits for one that was stopped by its handle.
    pub(super) idle: bool,
}

/// A member, or a barrier.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(super) struct PlanNode {
    /// When it was added, as its node among all that were.
    pub(super) added: u64,
    pub(super) deps: Vec<Id>,
    pub(super) dependents: Vec<Id>,
    /// Those of `deps` that it is bound to.
    pub(super) bound: Vec<Id>,
    /// Those of `dependents` that are bound to it.
    pub(super) binds: Vec<Id>,
    pub(super) policy: Policy,
    pub(super) target: Target,
    pub(super) state: MemberState,
    pub(super) readiness: NodeReadiness,
    pub(super) restart: NodeRestart,
    pub(super) stopping: NodeStopping,
    pub(super) stay: NodeStay,
    pub(super) trouble: NodeTrouble,
    /// How many it depends on are not satisfied.
    pub(super) unready: usize,
    /// How many depend on it, go down and are not down yet.
    pub(super) blockers: usize,
}

impl PlanNode {
    /// Returns the node of a member that is to start.
    pub(super) fn new(added: u64, deps: Vec<Id>, bound: Vec<Id>, policy: Policy) -> Self {
        Self {
            added,
            unready: deps.len(),
            deps,
            dependents: Vec::new(),
            bound,
            binds: Vec::new(),
            policy,
            target: Target::Up,
            state: MemberState::Pending,
            readiness: NodeReadiness::default(),
            restart: NodeRestart::default(),
            stopping: NodeStopping::default(),
            stay: NodeStay::default(),
            trouble: NodeTrouble::default(),
            blockers: 0,
        }
    }

    pub(super) fn is_transient(&self) -> bool {
        self.policy.stay == Stay::Transient
    }

    /// Returns whether the group waits for it before it has started: it is not settled, and has not been ready either.
    pub(super) fn is_awaited(&self) -> bool {
        !self.stay.barrier
            && !self.readiness.was_ready
            && !self.state.is_settled()
            && !self.trouble.idle
    }

    /// Returns whether it is to start yet.
    pub(super) fn is_pending(&self) -> bool {
        !self.stay.barrier && self.state == MemberState::Pending && !self.trouble.idle
    }

    /// Returns whether it keeps the group from being ready at this moment.
    pub(super) fn is_unsettled(&self) -> bool {
        if self.stay.barrier || self.stay.fresh || self.stay.leaves() {
            return false;
        }
        match self.state {
            MemberState::Up => !self.readiness.ready,
            MemberState::Pending => !self.trouble.idle,
            MemberState::Starting | MemberState::Stopping => true,
            MemberState::Completed | MemberState::Ended | MemberState::StoppedByHandle => false,
        }
    }

    /// Notes that it is ready, or has completed.
    pub(super) fn came_up(&mut self) {
        (self.stay.fresh, self.readiness.was_ready) = (false, true);
    }

    /// Forgets what was: the group begins to run.
    pub(super) fn reset(&mut self) {
        let fresh = Self::new(self.added, Vec::new(), Vec::new(), self.policy);
        let old = std::mem::replace(self, fresh);
        self.stay.barrier = old.stay.barrier;
        self.unready = old.deps.len();
        (self.deps, self.dependents) = (old.deps, old.dependents);
        (self.bound, self.binds) = (old.bound, old.binds);
    }
}
