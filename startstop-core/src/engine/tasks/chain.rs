//! The tasks that are alive, in the order in which they were spawned.
//!
//! Each has a slot, linked to those before and after it, so that a task is added and removed in a time that does not depend on
//! how many there are, and the first two are found at once. The slots are freed when all are free.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::sync::AbortHandle;

/// The end of a chain.
const NONE: u32 = u32::MAX;

/// The number of no task, in a slot that is free.
const NOBODY: u64 = u64::MAX;

/// The tasks that are alive.
pub(super) struct TaskChain {
    slots: Vec<TaskSlot>,
    first: u32,
    last: u32,
    /// The first of those that are free: a chain of its own.
    free: u32,
    /// By the number of the task. Most have none.
    names: BTreeMap<u64, Cow<'static, str>>,
}

/// The place of a task, which it keeps until it is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(u32);

struct TaskSlot {
    number: u64,
    /// How it is aborted; `None` while it is being spawned, and where the slot is free.
    handle: Option<AbortHandle>,
    before: u32,
    after: u32,
}

/// A task that is alive.
pub(super) struct ChainedTask<'a> {
    pub(super) number: u64,
    pub(super) handle: Option<&'a AbortHandle>,
}

impl Default for TaskChain {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            first: NONE,
            last: NONE,
            free: NONE,
            names: BTreeMap::new(),
        }
    }
}

impl TaskChain {
    /// Adds the task with this number, greater than all before it. `None` where there are as many as fit.
    pub(super) fn add(&mut self, number: u64, name: Option<Cow<'static, str>>) -> Option<Place> {
        let new = TaskSlot {
            number,
            handle: None,
            before: self.last,
            after: NONE,
        };
        let slot = self.put(new)?;
        self.link_after(self.last, slot);
        self.last = slot;
        if let Some(name) = name {
            self.names.insert(number, name);
        }
        Some(Place(slot))
    }

    fn put(&mut self, new: TaskSlot) -> Option<u32> {
        if let Some(slot) = self.slots.get_mut(self.free as usize) {
            let at = std::mem::replace(&mut self.free, slot.after);
            *slot = new;
            return Some(at);
        }
        let at = u32::try_from(self.slots.len())
            .ok()
            .filter(|at| *at != NONE)?;
        self.slots.push(new);
        Some(at)
    }

    fn link_after(&mut self, before: u32, slot: u32) {
        match self.slots.get_mut(before as usize) {
            Some(before) => before.after = slot,
            None => self.first = slot,
        }
    }

    fn link_before(&mut self, after: u32, slot: u32) {
        match self.slots.get_mut(after as usize) {
            Some(after) => after.before = slot,
            None => self.last = slot,
        }
    }

    /// Removes a task that has not been removed yet: its handle and its name.
    pub(super) fn remove(
        &mut self,
        Place(at): Place,
    ) -> (Option<AbortHandle>, Option<Cow<'static, str>>) {
        let Some(slot) = self.slots.get_mut(at as usize) else {
            return (None, None);
        };
        let (number, handle) = (slot.number, slot.handle.take());
        let (before, after) = (slot.before, slot.after);
        slot.number = NOBODY;
        slot.after = std::mem::replace(&mut self.free, at);
        self.link_after(before, after);
        self.link_before(after, before);
        let name = self.names.remove(&number);
        if self.first == NONE {
            *self = Self::default();
        }
        (handle, name)
    }

    /// Keeps how the task with this number is aborted; hands it back if that is gone, and another may be in its place.
    pub(super) fn keep(
        &mut self,
        Place(at): Place,
        number: u64,
        handle: AbortHandle,
    ) -> Result<(), AbortHandle> {
        let slot = self.slots.get_mut(at as usize);
        match slot.filter(|slot| slot.number == number) {
            Some(slot) => slot.handle = Some(handle),
            None => return Err(handle),
        }
        Ok(())
    }

    /// Takes the handles by which tasks are aborted.
    pub(super) fn take_handles(&mut self) -> Vec<AbortHandle> {
        let mut handles = Vec::with_capacity(self.slots.len());
        let mut at = self.first;
        while let Some(slot) = self.slots.get_mut(at as usize) {
            handles.extend(slot.handle.take());
            at = slot.after;
        }
        handles
    }

    /// Returns the tasks in their order.
    pub(super) fn iter(&self) -> impl Iterator<Item = ChainedTask<'_>> {
        let slot = |at: u32| self.slots.get(at as usize);
        std::iter::successors(slot(self.first), move |before| slot(before.after)).map(|slot| {
            ChainedTask {
                number: slot.number,
                handle: slot.handle.as_ref(),
            }
        })
    }

    /// Returns the names of those that have one, in their order.
    pub(super) fn names(&self) -> impl Iterator<Item = &Cow<'static, str>> {
        self.names.values()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Place, TaskChain};

    fn numbers(live: &TaskChain) -> Vec<u64> {
        live.iter().map(|task| task.number).collect()
    }

    #[test]
    fn tasks_come_and_go_in_their_order() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut live = TaskChain::default();
        let mut expected: BTreeMap<u64, Place> = BTreeMap::new();
        for number in 0..20_000 {
            let name = (number % 3 == 0).then(|| number.to_string().into());
            let place = live.add(number, name).expect("they fit");
            expected.insert(number, place);
            // They grow and shrink by turns, down to none.
            let goal = random.usize(0..40);
            while expected.len() > goal {
                let at = random.usize(0..expected.len());
                let (gone, place) = expected
                    .iter()
                    .nth(at)
                    .map(|(gone, place)| (*gone, *place))
                    .expect("it is there");
                expected.remove(&gone);
                let (_, name) = live.remove(place);
                assert_eq!(name.is_some(), gone % 3 == 0);
            }
            assert!(numbers(&live).iter().eq(expected.keys()));
            let named = expected.keys().filter(|number| **number % 3 == 0);
            let named: Vec<String> = named.map(u64::to_string).collect();
            assert!(live.names().eq(&named), "{named:?}");
            assert_eq!(live.slots.is_empty(), expected.is_empty());
        }
        assert!(live.slots.len() <= 41, "places are used again");
    }
}
