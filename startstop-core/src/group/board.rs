//! Who of a group starts, stops and restarts when: pure rules over a graph of members.
//!
//! It is told what the members do and says what is to be done about it. Every change costs as much as
//! the member has edges, so that a whole group starts and stops in time linear in members and edges.
//!
//! Invariants:
//!
//! 1. A member is started only when all it depends on are ready, or have been: `unready` counts those
//!    that are not.
//! 2. A member is stopped only when all that depend on it and go down as well are down: `blockers`
//!    counts those that are not.
//! 3. Once the board closes nothing starts.
//!
//! A barrier is a place without a member: ready when all it depends on are, down when all that depend
//! on it are. It stands for the edges from each of many to each of many others.

use std::collections::VecDeque;

use super::graph::Id;
use super::policy::{OnCompletion, OnFailure};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Start(Id),
    Stop(Id),
    /// What this member depends on ended without being ready.
    FailDependency {
        member: Id,
        dependency: Id,
    },
    /// The member is down and no longer one of the group.
    Removed(Id),
}

/// How a member came to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// By itself, and well.
    Completed,
    /// By itself, in failure, or it could not start.
    Failed,
    /// It does not yield and was given up on.
    Stuck,
    /// It was told to stop.
    Told,
}

/// Why the board closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closing {
    /// The group was told to stop.
    Told,
    /// A member that completes ends the group.
    Completed,
    /// This member's failure ends the group.
    Failed(Id),
    /// This member's failure would have been followed by a restart, but for the limit.
    Limit(Id),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Not started yet, or down to be started again.
    Pending,
    Starting,
    Up,
    /// Told to stop.
    Falling,
    Completed,
    /// It failed, and that is ignored or ends the group.
    Ended,
    /// Stopped by its handle.
    Parked,
}

impl Fate {
    fn is_alive(self) -> bool {
        matches!(self, Self::Starting | Self::Up | Self::Falling)
    }

    /// Whether the group waits for it before it is ready.
    fn is_settled(self) -> bool {
        matches!(self, Self::Up | Self::Completed | Self::Ended | Self::Parked)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Up,
    Down,
}

#[allow(clippy::struct_excessive_bools)] // Marks that hold beside each other in any mixture.
#[derive(Debug)]
struct Place {
    /// There is no member here.
    barrier: bool,
    deps: Vec<Id>,
    dependents: Vec<Id>,
    on_failure: OnFailure,
    on_completion: OnCompletion,
    want: Want,
    fate: Fate,
    /// It is ready, or rests and was.
    good: bool,
    /// It has been ready since it was last told to start.
    was_ready: bool,
    /// It is about to fail because of what it depends on.
    failing: bool,
    /// It counts as a blocker of what it depends on: it goes down and is not down, or has not let those
    /// by that depend on it.
    counted: bool,
    /// How many it depends on are not good.
    unready: usize,
    /// How many depend on it, go down and are not down yet.
    blockers: usize,
    /// It is one of those that a restart takes down and up again.
    restarts: bool,
    /// It is to be removed once it is down.
    leaves: bool,
    /// It was inserted into the running group and has not come up yet: its failure is not the group's.
    fresh: bool,
}

/// The members of a group and what becomes of them.
#[derive(Debug, Default)]
pub(super) struct Board {
    places: Vec<Option<Place>>,
    actions: Vec<Action>,
    /// Whose situation has changed.
    dirty: VecDeque<Id>,
    closing: Option<Closing>,
    /// Whether the group is running at all.
    open: bool,
    /// Those that a restart takes down and up again.
    restarting: Vec<Id>,
    /// How many of them are not down yet.
    falling: usize,
    alive: usize,
    unsettled: usize,
    completed: usize,
}

/// Building it, and looking at it.
impl Board {
    /// Adds a member that depends on members that are there.
    pub(super) fn add(
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
        self.places.push(Some(Place {
            barrier: false,
            deps,
            dependents: Vec::new(),
            on_failure,
            on_completion,
            want: Want::Up,
            fate: Fate::Pending,
            good: false,
            was_ready: false,
            failing: false,
            counted: false,
            unready,
            blockers: 0,
            restarts: false,
            leaves: false,
            fresh: self.open,
        }));
        self.unsettled += 1;
        self.dirty.push_back(id);
        id
    }

