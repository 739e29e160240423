//! The members of the plan, and their dependencies.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::node::{MemberState, NodeKind, PlanNode};
use super::{GroupPlan, Policy, counts, restart};
use crate::rules::graph::{Edges, Id};

impl GroupPlan {
    /// Returns a plan for so many nodes.
    pub(crate) fn with_capacity(nodes: usize) -> Self {
        Self {
            nodes: Vec::with_capacity(nodes),
            ..Self::default()
        }
    }

    /// Adds a member that depends on members that are there.
    pub(crate) fn add(&mut self, edges: Edges, policy: Policy) -> Id {
        let id = self.free_place();
        let Edges { deps, bound } = edges;
        let unready = deps
            .iter()
            .filter(|dep| !self.node(**dep).readiness.satisfied)
            .count();
        for dep in &deps {
            self.node_mut(*dep).dependents.push(id);
        }
        for dep in &bound {
            self.node_mut(*dep).binds.push(id);
        }
        self.added += 1;
        let mut node = PlanNode {
            unready,
            ..PlanNode::new(self.added, deps.into(), bound.into(), policy)
        };
        if self.is_open() {
            node.kind.insert();
        }
        self.nodes[id.0] = Some(node);
        if self.is_open() {
            counts::count_in(self, id);
            self.pending.push_back(id);
        }
        id
    }

    /// Notes that a member was inserted before the plan has opened, for a start that had been asked for.
    pub(crate) fn is_inserted(&mut self, id: Id) {
        counts::change(self, id, |node| node.kind.insert());
    }

    /// Returns a node for another member.
    fn free_place(&mut self) -> Id {
        while let Some(id) = self.free.pop() {
            // It may have been given back altogether meanwhile, or be taken since.
            if self.nodes.get(id.0).is_some_and(Option::is_none) {
                self.is_mixed = true;
                return id;
            }
        }
        self.nodes.push(None);
        Id(self.nodes.len() - 1)
    }

    /// Returns the members in the order in which they were added.
    pub(crate) fn as_added(&self) -> Vec<Id> {
        let is_member = |id: &Id| {
            self.look_up(*id)
                .is_some_and(|node| !node.kind.is_barrier())
        };
        let mut all: Vec<Id> = (0..self.nodes.len()).map(Id).filter(is_member).collect();
        if self.is_mixed {
            all.sort_unstable_by_key(|id| self.node(*id).added);
        }
        all
    }

    /// Returns the members in an order in which they may start one after another; those that may start at once as they were
    /// added.
    pub(crate) fn in_order(&self) -> Vec<Id> {
        let mut order = Vec::new();
        self.walk_in_order(|id, node| {
            if !node.kind.is_barrier() {
                order.push(id);
            }
        });
        order
    }

    /// Visits all nodes, each after what it depends on.
    pub(super) fn walk_in_order(&self, mut visit: impl FnMut(Id, &PlanNode)) {
        let all = (0..self.nodes.len()).map(Id);
        let mut left: Vec<usize> = all
            .clone()
            .map(|id| self.look_up(id).map_or(0, |node| node.deps.len()))
            .collect();
        let added = |id: Id| Reverse((self.node(id).added, id));
        let mut open: BinaryHeap<Reverse<(u64, Id)>> = all
            .filter(|id| self.look_up(*id).is_some_and(|node| node.deps.is_empty()))
            .map(added)
            .collect();
        while let Some(Reverse((_, id))) = open.pop() {
            let node = self.node(id);
            visit(id, node);
            for dependent in &node.dependents {
                left[dependent.0] -= 1;
                if left[dependent.0] == 0 {
                    open.push(added(*dependent));
                }
            }
        }
    }

    /// Adds a node without a member, before the plan is open for the first time.
    pub(crate) fn add_barrier(&mut self) -> Id {
        let id = self.add(Edges::default(), Policy::default());
        self.node_mut(id).kind = NodeKind::Barrier;
        id
    }

    /// Sets who depends on whom, of members that depend on nothing so far.
    pub(crate) fn connect(&mut self, edges: Vec<Edges>) {
        for (at, Edges { deps, bound }) in edges.into_iter().enumerate() {
            for dep in &deps {
                self.node_mut(*dep).dependents.push(Id(at));
            }
            for dep in &bound {
                self.node_mut(*dep).binds.push(Id(at));
            }
            let node = self.node_mut(Id(at));
            node.unready = deps.len();
            (node.deps, node.bound) = (deps.into(), bound.into());
        }
    }

    /// Takes a member off that is down and for which nobody waits.
    pub(crate) fn delete(&mut self, id: Id) {
        let Some(node) = self.nodes[id.0].take() else {
            return;
        };
        self.left.push(id);
        if self.is_open() {
            counts::count_out(self, id, &node);
        } else {
            self.trim();
        }
        for id_of_dep in node.deps.iter().copied() {
            let dep = self.node_mut(id_of_dep);
            dep.dependents.swap_remove(id);
            dep.binds.remove(id);
            dep.blockers -= usize::from(node.stopping.blocks);
            self.pending.push_back(id_of_dep);
        }
        // What is left behind it are barriers, and members that their handles have started.
        for dependent in node.dependents.iter().copied() {
            let behind = self.node_mut(dependent);
            behind.deps.remove(id);
            behind.bound.remove(id);
            behind.unready -= usize::from(!node.readiness.satisfied);
            self.pending.push_back(dependent);
        }
        if node.restart.restarts() {
            self.restarting.retain(|other| *other != id);
            restart::raise_if_down(self);
        }
    }

    /// Frees the nodes that were given back, to be used again. Not while actions are carried out, which may be about whoever
    /// was there.
    #[inline]
    pub(crate) fn trim(&mut self) {
        if !self.left.is_empty() {
            self.take_back();
        }
    }

    fn take_back(&mut self) {
        while self.nodes.last().is_some_and(Option::is_none) {
            self.nodes.pop();
        }
        let there = self.nodes.len();
        self.free
            .extend(self.left.drain(..).filter(|id| id.0 < there));
    }

    /// Returns the members that depend on this one, directly or behind a barrier.
    pub(crate) fn dependents(&self, id: Id) -> Vec<Id> {
        let mut found = Vec::new();
        let mut open = self.node(id).dependents.to_vec();
        while let Some(id) = open.pop() {
            let node = self.node(id);
            if node.kind.is_barrier() {
                open.extend(&node.dependents);
            } else {
                found.push(id);
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Those of them that are not started yet.
    pub(crate) fn waiting_for(&self, id: Id) -> Vec<Id> {
        let mut waiting = self.dependents(id);
        waiting.retain(|id| self.node(*id).state == MemberState::Pending);
        waiting
    }

    /// Returns the node, unless its member is gone.
    pub(super) fn look_up(&self, id: Id) -> Option<&PlanNode> {
        self.nodes.get(id.0)?.as_ref()
    }

    pub(super) fn node(&self, id: Id) -> &PlanNode {
        self.nodes[id.0]
            .as_ref()
            .expect("an id is used only while its member is there")
    }

    pub(super) fn node_mut(&mut self, id: Id) -> &mut PlanNode {
        self.nodes[id.0]
            .as_mut()
            .expect("an id is used only while its member is there")
    }
}
