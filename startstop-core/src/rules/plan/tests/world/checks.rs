//! The rules that hold in every state of a world.

use super::{Does, World};
use crate::rules::graph::Id;
use crate::rules::plan::PlanStage;
use crate::rules::plan::node::{Hindrance, MemberState, PlanNode, Target};

impl World {
    /// Checks what holds whenever nothing follows.
    pub(in super::super) fn check(&self) {
        self.check_numbers();
        self.check_restart();
        for id in self.ids() {
            self.check_one(id);
        }
        let moves = |does: &Does| matches!(does, Does::Starts | Does::Stops | Does::Blocks);
        if !self.does.iter().any(moves) && !self.plan.pausing {
            self.check_rest();
        }
    }

    fn check_numbers(&self) {
        let mut fresh = self.plan.clone();
        crate::rules::plan::counts::count_all(&mut fresh);
        assert_eq!(self.plan.counts, fresh.counts);
        assert_eq!(self.plan.unsettled, fresh.unsettled);
        for node in self.plan.nodes.iter().flatten() {
            let unready = node
                .deps
                .iter()
                .filter(|dep| !self.plan.node(**dep).readiness.satisfied)
                .count();
            assert_eq!(node.unready, unready, "invariant 1");
            let blocks = |other: &&Id| self.plan.node(**other).stopping.blocks;
            assert_eq!(
                node.blockers,
                node.dependents.iter().filter(blocks).count(),
                "invariant 2"
            );
        }
    }

    fn check_restart(&self) {
        let alive = |id: &&Id| self.plan.is_alive(**id);
        let not_down = self.plan.restarting.iter().filter(alive).count();
        assert_eq!(self.plan.not_down, not_down);
    }

    fn check_one(&self, id: Id) {
        let node = self.plan.node(id);
        let alive = matches!(self.does[id.0], Does::Starts | Does::Runs | Does::Stops);
        assert_eq!(node.state.is_alive(), alive, "{id:?}: {node:?}");
        assert_eq!(
            node.trouble.hindrance == Hindrance::Stuck,
            self.does[id.0] == Does::Blocks,
            "{id:?}: {node:?}"
        );
        // One that has completed is not down; nor is it when its handle starts it again.
        let firm = |dep: &Id| {
            let up = matches!(
                self.plan.node(*dep).state,
                MemberState::Up | MemberState::Completed
            );
            up || self.by_hand[dep.0]
        };
        let stays = node.target == Target::Up && alive;
        if stays && !self.by_hand[id.0] && !self.plan.is_stopping() {
            assert!(
                node.bound.iter().all(firm),
                "{id:?} runs without what it is bound to"
            );
        }
    }

    /// Checks the plan while no member is on its way: a member that is still to start waits for a handle, and a plan that
    /// closes is closed.
    fn check_rest(&self) {
        if self.plan.closing().is_some() {
            assert!(self.plan.is_finished());
        } else if self.plan.stage != PlanStage::Draining {
            let pending = |node: &&PlanNode| node.is_pending();
            assert_eq!(
                self.plan.nodes.iter().flatten().find(pending).map(|_| ()),
                None,
                "{self:?}"
            );
        }
    }
}
