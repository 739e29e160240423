//! The waiters and their topics: a table of entries that are answered under the lock of the engine and woken
//! after it.
//!
//! Invariants:
//!
//! 1. An entry is answered once and keeps its answer until its owner takes it: a slow reader gets the
//!    answer that was meant for it, whatever has happened since.
//! 2. One entry costs no allocation; the list for more is freed when it is empty.
//! 3. To add, to look at and to remove an entry costs the same however many there are.

mod answer;
mod wakes;

use std::task::Waker;

use crate::engine::seldom::{Seldom, rare};
use crate::report::state::State;

pub(crate) use answer::Answer;
pub(crate) use wakes::Wakes;

/// The topic of a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Topic {
    /// The outcome of the pending start.
    Start,
    /// The outcome of the stop.
    Stop,
    /// The end of the cycle.
    End,
    /// The end of the cycle with none after it, or that the end was given up.
    Rest,
    /// A state.
    Enter(State),
    /// Any change of state.
    Change,
    /// The cancellation of an attempt, seen from `run`.
    Cancel,
    /// The deadline of an attempt: its cancellation, seen from `shutdown`.
    Deadline,
    /// The begin of a drain.
    Drain,
    /// A reload request to the attempt with this number: its lower half tells it from its neighbours.
    Reload(u32),
    /// The answer to a reload request of this round.
    Reloaded(u32),
    /// The end of tasks.
    Tasks,
}

impl Topic {
    /// The kinds that a change of state may answer.
    pub(crate) const STATES: u16 = Self::Enter(State::Stopped).kind() | Self::Change.kind();
    /// The kinds that the end of an attempt answers.
    pub(crate) const STAGES: u16 = Self::Drain.kind() | Self::Cancel.kind() | Self::Deadline.kind();

    /// The kinds of those who wait for a deadline at the latest.
    pub(crate) const OUTCOMES: u16 = Self::Start.kind() | Self::Stop.kind();

    /// Returns a reload request to attempt `epoch`.
    #[allow(clippy::cast_possible_truncation)] // What is cut off would tell it from one 2^32 later.
    pub(crate) const fn reload(epoch: u64) -> Self {
        Self::Reload(epoch as u32)
    }

    /// Returns the bit of its kind.
    pub(crate) const fn kind(self) -> u16 {
        match self {
            Self::Start => 1,
            Self::Stop => 1 << 1,
            Self::End => 1 << 2,
            Self::Rest => 1 << 3,
            Self::Enter(_) => 1 << 4,
            Self::Change => 1 << 5,
            Self::Cancel => 1 << 6,
            Self::Deadline => 1 << 7,
            Self::Drain => 1 << 8,
            Self::Reload(_) => 1 << 9,
            Self::Reloaded(_) => 1 << 10,
            Self::Tasks => 1 << 11,
        }
    }
}

#[derive(Debug)]
enum WaiterEntry {
    Free,
    Waiting(Topic, Option<Waker>),
    Answered(Answer),
}

/// The position of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u32);

/// The content of a removed entry.
#[derive(Debug)]
#[must_use = "it is to be dropped outside of the lock"]
pub(crate) struct Removed(WaiterEntry);

/// The table.
#[derive(Debug)]
pub(crate) struct Waiters {
    first: WaiterEntry,
    /// In a box, so that the table is small while nobody waits.
    more: Seldom<ColdWaiters>,
    /// A bit for each kind of topic that somebody may wait for, so that most answers look no further.
    kinds: u16,
    /// How often the state has changed, for those who watch it.
    changes: u32,
}

/// The entries after the first.
#[derive(Debug, Default)]
struct ColdWaiters {
    entries: Vec<WaiterEntry>,
    /// How many of them are not free.
    used: usize,
    /// The places of those that are.
    free: Vec<u32>,
}

rare!(ColdWaiters);

impl Waiters {
    pub(crate) const fn new() -> Self {
        Self {
            first: WaiterEntry::Free,
            more: Seldom::new(),
            kinds: 0,
            changes: 0,
        }
    }

    pub(crate) fn changes(&self) -> u32 {
        self.changes
    }

    /// Counts a change of the state.
    pub(super) fn count_change(&mut self) {
        self.changes = self.changes.wrapping_add(1);
    }

    /// Adds an entry that nobody polls yet.
    pub(crate) fn add(&mut self, topic: Topic) -> Key {
        self.put(topic, None)
    }

    /// Adds an entry whose answer wakes `waker`.
    pub(crate) fn add_with(&mut self, topic: Topic, waker: &Waker) -> Key {
        self.put(topic, Some(waker.clone()))
    }

    #[inline]
    fn put(&mut self, topic: Topic, waker: Option<Waker>) -> Key {
        self.kinds |= topic.kind();
        let entry = WaiterEntry::Waiting(topic, waker);
        if matches!(self.first, WaiterEntry::Free) {
            self.first = entry;
            return Key(0);
        }
        Key(self.more.make().put(entry) + 1)
    }

    #[inline]
    fn entry(&mut self, key: Key) -> Option<&mut WaiterEntry> {
        match key.0 {
            0 => Some(&mut self.first),
            at => self.more.get_mut()?.entries.get_mut(at as usize - 1),
        }
    }

    /// Returns the answer, if it is there; with it the entry is gone.
    #[inline]
    pub(crate) fn take(&mut self, key: Key) -> Option<Answer> {
        if !self.is_answered(key) {
            return None;
        }
        match self.remove(key).0 {
            WaiterEntry::Answered(answer) => Some(answer),
            WaiterEntry::Free | WaiterEntry::Waiting(..) => None,
        }
    }

