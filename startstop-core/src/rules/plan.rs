//! Who of a group starts, stops and restarts when: pure rules over a graph of members.
//!
//! It is told what the members do and says what is to be done about it. Every change costs as much as
//! the member has edges, so that a whole group starts and stops in time linear in members and edges. A
//! restart looks at all places when it is over, for those who have waited for that.
//!
//! Invariants:
//!
//! 1. A member is started only when all it depends on are ready, or have been: `unready` counts those
//!    that are not.
//! 2. A member is stopped only when all that depend on it and go down as well are down: `blockers`
//!    counts those that are not.
//! 3. Once the board drains or closes nothing starts.
//!
//! [`node`] is what is known of one member, [`edges`] who depends on whom. [`inputs`] takes in what a member
//! does; from there it goes on to [`restart`], where it has failed, and to [`stopping`], the way down.
//! [`counts`] keeps the numbers of the invariants, and [`actions`] says what follows from them. [`paths`] adds
//! up what members take one after another.
//!
//! A barrier is a place without a member: ready when all it depends on are, down when all that depend
//! on it are. It stands for the edges from each of many to each of many others.

mod node;
mod edges;
mod queries;
mod counts;
mod inputs;
mod restart;
mod stopping;
mod actions;
mod paths;

use std::collections::VecDeque;

use super::graph::Id;

use node::Place;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
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
pub(crate) enum Rest {
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

/// The members of a group and what becomes of them.
#[derive(Debug, Default)]
pub(crate) struct Board {
    places: Vec<Option<Place>>,
    actions: Vec<Action>,
    /// Whose situation has changed.
    dirty: VecDeque<Id>,
    /// The group is about to be told to end.
    draining: bool,
    closing: Option<Closing>,
    /// Whether the group is running at all.
    open: bool,
    /// Those that a restart takes down and up again.
    restarting: Vec<Id>,
    /// How many of them are not down yet.
    falling: usize,
    alive: usize,
    /// How many the group waits for before it is ready.
    awaited: usize,
    completed: usize,
}

impl Board {
    /// The group begins to run: every member is to start.
    pub(crate) fn open(&mut self) {
        self.actions.clear();
        self.dirty.clear();
        self.restarting.clear();
        (self.draining, self.closing) = (false, None);
        self.open = true;
        (self.falling, self.alive, self.completed, self.awaited) = (0, 0, 0, 0);
        for (at, place) in self.places.iter_mut().enumerate() {
            let Some(place) = place else { continue };
            place.reset();
            self.awaited += usize::from(place.is_awaited());
            self.dirty.push_back(Id(at));
        }
    }

    /// The group does not run any more.
    pub(crate) fn shut(&mut self) {
        self.open = false;
        (self.draining, self.closing) = (false, None);
        self.actions.clear();
        self.dirty.clear();
        // A removal that was not carried out is over.
        self.places.iter_mut().flatten().for_each(|place| place.leaves = false);
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
