//! The order in which the members of a group start, stop and restart: pure rules over a graph of members.
//!
//! It is told what the members do and says what is to be done about it. Every change costs as much as
//! the member has edges, so that a whole group starts and stops in time linear in members and edges. A
//! restart looks at all nodes when it is over, for those who have waited for that.
//!
//! Invariants:
//!
//! 1. A member is started only when all it depends on are ready, or have been: `unready` counts those
//!    that are not.
//! 2. A member is stopped only when all that depend on it and go down as well are down, or late: `blockers`
//!    counts those that are not.
//! 3. Once the plan drains or closes nothing starts.
//!
//! [`node`] is what is known of one member, [`edges`] who depends on whom, [`queries`] what the plan tells. [`inputs`] takes in what a member
//! does; from there it goes on to [`restart`], where it has failed, to [`binding`], where others are bound to it,
//! and to [`stopping`], the way down. [`counts`] keeps the numbers of the invariants, and [`actions`] says what follows from them.
//!
//! A barrier is a node without a member: ready when all it depends on are, down when all that depend
//! on it are. It stands for the edges from each of many to each of many others.

mod id_list;
mod node;
mod edges;
mod queries;
mod counts;
mod inputs;
mod restart;
mod binding;
mod stopping;
mod actions;

use std::collections::VecDeque;

use super::graph::Id;
use super::id_set::IdSet;

pub(crate) use node::{Policy, Stay};

use counts::Counts;
use node::PlanNode;

/// An action that is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Start(Id),
    /// The member is started again: that counts as a restart.
    Restart(Id),
    Stop(Id),
    /// A dependency of this member ended without being ready, or the one that it is bound to has ended.
    FailDependency {
        member: Id,
        dependency: Id,
    },
    /// The member is down and no longer one of the group.
    Removed(Id),
    /// The member was inserted, and is as settled as what it is bound to, which was stopped by its handle.
    Settled(Id),
}

/// How a member came to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum MemberEnd {
    /// By itself, and well.
    Completed,
    /// By itself, in failure, or it could not start.
    Failed,
    /// It does not yield and was given up on.
    Stuck,
    /// It was told to stop.
    Told,
    /// It asked for its own stop.
    Own,
}

/// Why the plan closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Closing {
    /// The group was told to stop.
    Told,
    /// A member that completes ends the group.
    Completed,
    /// This member's failure ends the group.
    Failed(Id),
    /// This member's failure would have been followed by a restart, but for the limit.
    Limit(Id),
}

/// How far a group has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum PlanStage {
    /// It does not run.
    #[default]
    Shut,
    Open,
    /// It is about to be told to end.
    Draining,
    Closing(Closing),
}

/// The members of a group and what becomes of them.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, PartialEq, Eq, Hash))]
pub(crate) struct GroupPlan {
    nodes: Vec<Option<PlanNode>>,
    actions: Vec<Action>,
    /// The members whose situation has changed.
    pending: VecDeque<Id>,
    stage: PlanStage,
    /// Those that a restart takes down and up again.
    restarting: Vec<Id>,
    /// How many of them are not down yet.
    not_down: usize,
    /// The backoff before they come up is not over.
    pausing: bool,
    counts: Counts,
    /// Those that keep the group from being ready at this moment.
    unsettled: IdSet,
    /// How many were ever added.
    added: u64,
    /// Places that were given back, and those of them that no action can be about any more.
    left: Vec<Id>,
    free: Vec<Id>,
    /// A place was used again, so that the nodes may be in another order than they were added in.
    is_mixed: bool,
}

#[cfg(test)]
mod tests;