    /// Sets the waker of the answer; the one before it is to be dropped outside of the lock.
    #[inline]
    pub(crate) fn wake(&mut self, key: Key, waker: &Waker) -> Option<Waker> {
        match self.entry(key)? {
            WaiterEntry::Free | WaiterEntry::Answered(_) => None,
            WaiterEntry::Waiting(_, Some(old)) if old.will_wake(waker) => None,
            WaiterEntry::Waiting(_, slot) => slot.replace(waker.clone()),
        }
    }

    /// Returns whether the entry has its answer.
    #[inline]
    pub(crate) fn is_answered(&mut self, key: Key) -> bool {
        matches!(self.entry(key), Some(WaiterEntry::Answered(_)))
    }

    /// Removes an entry. What was in it is to be dropped outside of the lock: wakers and failures are
    /// user code.
    #[inline]
    pub(crate) fn remove(&mut self, key: Key) -> Removed {
        let Some(at) = key.0.checked_sub(1) else {
            return Removed(std::mem::replace(&mut self.first, WaiterEntry::Free));
        };
        let Some(more) = self.more.get_mut() else {
            return Removed(WaiterEntry::Free);
        };
        let removed = more.remove(at);
        if more.used == 0 {
            self.more.clear();
        }
        Removed(removed)
    }

    /// Answers one entry.
    pub(crate) fn answer_one(&mut self, key: Key, answer: Answer, wakes: &mut Wakes) {
        let Some(entry) = self.entry(key) else { return };
        if let WaiterEntry::Waiting(_, by) = entry {
            wakes.add(by.take());
            *entry = WaiterEntry::Answered(answer);
        }
    }

    /// Answers all entries of a topic.
    #[inline]
    pub(crate) fn answer(&mut self, topic: Topic, answer: &Answer, wakes: &mut Wakes) {
        if self.kinds & topic.kind() != 0 {
            self.answer_where(topic.kind(), |other| other == topic, answer, wakes);
        }
    }

    /// Answers all entries of these kinds that `which` picks; says how many there were.
    pub(crate) fn answer_where(
        &mut self,
        kinds: u16,
        which: impl Fn(Topic) -> bool,
        answer: &Answer,
        wakes: &mut Wakes,
    ) -> u32 {
        if self.kinds & kinds == 0 {
            return 0;
        }
        let mut count = 0;
        let mut left = 0;
        let mut look_at = |entry: &mut WaiterEntry| {
            let WaiterEntry::Waiting(topic, by) = entry else {
                return;
            };
            if which(*topic) {
                count += 1;
                wakes.add(by.take());
                *entry = WaiterEntry::Answered(answer.clone());
            } else {
                left |= topic.kind();
            }
        };
        look_at(&mut self.first);
        if let Some(more) = self.more.get_mut() {
            more.entries.iter_mut().for_each(look_at);
        }
        self.kinds = left;
        count
    }

    /// Returns whether anybody may wait for one of these kinds.
    pub(crate) fn has_any(&self, kinds: u16) -> bool {
        self.kinds & kinds != 0
    }

    /// Wakes those who wait for these kinds, without an answer.
    pub(crate) fn wake_without_answer(&mut self, kinds: u16, wakes: &mut Wakes) {
        let more = self
            .more
            .get_mut()
            .into_iter()
            .flat_map(|more| &mut more.entries);
        for entry in std::iter::once(&mut self.first).chain(more) {
            match entry {
                WaiterEntry::Waiting(topic, by) if topic.kind() & kinds != 0 => {
                    wakes.add(by.take());
                }
                _ => {}
            }
        }
    }
}

impl ColdWaiters {
    fn put(&mut self, entry: WaiterEntry) -> u32 {
        self.used += 1;
        let Some(at) = self.free.pop() else {
            let at = u32::try_from(self.entries.len());
            self.entries.push(entry);
            return at.expect("fewer than 2^32 futures wait for one runner");
        };
        self.entries[at as usize] = entry;
        at
    }

    fn remove(&mut self, at: u32) -> WaiterEntry {
        let Some(place) = self.entries.get_mut(at as usize) else {
            return WaiterEntry::Free;
        };
        let removed = std::mem::replace(place, WaiterEntry::Free);
        if !matches!(removed, WaiterEntry::Free) {
            self.free.push(at);
            self.used -= 1;
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::{Answer, Topic, Waiters, Wakes};

    #[test]
    fn entries_keep_their_answers_and_places_are_used_again() {
        let mut waiters = Waiters::new();
        let mut wakes = Wakes::default();
        let keys: Vec<_> = (0..5).map(|_| waiters.add(Topic::Cancel)).collect();
        let other = waiters.add(Topic::Drain);
        waiters.answer(Topic::Cancel, &Answer::Seen, &mut wakes);
        assert!(keys.iter().all(|key| waiters.is_answered(*key)));
        assert!(waiters.take(other).is_none());
        assert!(waiters.wake(other, Waker::noop()).is_none());
        drop(waiters.remove(keys[3]));
        assert_eq!(waiters.add(Topic::Change), keys[3]);
        assert!(!waiters.is_answered(keys[3]));
        for key in keys.into_iter().chain([other]) {
            drop(waiters.remove(key));
        }
        assert!(waiters.more.is_none());
    }
}
