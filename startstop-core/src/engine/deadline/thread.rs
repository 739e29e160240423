//! The thread of the process that looks whether deadlines are kept.
//!
//! It is there from the first entry to [`LINGER`] after the last one.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::Builder;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::LOOK;
use super::look::{Watched, look_at, look_at_pending};
use super::queue::DeadlineQueue;
use crate::engine::Node;
use crate::report::panic::fenced;

/// How long the thread waits for another entry before it ends.
const LINGER: Duration = Duration::from_secs(2);

struct ThreadState {
    queue: DeadlineQueue<Watched>,
    /// Those with something pending, which are looked at all at once.
    noted: Vec<Weak<dyn Node>>,
    noted_at: Option<Instant>,
    /// Until when the thread sleeps, if it does, and whether it is there.
    sleeps_until: Option<Instant>,
    is_there: bool,
}

static SHARED: Mutex<ThreadState> = Mutex::new(ThreadState {
    queue: DeadlineQueue::new(),
    noted: Vec::new(),
    noted_at: None,
    sleeps_until: None,
    is_there: false,
});
static BELL: Condvar = Condvar::new();

fn shared() -> MutexGuard<'static, ThreadState> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An entry of a deadline. Its drop takes it back.
pub(super) struct QueueEntry(u64);

/// An entry of a timer. Its drop takes it back.
pub(super) struct Nudge(u64);

impl QueueEntry {
    pub(super) fn new(node: Weak<dyn Node>, id: u32, due: u64) -> Option<Self> {
        add(
            due,
            Watched::Deadline {
                node,
                id,
                was_nudged: false,
            },
        )
        .map(Self)
    }
}

impl Nudge {
    pub(super) fn new(on: Handle, due: u64) -> Option<Self> {
        add(due, Watched::Timer { on, due, nudges: 0 }).map(Self)
    }
}

impl Drop for QueueEntry {
    fn drop(&mut self) {
        take_back(self.0);
    }
}

impl Drop for Nudge {
    fn drop(&mut self) {
        take_back(self.0);
    }
}

/// Adds an entry, unless it is due later than any clock of the machine can say.
fn add(due: u64, watched: Watched) -> Option<u64> {
    let at = look_at(due)?;
    let mut shared = shared();
    let number = shared.queue.add(at, watched);
    shared.see_that_it_wakes(at);
    Some(number)
}

fn take_back(number: u64) {
    let mut shared = shared();
    let old = shared.queue.remove(number);
    if shared.is_idle() {
        // It may sleep until the entry that has gone.
        shared.see_that_it_wakes_by(Instant::now() + LINGER);
    }
    drop(shared);
    // With the lock released.
    drop(old);
}

/// Asks the thread to look at what is pending; returns whether there is a thread.
#[must_use]
pub(crate) fn look_soon(node: &Weak<dyn Node>) -> bool {
    let mut shared = shared();
    shared.noted.push(Weak::clone(node));
    if shared.noted_at.is_none() || !shared.is_there {
        let at = Instant::now() + LOOK;
        shared.noted_at = Some(at);
        shared.see_that_it_wakes(at);
    }
    shared.is_there
}

impl ThreadState {
    /// Wakes the thread at that time, if it is there.
    fn see_that_it_wakes_by(&self, at: Instant) {
        if self.sleeps_until.is_some_and(|until| at < until) {
            BELL.notify_one();
        }
    }

    /// Wakes the thread at that time, and spawns it if it is not there.
    fn see_that_it_wakes(&mut self, at: Instant) {
        if self.is_there {
            self.see_that_it_wakes_by(at);
            return;
        }
        // Where the system gives no thread, deadlines are kept by their tasks, and the next entry tries again.
        let spawned = Builder::new().name("deadlines".to_owned()).spawn(watch);
        self.is_there = spawned.is_ok();
    }

    fn next(&self) -> Option<Instant> {
        self.queue.first().into_iter().chain(self.noted_at).min()
    }

    /// Whether nothing is there to be looked at, now or later.
    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.noted.is_empty()
    }

    fn take_noted(&mut self, now: Instant) -> Vec<Weak<dyn Node>> {
        if self.noted_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.noted_at = None;
        std::mem::take(&mut self.noted)
    }
}

/// Looks at what is due, and sleeps until more is.
fn watch() {
    let mut shared = shared();
    let mut idle_since = None;
    loop {
        let now = Instant::now();
        let noted = shared.take_noted(now);
        let lent = shared.queue.lend(now);
        if !noted.is_empty() || lent.is_some() {
            drop(shared);
            for node in &noted {
                drop(fenced(|| look_at_pending(node)));
            }
            drop(noted);
            shared = match lent {
                Some((number, watched)) => look_and_give_back(number, watched),
                None => self::shared(),
            };
            continue;
        }
        if !shared.is_idle() {
            idle_since = None;
        }
        let ends_at = *idle_since.get_or_insert(now) + LINGER;
        if shared.is_idle() && ends_at <= now {
            shared.is_there = false;
            return;
        }
        let until = shared.next().unwrap_or(ends_at);
        shared.sleeps_until = Some(until);
        let waited = BELL.wait_timeout(shared, until.saturating_duration_since(now));
        shared = waited.unwrap_or_else(PoisonError::into_inner).0;
        shared.sleeps_until = None;
    }
}

fn look_and_give_back(number: u64, mut watched: Watched) -> MutexGuard<'static, ThreadState> {
    // Nothing in it panics; if it does all the same, the others still have their thread.
    let again = fenced(|| watched.look()).ok().flatten();
    let mut shared = shared();
    match again {
        Some(at) => {
            let old = shared.queue.give_back(number, at, watched);
            if old.is_some() {
                drop(shared);
                drop(old);
                return self::shared();
            }
        }
        None => {
            shared.queue.finish(number);
            drop(shared);
            drop(watched);
            shared = self::shared();
        }
    }
    shared
}
