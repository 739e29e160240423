//! Who is on the board, and who depends on whom.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Board;
use super::node::{Fate, Place};
use crate::rules::graph::Id;
use crate::settings::member_policy::{OnCompletion, OnFailure};

impl Board {
    /// Adds a member that depends on members that are there.
    pub(crate) fn add(
        &mut self,
        deps: Vec<Id>,
        on_failure: OnFailure,
        on_completion: OnCompletion,
    ) -> Id {
        let id = Id(self.places.len());
        let unready = deps.iter().filter(|dep| !self.place(**dep).good).count();
        for dep in &deps {
            self.place_mut(*dep).dependents.push(id);
        }
        let fresh = self.open;
        let place = Place { unready, fresh, ..Place::new(deps, on_failure, on_completion) };
        self.places.push(Some(place));
        if self.open {
            self.awaited += 1;
            self.dirty.push_back(id);
        }
        id
    }

    /// The members in an order in which they may start one after another; those that may start at once as they were added.
    pub(crate) fn in_order(&self) -> Vec<Id> {
        let mut order = Vec::new();
        self.walk_in_order(|id, place| {
            if !place.barrier {
                order.push(id);
            }
        });
        order
    }

    /// Visits all places, each after what it depends on.
    pub(super) fn walk_in_order(&self, mut visit: impl FnMut(Id, &Place)) {
        let all = (0..self.places.len()).map(Id);
        let mut left: Vec<usize> =
            all.clone().map(|id| self.look_up(id).map_or(0, |place| place.deps.len())).collect();
        let mut open: BinaryHeap<Reverse<Id>> = all
            .filter(|id| self.look_up(*id).is_some_and(|place| place.deps.is_empty()))
            .map(Reverse)
            .collect();
        while let Some(Reverse(id)) = open.pop() {
            let place = self.place(id);
            visit(id, place);
            for dependent in &place.dependents {
                left[dependent.0] -= 1;
                if left[dependent.0] == 0 {
                    open.push(Reverse(*dependent));
                }
            }
        }
    }

    /// Adds a place without a member, before the board is open for the first time.
    pub(crate) fn add_barrier(&mut self) -> Id {
        let id = self.add(Vec::new(), OnFailure::default(), OnCompletion::default());
        self.place_mut(id).barrier = true;
        id
    }

    /// Sets who depends on whom, of members that depend on nothing so far.
    pub(crate) fn connect(&mut self, deps: Vec<Vec<Id>>) {
        for (at, deps) in deps.into_iter().enumerate() {
            for dep in &deps {
                self.place_mut(*dep).dependents.push(Id(at));
            }
            let place = self.place_mut(Id(at));
            place.unready = deps.len();
            place.deps = deps;
        }
    }

    /// Takes a member off that is down and for which nobody waits.
    pub(crate) fn delete(&mut self, id: Id) {
        let Some(place) = self.places[id.0].take() else { return };
        if self.open {
            self.awaited -= usize::from(place.is_awaited());
            self.completed -= usize::from(place.fate == Fate::Completed);
        } else {
            self.trim();
        }
        for id_of_dep in place.deps {
            let dep = self.place_mut(id_of_dep);
            dep.dependents.retain(|other| *other != id);
            dep.blockers -= usize::from(place.blocks);
            self.dirty.push_back(id_of_dep);
        }
        // What is left behind it are barriers, and members that their handles have started.
        for dependent in place.dependents {
            let behind = self.place_mut(dependent);
            behind.deps.retain(|other| *other != id);
            behind.unready -= usize::from(!place.good);
            self.dirty.push_back(dependent);
        }
        self.restarting.retain(|other| *other != id);
    }

    /// Gives back the places at the end that are free, so that members which come and go use them again. Not
    /// those in between, since whoever depends on others comes after them; and not while orders are carried
    /// out, which may be about whoever was there.
    pub(crate) fn trim(&mut self) {
        while self.places.last().is_some_and(Option::is_none) {
            self.places.pop();
        }
    }

    /// The members that depend on this one, directly or behind a barrier.
    pub(crate) fn dependents(&self, id: Id) -> Vec<Id> {
        let mut found = Vec::new();
        let mut open = self.place(id).dependents.clone();
        while let Some(id) = open.pop() {
            let place = self.place(id);
            if place.barrier {
                open.extend(&place.dependents);
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
        waiting.retain(|id| self.place(*id).fate == Fate::Pending);
        waiting
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::graph::Id;
    use crate::rules::plan::{Action, Board, Closing, Rest};
    use crate::settings::member_policy::{OnCompletion, OnFailure};

    fn add(board: &mut Board, deps: &[Id], on_failure: OnFailure) -> Id {
        board.add(deps.to_vec(), on_failure, OnCompletion::default())
    }

    /// Members of an open board that are up, with what they depend on.
    fn up<const N: usize>(members: [(&[Id], OnFailure); N]) -> (Board, [Id; N]) {
        let mut board = Board::default();
        let ids = members.map(|(deps, on_failure)| add(&mut board, deps, on_failure));
        board.open();
        for id in ids {
            board.take_actions();
            board.comes_up(id);
        }
        assert!(board.take_actions().is_empty() && board.is_ready());
        (board, ids)
    }

    #[test]
    fn a_place_is_used_again_only_when_no_order_can_be_about_it() {
        let mut board = Board::default();
        board.open();
        let first = add(&mut board, &[], OnFailure::default());
        board.delete(first);
        let second = add(&mut board, &[], OnFailure::default());
        assert_ne!(second, first);
        board.delete(second);
        board.trim();
        assert_eq!(add(&mut board, &[], OnFailure::default()), first);
    }

    #[test]
    fn who_has_completed_and_was_taken_off_does_not_count() {
        let (mut board, [job]) = up([(&[], OnFailure::default())]);
        board.rests(job, Rest::Completed, || true);
        assert!(board.is_finished());
        board.delete(job);
        assert!(!board.is_finished());
    }

    #[test]
    fn what_is_behind_a_barrier_does_not_wait_for_who_was_taken_off() {
        let mut board = Board::default();
        let first = add(&mut board, &[], OnFailure::default());
        let barrier = board.add_barrier();
        let last = add(&mut board, &[], OnFailure::default());
        board.connect(vec![vec![], vec![first], vec![barrier]]);
        board.open();
        assert_eq!(board.take_actions(), [Action::Start(first)]);
        board.remove(first);
        assert_eq!(board.take_actions(), [Action::Stop(first)]);
        board.rests(first, Rest::Told, || true);
        assert_eq!(board.take_actions(), [Action::Removed(first)]);
        board.delete(first);
        assert_eq!(board.take_actions(), [Action::Start(last)]);
    }

    #[test]
    fn what_does_not_yield_is_not_restarted() {
        let (mut board, [stuck]) = up([(&[], OnFailure::RestartMember)]);
        board.rests(stuck, Rest::Stuck, || true);
        assert_eq!(board.closing(), Some(Closing::Failed(stuck)));
    }

    #[test]
    fn a_failure_during_a_restart_merges_into_it() {
        let (mut board, [first, second, third]) = up([
            (&[], OnFailure::RestartDependents),
            (&[Id(0)], OnFailure::default()),
            (&[], OnFailure::RestartAll),
        ]);
        board.rests(first, Rest::Failed, || true);
        assert_eq!(board.take_actions(), [Action::Stop(second)]);
        board.rests(third, Rest::Failed, || false);
        assert_eq!(board.take_actions(), []);
        board.rests(second, Rest::Told, || true);
        assert_eq!(board.take_actions(), [Action::Start(first), Action::Start(third)]);
    }
}