    /// Adds a place without a member.
    pub(super) fn add_barrier(&mut self) -> Id {
        let id = self.add(Vec::new(), OnFailure::default(), OnCompletion::default());
        self.unsettled -= 1;
        self.place_mut(id).barrier = true;
        id
    }

    /// Sets who depends on whom, of members that depend on nothing so far.
    pub(super) fn connect(&mut self, deps: Vec<Vec<Id>>) {
        for (at, deps) in deps.into_iter().enumerate() {
            for dep in &deps {
                self.place_mut(*dep).dependents.push(Id(at));
            }
            let place = self.place_mut(Id(at));
            place.unready = deps.len();
            place.deps = deps;
        }
    }

    /// The group begins to run: every member is to start.
    pub(super) fn open(&mut self) {
        self.actions.clear();
        self.dirty.clear();
        self.restarting.clear();
        self.closing = None;
        self.open = true;
        (self.falling, self.alive, self.completed, self.unsettled) = (0, 0, 0, 0);
        for (at, place) in self.places.iter_mut().enumerate() {
            let Some(place) = place else { continue };
            place.want = Want::Up;
            place.fate = Fate::Pending;
            (place.good, place.was_ready, place.failing, place.counted) =
                (false, false, false, false);
            (place.restarts, place.fresh, place.leaves) = (false, false, false);
            place.unready = place.deps.len();
            place.blockers = 0;
            self.unsettled += usize::from(!place.barrier);
            self.dirty.push_back(Id(at));
        }
    }

