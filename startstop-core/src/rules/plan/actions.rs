//! What follows, for each member whose situation has changed.

use super::node::{MemberState, Target};
use super::{Action, GroupPlan};
use crate::rules::graph::Id;

impl GroupPlan {
    /// What is to be done now.
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        self.follow();
        std::mem::take(&mut self.actions)
    }

    /// Looks at each member whose situation has changed.
    pub(super) fn follow(&mut self) {
        while let Some(id) = self.pending.pop_front() {
            self.look_at(id);
        }
    }

    fn look_at(&mut self, id: Id) {
        let Some(node) = self.look_up(id) else { return };
        match (node.target, node.state) {
            (Target::Up, MemberState::Pending) => self.look_at_pending(id),
            (Target::Down, MemberState::Starting | MemberState::Up) if node.blockers == 0 => {
                if node.barrier {
                    self.comes_down(id);
                    return;
                }
                self.set_fate(id, MemberState::Stopping);
                self.actions.push(Action::Stop(id));
            }
            // It is not alive and nothing above it is: its dependencies need not wait for it.
            (Target::Down, state) if !state.is_alive() && node.blockers == 0 => {
                self.unblock_deps(id);
                self.wait_for_what_it_is_bound_to(id);
            }
            _ => {}
        }
    }

    fn look_at_pending(&mut self, id: Id) {
        self.note_idle(id);
        let node = self.node(id);
        // What is inserted waits for those to be down that a restart takes down.
        let waits = node.fresh && self.falling > 0;
        if self.draining || waits || node.failing || node.stuck {
            return;
        }
        self.start(id);
    }

    /// Starts the member if nothing keeps it from that, or has it fail if something does for good.
    fn start(&mut self, id: Id) {
        let (barrier, ready) = (self.node(id).barrier, self.has_what_it_needs(id));
        let bad = if ready { None } else { self.bad_dependency(id) };
        match (ready, bad) {
            (true, _) if barrier => self.on_ready(id),
            (true, _) => {
                let again = self.node(id).again;
                self.set_fate(id, MemberState::Starting);
                self.place_mut(id).again = false;
                self.actions.push(if again { Action::Restart(id) } else { Action::Start(id) });
            }
            (false, Some(_)) if barrier => self.settle(id, MemberState::Ended),
            (false, Some(dependency)) => {
                self.place_mut(id).failing = true;
                let dependency = self.behind_barriers(dependency);
                self.actions.push(Action::FailDependency { member: id, dependency });
            }
            (false, None) => {}
        }
    }

    /// Whether all it depends on are ready, or have been; what it is bound to has to be so now.
    fn has_what_it_needs(&self, id: Id) -> bool {
        let node = self.node(id);
        node.unready == 0 && node.bound.iter().all(|dep| self.is_firm(*dep))
    }

    /// Whether those that are bound to it may run.
    fn is_firm(&self, id: Id) -> bool {
        let node = self.node(id);
        match node.state {
            MemberState::Up => node.satisfied,
            MemberState::Completed => true,
            MemberState::Pending
            | MemberState::Starting
            | MemberState::Stopping
            | MemberState::Ended
            | MemberState::StoppedByHandle => false,
        }
    }

    /// A dependency that keeps the member from starting for good.
    fn bad_dependency(&self, id: Id) -> Option<Id> {
        let node = self.node(id);
        let is_bad = |dep: &Id| {
            let failed = self.node(*dep).state == MemberState::Ended;
            if node.bound.contains(dep) { failed } else { self.ended_badly(*dep) }
        };
        node.deps.iter().copied().find(is_bad)
    }

    /// Whether the member ended without being ready, and will not come up by itself.
    fn ended_badly(&self, id: Id) -> bool {
        let node = self.node(id);
        !node.was_ready
            && (node.idle
                || matches!(node.state, MemberState::Ended | MemberState::StoppedByHandle))
    }

    /// The member that ended badly, or that behind the barrier that did.
    fn behind_barriers(&self, mut id: Id) -> Id {
        while self.node(id).barrier {
            let bad = self.node(id).deps.iter().find(|dep| self.ended_badly(**dep));
            let Some(next) = bad else { break };
            id = *next;
        }
        id
    }
}
