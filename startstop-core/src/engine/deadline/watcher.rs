//! One thread that looks at each entry when it is due, and is there only while there are some.
//!
//! Entries are added, taken back and noted by many threads. What holds in every order of them, and what
//! `models` walks through: an entry is looked at when it is due, or was taken back; there is one thread at a time, and one
//! as long as there is an entry; and with the last entry nothing is left of any.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::queue::DeadlineQueue;
use crate::sync::{Condvar, Mutex, MutexGuard};

/// An entry that a watcher looks at. No lock of the watcher is held meanwhile.
pub(crate) trait Watch: Sized {
    /// An entry that is looked at once, together with others.
    type Noted;

    /// Looks at what is due: when to look again.
    fn look(&mut self) -> Option<Instant>;

    fn look_once(noted: &Self::Noted);
}

/// The entries, and the thread that looks at them.
pub(crate) struct Watcher<T: Watch> {
    state: Mutex<WatcherState<T>>,
    bell: Condvar,
    /// How long the thread waits for another entry before it ends.
    linger: Duration,
}

struct WatcherState<T: Watch> {
    queue: DeadlineQueue<T>,
    /// Those that are looked at once, all at that time.
    noted: Vec<T::Noted>,
    noted_at: Option<Instant>,
    /// Until when the thread sleeps, if it does, and whether it is there.
    sleeps_until: Option<Instant>,
    is_there: bool,
}

impl<T: Watch> Watcher<T> {
    pub(crate) fn new(linger: Duration) -> Self {
        let state = WatcherState {
            queue: DeadlineQueue::new(),
            noted: Vec::new(),
            noted_at: None,
            sleeps_until: None,
            is_there: false,
        };
        Self {
            state: Mutex::new(state),
            bell: Condvar::new(),
            linger,
        }
    }

    fn state(&self) -> MutexGuard<'_, WatcherState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry. `spawn` begins a thread that [watches](Self::watch), where there is none, and says whether it could.
    pub(crate) fn add(&self, at: Instant, entry: T, spawn: impl FnOnce() -> bool) -> u64 {
        let mut state = self.state();
        let number = state.queue.add(at, entry);
        self.see_that_it_wakes(&mut state, at, spawn);
        number
    }

    /// Takes an entry back.
    pub(crate) fn take_back(&self, number: u64) {
        let mut state = self.state();
        let old = state.queue.remove(number);
        if state.is_idle() {
            // It may sleep until the entry that has gone.
            self.see_that_it_wakes_by(&state, Instant::now() + self.linger);
        }
        drop(state);
        // With the lock released.
        drop(old);
    }

    /// Notes what is to be looked at once, within this time; returns whether there is a thread.
    pub(crate) fn note(
        &self,
        noted: T::Noted,
        within: Duration,
        spawn: impl FnOnce() -> bool,
    ) -> bool {
        let mut state = self.state();
        state.noted.push(noted);
        if state.noted_at.is_none() || !state.is_there {
            let at = Instant::now() + within;
            state.noted_at = Some(at);
            self.see_that_it_wakes(&mut state, at, spawn);
        }
        state.is_there
    }

    /// Wakes the thread at that time, if it is there.
    fn see_that_it_wakes_by(&self, state: &WatcherState<T>, at: Instant) {
        if state.sleeps_until.is_some_and(|until| at < until) {
            self.bell.notify_one();
        }
    }

    /// Wakes the thread at that time, and spawns it if it is not there.
    fn see_that_it_wakes(
        &self,
        state: &mut WatcherState<T>,
        at: Instant,
        spawn: impl FnOnce() -> bool,
    ) {
        if state.is_there {
            self.see_that_it_wakes_by(state, at);
            return;
        }
        // Where the system gives no thread, deadlines are kept by their tasks, and the next entry tries again.
        state.is_there = spawn();
    }

    /// The life of the thread: looks at what is due, and sleeps until more is.
    pub(crate) fn watch(&self) {
        let mut state = self.state();
        let mut idle_since = None;
        loop {
            let now = Instant::now();
            let noted = state.take_noted(now);
            let lent = state.queue.lend(now);
            if !noted.is_empty() || lent.is_some() {
                drop(state);
                noted.iter().for_each(T::look_once);
                drop(noted);
                if let Some((number, entry)) = lent {
                    self.look_and_give_back(number, entry);
                }
                state = self.state();
                continue;
            }
            if !state.is_idle() {
                idle_since = None;
            }
            let ends_at = *idle_since.get_or_insert(now) + self.linger;
            if state.is_idle() && ends_at <= now {
                state.is_there = false;
                return;
            }
            let until = state.next().unwrap_or(ends_at);
            state.sleeps_until = Some(until);
            let pause = until.saturating_duration_since(now);
            let waited = self.bell.wait_timeout(state, pause);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.sleeps_until = None;
        }
    }

    fn look_and_give_back(&self, number: u64, mut entry: T) {
        let again = entry.look();
        let mut state = self.state();
        let old = match again {
            Some(at) => state.queue.give_back(number, at, entry),
            None => {
                state.queue.finish(number);
                Some(entry)
            }
        };
        drop(state);
        // With the lock released.
        drop(old);
    }

    /// Returns whether nothing of any entry is left, and the thread has ended.
    #[cfg(all(test, startstop_loom))]
    pub(crate) fn is_at_rest(&self) -> bool {
        let state = self.state();
        state.is_idle() && !state.is_there && state.queue.first().is_none()
    }
}

impl<T: Watch> WatcherState<T> {
    fn next(&self) -> Option<Instant> {
        self.queue.first().into_iter().chain(self.noted_at).min()
    }

    /// Returns whether nothing is there to be looked at, now or later.
    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.noted.is_empty()
    }

    fn take_noted(&mut self, now: Instant) -> Vec<T::Noted> {
        if self.noted_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.noted_at = None;
        std::mem::take(&mut self.noted)
    }
}
