//! Methods that read the plan.

use std::time::Duration;

use super::node::{Hindrance, MemberState, PlanNode, Target, Told};
use super::{Closing, Counts, GroupPlan, PlanStage};
use crate::rules::graph::Id;
use crate::rules::span::{Span, Tail};
use crate::settings::member_policy::{OnCompletion, OnFailure};

impl GroupPlan {
    pub(crate) fn is_open(&self) -> bool {
        self.stage != PlanStage::Shut
    }

    pub(crate) fn closing(&self) -> Option<Closing> {
        match self.stage {
            PlanStage::Closing(why) => Some(why),
            PlanStage::Shut | PlanStage::Open | PlanStage::Draining => None,
        }
    }

    /// Returns whether a stop of the group has begun: it takes no changes any more.
    pub(crate) fn is_stopping(&self) -> bool {
        matches!(self.stage, PlanStage::Draining | PlanStage::Closing(_))
    }

    /// Returns whether a failure of the member is one of the stop that has begun, and nothing else follows from it.
    pub(crate) fn fails_in_stop(&self, id: Id) -> bool {
        let counts = self.node(id).policy.on_failure != OnFailure::Ignore;
        match self.stage {
            PlanStage::Closing(_) => true,
            PlanStage::Draining => counts,
            PlanStage::Shut | PlanStage::Open => false,
        }
    }

    /// Returns whether every member is settled, or has been ready.
    pub(crate) fn has_started(&self) -> bool {
        self.closing().is_none() && self.counts.awaited == 0
    }

    /// Returns the first few members that are neither ready nor settled at this moment.
    pub(crate) fn unsettled(&self, few: usize) -> Vec<Id> {
        self.unsettled.first(few)
    }

    /// Returns how many members are neither ready nor settled at this moment.
    pub(crate) fn unsettled_count(&self) -> usize {
        self.unsettled.len()
    }

    /// Returns whether a restart is under way, its backoff included.
    pub(crate) fn is_restarting(&self) -> bool {
        !self.restarting.is_empty()
    }

    /// Returns whether the group has members that have ended by themselves, and all of them have failed.
    pub(crate) fn have_all_failed(&self) -> bool {
        !self.is_stopping() && self.counts.completed == 0 && self.counts.failed > 0
    }

    /// Returns whether the end of the member, which has completed, is a failure of it.
    pub(crate) fn fails_by_completing(&self, id: Id) -> bool {
        let node = self.node(id);
        let fails = node.policy.on_completion == OnCompletion::Fail;
        fails && !self.is_stopping() && !node.kind.leaves()
    }

    /// Returns whether the plan takes the member for ready, as far as it has been told.
    pub(crate) fn is_up(&self, id: Id) -> bool {
        self.node(id).state == MemberState::Up
    }

    /// Returns whether nothing is left to be waited for.
    pub(crate) fn is_finished(&self) -> bool {
        let Counts {
            alive,
            pending,
            completed,
            failed,
            ..
        } = self.counts;
        match self.stage {
            PlanStage::Draining | PlanStage::Closing(_) => alive == 0,
            PlanStage::Shut | PlanStage::Open => alive + pending == 0 && completed + failed > 0,
        }
    }

    /// Returns whether the end of the member is that of its insertion: it has not come up since, and nobody takes
    /// it down. One that is not started yet may wait for the end of a restart as well.
    pub(crate) fn is_coming(&self, id: Id) -> bool {
        let node = self.node(id);
        let waits = node.state == MemberState::Pending && self.closing().is_none();
        node.kind.is_fresh() && (node.target == Target::Up || waits)
    }

    /// Returns whether the member was inserted and waits for its start.
    pub(crate) fn is_to_come(&self, id: Id) -> bool {
        let node = self.node(id);
        node.kind.is_fresh() && node.state == MemberState::Pending && node.target == Target::Up
    }

    /// Returns whether the member is there and is being removed.
    pub(crate) fn is_leaving(&self, id: Id) -> bool {
        self.look_up(id).is_some_and(|node| node.kind.leaves())
    }

    /// Returns whether the member leaves the group when it has ended.
    pub(crate) fn is_transient(&self, id: Id) -> bool {
        self.node(id).is_transient()
    }

