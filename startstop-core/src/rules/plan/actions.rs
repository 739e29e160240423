//! What follows, for each member whose situation has changed.

use super::node::{Fate, Want};
use super::{Action, Board};
use crate::rules::graph::Id;

impl Board {
    /// What is to be done now.
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        self.follow();
        std::mem::take(&mut self.actions)
    }

    /// Looks at each member whose situation has changed.
    pub(super) fn follow(&mut self) {
        while let Some(id) = self.dirty.pop_front() {
            self.look_at(id);
        }
    }

    fn look_at(&mut self, id: Id) {
        let Some(place) = self.look_up(id) else { return };
        match (place.want, place.fate) {
            (Want::Up, Fate::Pending) if self.draining => {}
            // What is inserted waits for a restart that is under way.
            (Want::Up, Fate::Pending) if place.failing || (place.fresh && self.falling > 0) => {}
            (Want::Up, Fate::Pending) => self.start(id),
            (Want::Down, Fate::Starting | Fate::Up) if place.blockers == 0 => {
                if place.barrier {
                    self.comes_down(id);
                    return;
                }
                self.set_fate(id, Fate::Falling);
                self.actions.push(Action::Stop(id));
            }
            // It is not alive and nothing above it is: its dependencies need not wait for it.
            (Want::Down, fate) if !fate.is_alive() && place.blockers == 0 => self.unblock_deps(id),
            _ => {}
        }
    }

    /// Starts the member if nothing keeps it from that, or has it fail if something does for good.
    fn start(&mut self, id: Id) {
        let place = self.place(id);
        let (barrier, ready) = (place.barrier, place.unready == 0);
        let ended = place.deps.iter().find(|dep| self.ended_badly(**dep)).copied();
        match (ready, ended) {
            (true, _) if barrier => self.comes_up(id),
            (true, _) => {
                self.set_fate(id, Fate::Starting);
                self.actions.push(Action::Start(id));
            }
            (false, Some(_)) if barrier => self.settle(id, Fate::Ended),
            (false, Some(dependency)) => {
                self.place_mut(id).failing = true;
                let dependency = self.behind_barriers(dependency);
                self.actions.push(Action::FailDependency { member: id, dependency });
            }
            (false, None) => {}
        }
    }

    /// Whether the member ended without being ready, and will not come up by itself.
    fn ended_badly(&self, id: Id) -> bool {
        let place = self.place(id);
        !place.was_ready && matches!(place.fate, Fate::Ended | Fate::Parked)
    }

    /// The member that ended badly, or that behind the barrier that did.
    fn behind_barriers(&self, mut id: Id) -> Id {
        while self.place(id).barrier {
            let bad = self.place(id).deps.iter().find(|dep| self.ended_badly(**dep));
            let Some(next) = bad else { break };
            id = *next;
        }
        id
    }
}
