//! How long members take one after another, along the longest path.

use std::time::Duration;

use super::GroupPlan;
use super::node::PlanNode;
use crate::rules::graph::Id;
use crate::rules::span::{Span, Tail};

impl GroupPlan {
    /// The members that the group waits for before it is ready, each with those that it waits for in turn.
    pub(crate) fn awaited(&self) -> Vec<(Id, Vec<Id>)> {
        let is_awaited = |id: &Id| self.look_up(*id).is_some_and(PlanNode::is_awaited);
        let all = (0..self.nodes.len()).map(Id).filter(is_awaited);
        all.map(|id| (id, self.waits_for(id))).collect()
    }

    /// The members that are not ready and that this one depends on, also behind a barrier.
    fn waits_for(&self, id: Id) -> Vec<Id> {
        let mut found = Vec::new();
        let mut open = self.node(id).deps.clone();
        while let Some(id) = open.pop() {
            let node = self.node(id);
            match (node.satisfied, node.barrier) {
                (true, _) => {}
                (false, true) => open.extend(&node.deps),
                (false, false) => found.push(id),
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What comes after each member in a stop of all, each taking as long as its span says where it has one; what takes for
    /// ever takes all of what is `left`.
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

    /// The longest sum of `time` along a path of members that depend on each other.
    pub(crate) fn longest_path(&self, time: impl Fn(Id) -> Duration) -> Duration {
        let mut below = vec![Duration::ZERO; self.nodes.len()];
        let mut longest = Duration::ZERO;
        self.walk_in_order(|id, node| {
            let own = if node.barrier { Duration::ZERO } else { time(id) };
            let all = below[id.0].saturating_add(own);
            longest = longest.max(all);
            for dependent in &node.dependents {
                below[dependent.0] = below[dependent.0].max(all);
            }
        });
        longest
    }
}