    /// Returns whether another member can be added that depends on this one.
    pub(crate) fn can_be_depended_on(&self, id: Id) -> bool {
        self.look_up(id)
            .is_some_and(|node| !node.kind.leaves() && !node.is_transient())
    }

    /// Returns whether the member is about to fail because of what it depends on.
    pub(crate) fn is_failing(&self, id: Id) -> bool {
        self.look_up(id).is_some_and(|node| {
            node.trouble.hindrance == Hindrance::Failing && node.state == MemberState::Pending
        })
    }

    /// Returns whether the member has been ready since it was last told to start.
    pub(crate) fn has_been_ready(&self, id: Id) -> bool {
        self.node(id).readiness.was_ready
    }

    /// Returns whether the group has told the member to stop, rather than somebody else or nobody.
    pub(crate) fn was_told(&self, id: Id) -> bool {
        self.node(id).stopping.told != Told::No
    }

    /// Returns how many nodes there are, those without a member among them.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns whether the member is alive, and nobody takes it down.
    pub(crate) fn stays_up(&self, id: Id) -> bool {
        self.is_alive(id) && self.node(id).target == Target::Up
    }

    pub(crate) fn is_alive(&self, id: Id) -> bool {
        self.node(id).state.is_alive()
    }

    /// Returns the members that the group waits for before it is ready, each with those that it waits for in turn.
    pub(crate) fn awaited(&self) -> Vec<(Id, Vec<Id>)> {
        let is_awaited = |id: &Id| self.look_up(*id).is_some_and(PlanNode::is_awaited);
        let all = (0..self.nodes.len()).map(Id).filter(is_awaited);
        all.map(|id| (id, self.waits_for(id))).collect()
    }

    /// Returns the members that are not ready and that this one depends on, also behind a barrier.
    fn waits_for(&self, id: Id) -> Vec<Id> {
        let mut found = Vec::new();
        let mut open = self.node(id).deps.to_vec();
        while let Some(id) = open.pop() {
            let node = self.node(id);
            match (node.readiness.satisfied, node.kind.is_barrier()) {
                (true, _) => {}
                (false, true) => open.extend(&node.deps),
                (false, false) => found.push(id),
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Returns what comes after each member in a stop of all, each taking as long as its span says where it has one; what takes
    /// for ever takes all of what is `left`.
    pub(crate) fn tails(&self, left: Duration, span: impl Fn(Id) -> Option<Span>) -> Vec<Tail> {
        let mut tails = vec![Tail::default(); self.nodes.len()];
        self.walk_in_order(|id, node| {
            let tail = match span(id) {
                Some(span) => tails[id.0].before(span, left),
                None => tails[id.0],
            };
            for dependent in &node.dependents {
                tails[dependent.0] = tails[dependent.0].max(tail);
            }
        });
        tails
    }

    /// Returns the longest sum of `time` along a path of members that depend on each other.
    pub(crate) fn longest_path(&self, time: impl Fn(Id) -> Duration) -> Duration {
        let mut below = vec![Duration::ZERO; self.nodes.len()];
        let mut longest = Duration::ZERO;
        self.walk_in_order(|id, node| {
            let own = if node.kind.is_barrier() {
                Duration::ZERO
            } else {
                time(id)
            };
            let all = below[id.0].saturating_add(own);
            longest = longest.max(all);
            for dependent in &node.dependents {
                below[dependent.0] = below[dependent.0].max(all);
            }
        });
        longest
    }

    /// Returns the members that are up, and drain with the group.
    pub(crate) fn draining(&self) -> Vec<Id> {
        let is_up = |id: &Id| {
            self.look_up(*id)
                .is_some_and(|node| node.state == MemberState::Up)
        };
        (0..self.nodes.len()).map(Id).filter(is_up).collect()
    }

    /// Returns the members that were told to stop and are not down.
    pub(crate) fn stopping(&self) -> Vec<Id> {
        (0..self.nodes.len())
            .map(Id)
            .filter(|id| self.is_stopping_member(*id))
            .collect()
    }

    /// Returns whether the member was told to stop and is not down.
    pub(crate) fn is_stopping_member(&self, id: Id) -> bool {
        self.look_up(id)
            .is_some_and(|node| node.state == MemberState::Stopping)
    }
}
