//! Who is on the board, and who depends on whom.

use super::Board;
use super::place::{Fate, Place};
use crate::group::graph::Id;
use crate::group::policy::{OnCompletion, OnFailure};

impl Board {
    /// Adds a member that depends on members that are there.
    pub(in crate::group) fn add(
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
        self.unsettled += 1;
        self.dirty.push_back(id);
        id
    }

    /// Adds a place without a member.
    pub(in crate::group) fn add_barrier(&mut self) -> Id {
        let id = self.add(Vec::new(), OnFailure::default(), OnCompletion::default());
        self.unsettled -= 1;
        self.place_mut(id).barrier = true;
        id
    }

    /// Sets who depends on whom, of members that depend on nothing so far.
    pub(in crate::group) fn connect(&mut self, deps: Vec<Vec<Id>>) {
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
    pub(in crate::group) fn delete(&mut self, id: Id) {
        let Some(place) = self.places[id.0].take() else { return };
        // The places of members that come and go are used again; not those in between, since whoever depends
        // on others comes after them.
        while self.places.last().is_some_and(Option::is_none) {
            self.places.pop();
        }
        self.unsettled -= usize::from(!place.fate.is_settled());
        self.completed -= usize::from(place.fate == Fate::Completed);
        self.alive -= usize::from(place.fate.is_alive());
        for id_of_dep in place.deps {
            let dep = self.place_mut(id_of_dep);
            dep.dependents.retain(|other| *other != id);
            dep.blockers -= usize::from(place.counted);
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

    /// The members that depend on this one, directly or behind a barrier.
    pub(in crate::group) fn dependents(&self, id: Id) -> Vec<Id> {
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
    pub(in crate::group) fn waiting_for(&self, id: Id) -> Vec<Id> {
        let mut waiting = self.dependents(id);
        waiting.retain(|id| self.place(*id).fate == Fate::Pending);
        waiting
    }
}
