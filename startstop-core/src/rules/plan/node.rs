//! The state of one member in the plan.

use super::id_list::{IdList, SeldomIds};
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
    pub(super) taken_down: TakenDown,
    /// It was taken down in order to be started again: its next start counts as a restart.
    pub(super) again: bool,
}

/// The reason why the group takes a member down and up again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum TakenDown {
    #[default]
    No,
    /// It is one of those that a restart takes down and up again.
    Restarts,
    /// It goes down with what it is bound to, and comes up after it.
    Rebinds,
}

impl NodeRestart {
    pub(super) fn restarts(self) -> bool {
        self.taken_down == TakenDown::Restarts
    }

    /// Returns whether the member comes up again after it was taken down.
    pub(super) fn comes_again(self) -> bool {
        self.taken_down != TakenDown::No
    }
}

/// How a member goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct NodeStopping {
    /// Its dependencies have to wait for it on the way down: it is not down yet, or something that depends
    /// on it is not.
    pub(super) blocks: bool,
    pub(super) told: Told,
}

/// The part of the group in the last stop of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Told {
    /// It did not tell the member to stop.
    #[default]
    No,
    /// It told the member to stop.
    Yes,
    /// It told the member to stop, which was at rest already, or on its way there.
    InVain,
}

impl NodeStopping {
    /// Notes a new state of the member.
    fn enter(&mut self, state: MemberState) {
        self.told = match (state, self.told) {
            (MemberState::Stopping, _) => Told::Yes,
            (MemberState::Starting, _) | (_, Told::No) => Told::No,
            (_, Told::Yes | Told::InVain) => Told::Yes,
        };
    }
}

/// A node with a member, or without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum NodeKind {
    Barrier,
    Member {
        arrival: Arrival,
        departure: Departure,
    },
}

/// How far a member has come into the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Arrival {
    /// It was inserted into the running group and has not come up yet: its failure is not the group's.
    Fresh,
    Settled,
}

/// Whether a member is to be removed once it is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Departure {
    No,
    /// It has ended: it stays if its handle starts it again.
    Ended,
    /// It is being removed.
    Removed,
}

impl NodeKind {
    const MEMBER: Self = Self::Member {
        arrival: Arrival::Settled,
        departure: Departure::No,
    };

    pub(super) fn is_barrier(self) -> bool {
        self == Self::Barrier
    }

    pub(super) fn is_fresh(self) -> bool {
        matches!(
            self,
            Self::Member {
                arrival: Arrival::Fresh,
                ..
            }
        )
    }

    /// Returns whether it is to be removed once it is down.
    pub(super) fn leaves(self) -> bool {
        match self {
            Self::Barrier => false,
            Self::Member { departure, .. } => departure != Departure::No,
        }
    }

    /// Marks a member as inserted into the running group.
    pub(super) fn insert(&mut self) {
        self.arrive(Arrival::Fresh);
    }

    /// Ends the insertion of a member.
    pub(super) fn settle(&mut self) {
        self.arrive(Arrival::Settled);
    }

    fn arrive(&mut self, now: Arrival) {
        if let Self::Member { arrival, .. } = self {
            *arrival = now;
        }
    }

    /// Lets a member leave that stays until it has ended.
    pub(super) fn end(&mut self) {
        self.depart(Departure::No, Departure::Ended);
    }

    /// Lets a member stay that its handle has started again, unless it is being removed.
    pub(super) fn begin(&mut self) {
        self.depart(Departure::Ended, Departure::No);
    }

    fn depart(&mut self, from: Departure, to: Departure) {
        if let Self::Member { departure, .. } = self {
            if *departure == from {
                *departure = to;
            }
        }
    }

    /// Removes a member, once it is down.
    pub(super) fn remove(&mut self) {
        if let Self::Member { departure, .. } = self {
            *departure = Departure::Removed;
        }
    }

    /// Gives up a removal that was not carried out.
    pub(super) fn stay(&mut self) {
        if let Self::Member { departure, .. } = self {
            *departure = Departure::No;
        }
    }
}

/// The reasons that keep a member from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct NodeTrouble {
    pub(super) hindrance: Hindrance,
    /// It waits for one that was stopped by its handle.
    pub(super) idle: bool,
}

/// A reason of the member's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Hindrance {
    #[default]
    None,
    /// It is about to fail because of what it depends on.
    Failing,
    /// It was given up on and is still there.
    Stuck,
}

impl NodeTrouble {
    /// Takes back that the member is about to fail.
    pub(super) fn spare(&mut self) {
        if self.hindrance == Hindrance::Failing {
            self.hindrance = Hindrance::None;
        }
    }
}

/// A member, or a barrier.
#[derive(Debug)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(super) struct PlanNode {
    /// When it was added, as its node among all that were.
    pub(super) added: u64,
    pub(super) deps: IdList,
    pub(super) dependents: IdList,
    /// Those of `deps` that it is bound to.
    pub(super) bound: SeldomIds,
    /// Those of `dependents` that are bound to it.
    pub(super) binds: SeldomIds,
    pub(super) policy: Policy,
    pub(super) target: Target,
    pub(super) state: MemberState,
    pub(super) readiness: NodeReadiness,
    pub(super) restart: NodeRestart,
    pub(super) stopping: NodeStopping,
    pub(super) kind: NodeKind,
    pub(super) trouble: NodeTrouble,
    /// How many it depends on are not satisfied.
    pub(super) unready: usize,
    /// How many depend on it, go down and are not down yet.
    pub(super) blockers: usize,
}

impl PlanNode {
    /// Returns the node of a member that is to start.
    pub(super) fn new(added: u64, deps: IdList, bound: SeldomIds, policy: Policy) -> Self {
        Self {
            added,
            unready: deps.len(),
            deps,
            dependents: IdList::default(),
            bound,
            binds: SeldomIds::default(),
            policy,
            target: Target::Up,
            state: MemberState::Pending,
            readiness: NodeReadiness::default(),
            restart: NodeRestart::default(),
            stopping: NodeStopping::default(),
            kind: NodeKind::MEMBER,
            trouble: NodeTrouble::default(),
            blockers: 0,
        }
    }

    pub(super) fn is_transient(&self) -> bool {
        self.policy.stay == Stay::Transient
    }

    /// Returns whether the group waits for it before it has started: it is not settled, and has not been ready either.
    pub(super) fn is_awaited(&self) -> bool {
        !self.kind.is_barrier()
            && !self.readiness.was_ready
            && !self.state.is_settled()
            && !self.trouble.idle
    }

    /// Returns whether it is to start yet.
    pub(super) fn is_pending(&self) -> bool {
        !self.kind.is_barrier() && self.state == MemberState::Pending && !self.trouble.idle
    }

    /// Returns whether it keeps the group from being ready at this moment.
    pub(super) fn is_unsettled(&self) -> bool {
        if self.kind.is_barrier() || self.kind.is_fresh() || self.kind.leaves() {
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
        self.kind.settle();
        self.readiness.was_ready = true;
    }

    pub(super) fn enter(&mut self, state: MemberState) {
        self.state = state;
        self.stopping.enter(state);
    }

    /// Forgets what was: the group begins to run.
    pub(super) fn reset(&mut self) {
        let fresh = Self::new(
            self.added,
            IdList::default(),
            SeldomIds::default(),
            self.policy,
        );
        let old = std::mem::replace(self, fresh);
        if old.kind.is_barrier() {
            self.kind = NodeKind::Barrier;
        }
        self.unready = old.deps.len();
        (self.deps, self.dependents) = (old.deps, old.dependents);
        (self.bound, self.binds) = (old.bound, old.binds);
    }
}
