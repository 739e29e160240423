//! What the board tells whoever asks.

use super::place::Want;
use super::{Board, Closing};
use crate::group::graph::Id;

impl Board {
    pub(in crate::group) fn is_open(&self) -> bool {
        self.open
    }

    pub(in crate::group) fn closing(&self) -> Option<Closing> {
        self.closing
    }

    /// Whether every member is ready or settled.
    pub(in crate::group) fn is_ready(&self) -> bool {
        self.closing.is_none() && self.unsettled == 0
    }

    /// Whether nothing is left to be waited for.
    pub(in crate::group) fn is_finished(&self) -> bool {
        match self.closing {
            Some(_) => self.alive == 0,
            None => self.alive == 0 && self.unsettled == 0 && self.completed > 0,
        }
    }

    /// Whether the member has neither come up nor failed yet after it was inserted.
    pub(in crate::group) fn is_fresh(&self, id: Id) -> bool {
        self.place(id).fresh
    }

    /// Whether the member is there and is being removed.
    pub(in crate::group) fn is_leaving(&self, id: Id) -> bool {
        self.look_up(id).is_some_and(|place| place.leaves)
    }

    /// How many places there are, those without a member among them.
    pub(in crate::group) fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether the member is to be up: it rests on its own account.
    pub(in crate::group) fn wants_up(&self, id: Id) -> bool {
        self.place(id).want == Want::Up
    }

    pub(in crate::group) fn is_alive(&self, id: Id) -> bool {
        self.place(id).fate.is_alive()
    }
}