    /// The group does not run any more.
    pub(super) fn shut(&mut self) {
        self.open = false;
        self.closing = None;
        self.actions.clear();
        self.dirty.clear();
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    pub(super) fn closing(&self) -> Option<Closing> {
        self.closing
    }

    /// Whether every member is ready or settled.
    pub(super) fn is_ready(&self) -> bool {
        self.closing.is_none() && self.unsettled == 0
    }

    /// Whether nothing is left to be waited for.
    pub(super) fn is_finished(&self) -> bool {
        match self.closing {
            Some(_) => self.alive == 0,
            None => self.alive == 0 && self.unsettled == 0 && self.completed > 0,
        }
    }

    /// The members that depend on this one, directly or behind a barrier.
    pub(super) fn dependents(&self, id: Id) -> Vec<Id> {
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

    /// Whether the member has neither come up nor failed yet after it was inserted.
    pub(super) fn is_fresh(&self, id: Id) -> bool {
        self.place(id).fresh
    }

    /// Whether the member is there and is being removed.
    pub(super) fn is_leaving(&self, id: Id) -> bool {
        self.look_up(id).is_some_and(|place| place.leaves)
    }

    /// How many places there are, those without a member among them.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether the member is to be up: it rests on its own account.
    pub(super) fn wants_up(&self, id: Id) -> bool {
        self.place(id).want == Want::Up
    }

    pub(super) fn is_alive(&self, id: Id) -> bool {
        self.place(id).fate.is_alive()
    }

    /// What is to be done now.
    pub(super) fn take_actions(&mut self) -> Vec<Action> {
        while let Some(id) = self.dirty.pop_front() {
            self.look_at(id);
        }
        std::mem::take(&mut self.actions)
    }

    /// Takes a member off that is down and on which nobody depends.
    pub(super) fn delete(&mut self, id: Id) {
        let Some(place) = self.places[id.0].take() else { return };
        // The places of members that come and go are used again; not those in between, since whoever depends
        // on others comes after them.
        while self.places.last().is_some_and(Option::is_none) {
            self.places.pop();
        }
        self.unsettled -= usize::from(!place.fate.is_settled());
        self.completed -= usize::from(place.fate == Fate::Completed);
        self.alive -= usize::from(place.fate.is_alive());
        for dep in place.deps {
            let dep = self.place_mut(dep);
            dep.dependents.retain(|other| *other != id);
            dep.blockers -= usize::from(place.counted);
        }
        // What is left behind it are barriers.
        for barrier in place.dependents {
            let behind = self.place_mut(barrier);
            behind.deps.retain(|other| *other != id);
            behind.unready -= usize::from(!place.good);
            self.dirty.push_back(barrier);
        }
        self.restarting.retain(|other| *other != id);
    }

    /// The place, unless its member is gone.
    fn look_up(&self, id: Id) -> Option<&Place> {
        self.places.get(id.0)?.as_ref()
    }

    fn place(&self, id: Id) -> &Place {
        self.places[id.0].as_ref().expect("an id is used only while its member is there")
    }

    fn place_mut(&mut self, id: Id) -> &mut Place {
        self.places[id.0].as_mut().expect("an id is used only while its member is there")
    }
}

/// What happens to the members.
impl Board {
    /// The member is alive, and not ready.
    pub(super) fn rises(&mut self, id: Id) {
        match self.place(id).fate {
            Fate::Starting | Fate::Falling => {}
            Fate::Up => {
                self.set_fate(id, Fate::Starting);
                self.set_good(id, false);
            }
            Fate::Pending | Fate::Completed | Fate::Ended | Fate::Parked => {
                self.set_fate(id, Fate::Starting);
                self.set_good(id, false);
                self.revive_behind(id);
                self.falling += usize::from(self.place(id).restarts);
                if self.place(id).want == Want::Down {
                    self.count_blocker(id);
                }
            }
        }
        self.dirty.push_back(id);
    }

    /// A member that was told to stop has ended, and was started again by its handle: it is told again.
    pub(super) fn comes_back(&mut self, id: Id) {
        if self.place(id).fate == Fate::Falling {
            self.set_fate(id, Fate::Starting);
            self.dirty.push_back(id);
        }
    }

    /// The barriers behind a member that rises have something to wait for again.
    fn revive_behind(&mut self, id: Id) {
        let mut open = self.place(id).dependents.clone();
        while let Some(id) = open.pop() {
            let place = self.place(id);
            if place.barrier && place.fate == Fate::Ended {
                open.extend(&place.dependents);
                self.set_fate(id, Fate::Pending);
                self.dirty.push_back(id);
            }
        }
    }

    /// The member is ready.
    pub(super) fn is_up(&mut self, id: Id) {
        if self.place(id).fate != Fate::Up {
            self.rises(id);
        }
        let place = self.place_mut(id);
        if place.want == Want::Down {
            // Nobody starts on what is on its way down.
            return;
        }
        (place.fresh, place.was_ready) = (false, true);
        if place.fate == Fate::Starting {
            self.set_fate(id, Fate::Up);
        }
        self.set_good(id, true);
    }

    /// The member has come to rest. `allowed` says whether the limit allows another restart.
    pub(super) fn rests(&mut self, id: Id, rest: Rest, allowed: impl FnOnce() -> bool) {
        let place = self.place_mut(id);
        place.failing = false;
        if place.want == Want::Down {
            self.is_down(id);
            return;
        }
        match rest {
            Rest::Completed => self.complete(id),
            Rest::Told => self.settle(id, Fate::Parked),
            Rest::Failed | Rest::Stuck => self.fail(id, rest, allowed),
        }
    }

    /// The group is told to end.
    pub(super) fn close(&mut self, why: Closing) {
        if self.closing.is_some() {
            return;
        }
        self.closing = Some(why);
        self.restarting.clear();
        self.falling = 0;
        for at in 0..self.places.len() {
            if let Some(place) = &mut self.places[at] {
                place.restarts = false;
                self.take_down(Id(at));
            }
        }
    }

    /// The member is to leave the group.
    pub(super) fn remove(&mut self, id: Id) {
        self.place_mut(id).leaves = true;
        if self.falling == 0 {
            self.take_down(id);
            self.leave_if_down(id);
        }
    }

    fn leave_if_down(&mut self, id: Id) {
        if self.place(id).leaves && !self.place(id).fate.is_alive() {
            self.actions.push(Action::Removed(id));
        }
    }

    fn look_at(&mut self, id: Id) {
        let Some(place) = self.look_up(id) else { return };
        match (place.want, place.fate) {
            // What is inserted waits for a restart that is under way.
            (Want::Up, Fate::Pending) if place.failing || (place.fresh && self.falling > 0) => {}
            (Want::Up, Fate::Ended | Fate::Up) if place.barrier && place.unready == 0 => {
                self.is_up(id);
            }
            (Want::Up, Fate::Pending) if self.closing.is_none() && self.open => {
                let (barrier, ready) = (place.barrier, place.unready == 0);
                let ended = place.deps.iter().find(|dep| self.ended_badly(**dep)).copied();
                match (ready, ended) {
                    (true, _) if barrier => self.is_up(id),
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
            (Want::Down, Fate::Starting | Fate::Up) if place.blockers == 0 => {
                if place.barrier {
                    self.is_down(id);
                    return;
                }
                self.set_fate(id, Fate::Falling);
                self.actions.push(Action::Stop(id));
            }
            // It is not alive, and lets those by that wait for those that depend on it.
            (Want::Down, fate) if !fate.is_alive() && place.blockers == 0 => self.let_by(id),
            _ => {}
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

    fn complete(&mut self, id: Id) {
        let place = self.place_mut(id);
        (place.fresh, place.was_ready) = (false, true);
        self.settle(id, Fate::Completed);
        if self.place(id).on_completion == OnCompletion::StopGroup {
            self.close(Closing::Completed);
        }
    }

    /// The member rests for good, and those that wait for it have to know.
    fn settle(&mut self, id: Id, fate: Fate) {
        self.set_fate(id, fate);
        self.set_good(id, self.place(id).was_ready);
        let place = self.place(id);
        if !place.good {
            let dependents = place.dependents.clone();
            self.dirty.extend(dependents);
        }
    }

    fn fail(&mut self, id: Id, rest: Rest, allowed: impl FnOnce() -> bool) {
        if self.place(id).fresh {
            self.settle(id, Fate::Ended);
            return;
        }
        let set = match self.place(id).on_failure {
            OnFailure::Ignore => return self.settle(id, Fate::Ended),
            OnFailure::StopGroup => None,
            // What does not yield cannot be restarted.
            _ if rest == Rest::Stuck => None,
            OnFailure::RestartMember => Some(vec![id]),
            OnFailure::RestartDependents => Some(self.with_dependents(id)),
            OnFailure::RestartAll => Some(self.all()),
        };
        match set {
            None => {
                self.set_fate(id, Fate::Ended);
                self.close(Closing::Failed(id));
            }
            // A failure during a restart merges into it.
            Some(set) if self.falling > 0 || allowed() => self.restart(id, &set),
            Some(_) => {
                self.set_fate(id, Fate::Ended);
                self.close(Closing::Limit(id));
            }
        }
    }

    fn with_dependents(&self, id: Id) -> Vec<Id> {
        let mut seen = vec![false; self.places.len()];
        seen[id.0] = true;
        let mut set = vec![id];
        let mut at = 0;
        while let Some(next) = set.get(at).copied() {
            at += 1;
            for dependent in &self.place(next).dependents {
                if !std::mem::replace(&mut seen[dependent.0], true) {
                    set.push(*dependent);
                }
            }
        }
        set
    }

    fn all(&self) -> Vec<Id> {
        let there = |(at, place): (usize, &Option<Place>)| place.is_some().then_some(Id(at));
        self.places.iter().enumerate().filter_map(there).collect()
    }

    /// Takes a set down and up again, because `failed` has failed.
    fn restart(&mut self, failed: Id, set: &[Id]) {
        self.set_fate(failed, Fate::Pending);
        for id in set.iter().copied() {
            let place = self.place(id);
            let stays = matches!(place.fate, Fate::Pending | Fate::Completed | Fate::Parked);
            if place.restarts || place.leaves {
                // What waits to be removed goes down now, for what it depends on may go down as well.
                self.take_down(id);
                continue;
            }
            self.place_mut(id).restarts = true;
            self.restarting.push(id);
            if stays && id != failed {
                // It only lets those by that wait for those that depend on it.
                self.take_down(id);
                continue;
            }
            self.place_mut(id).was_ready = false;
            self.set_good(id, false);
            if self.place(id).fate.is_alive() {
                self.falling += 1;
            } else {
                self.set_fate(id, Fate::Pending);
            }
            self.take_down(id);
        }
        self.raise_if_down();
    }

    fn take_down(&mut self, id: Id) {
        let place = self.place_mut(id);
        // One that was to go down before may have let those by that wait, and those that depend on it, which
        // were left running then, go down now: it keeps what it depends on until they are down.
        if place.want == Want::Down && place.counted {
            return;
        }
        place.want = Want::Down;
        self.count_blocker(id);
        self.dirty.push_back(id);
    }

    /// A member that goes down keeps those that it depends on from going down.
    fn count_blocker(&mut self, id: Id) {
        if std::mem::replace(&mut self.place_mut(id).counted, true) {
            return;
        }
        for dep in self.place(id).deps.clone() {
            self.place_mut(dep).blockers += 1;
        }
    }

    /// A member that is down, as all that depend on it, keeps nobody any more.
    fn let_by(&mut self, id: Id) {
        if !std::mem::replace(&mut self.place_mut(id).counted, false) {
            return;
        }
        for dep in self.place(id).deps.clone() {
            self.place_mut(dep).blockers -= 1;
            self.dirty.push_back(dep);
        }
    }

    /// A member that was to go down is down.
    fn is_down(&mut self, id: Id) {
        let place = self.place(id);
        if !place.fate.is_alive() {
            return;
        }
        let restarts = place.restarts;
        self.set_fate(id, Fate::Pending);
        self.dirty.push_back(id);
        if restarts {
            self.falling -= 1;
            self.raise_if_down();
        }
        self.leave_if_down(id);
    }

    /// Once all that restart are down, they come up in order.
    fn raise_if_down(&mut self) {
        if self.falling > 0 || self.closing.is_some() {
            return;
        }
        for id in std::mem::take(&mut self.restarting) {
            self.let_by(id);
            let place = self.place_mut(id);
            place.restarts = false;
            place.want = Want::Up;
            self.dirty.push_back(id);
        }
        // Those who have waited for the end of the restart.
        for at in 0..self.places.len() {
            let Some(place) = &self.places[at] else { continue };
            let (leaves, fresh) = (place.leaves, place.fresh);
            if leaves {
                self.take_down(Id(at));
                self.leave_if_down(Id(at));
            } else if fresh {
                self.dirty.push_back(Id(at));
            }
        }
    }

    /// Tells those that depend on it. What is not good is not so behind barriers either.
    fn set_good(&mut self, id: Id, good: bool) {
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            let place = self.place_mut(id);
            if std::mem::replace(&mut place.good, good) == good {
                continue;
            }
            for dependent in place.dependents.clone() {
                let behind = self.place_mut(dependent);
                if good {
                    behind.unready -= 1;
                    self.dirty.push_back(dependent);
                    continue;
                }
                behind.unready += 1;
                if behind.barrier {
                    open.push(dependent);
                }
            }
        }
    }

    fn set_fate(&mut self, id: Id, fate: Fate) {
        let place = self.place_mut(id);
        let old = std::mem::replace(&mut place.fate, fate);
        if place.barrier {
            return;
        }
        let step = |count: &mut usize, was: bool, is: bool| {
            *count = *count + usize::from(is) - usize::from(was);
        };
        step(&mut self.alive, old.is_alive(), fate.is_alive());
        step(&mut self.unsettled, !old.is_settled(), !fate.is_settled());
        step(&mut self.completed, old == Fate::Completed, fate == Fate::Completed);
    }
}
