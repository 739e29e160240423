//! The thread that looks at deadlines, against those who add entries, take them back and note what is pending: each is looked
//! at or taken back, by one thread at a time, and when none is left nothing is.
//!
//! Time stands still: an entry is due from the beginning or never, and the thread does not linger.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use loom::sync::Notify;
use loom::thread::{self, JoinHandle};

use super::model;
use crate::engine::deadline::watcher::{Watch, Watcher};
use crate::sync::{AtomicBool, AtomicU32, Mutex};

/// The state that the entries of one model share.
struct Seen {
    /// The thread looks at one of them.
    looks: AtomicBool,
    /// How often they were looked at, and how many were dropped.
    times: AtomicU32,
    dropped: AtomicU32,
    rings: Notify,
}

struct Entry(Arc<Seen>);

impl Watch for Entry {
    type Noted = Entry;

    fn look(&mut self) -> Option<Instant> {
        let others = self.0.looks.swap(true, Ordering::SeqCst);
        assert!(!others, "two threads look");
        self.0.times.fetch_add(1, Ordering::SeqCst);
        self.0.looks.store(false, Ordering::SeqCst);
        self.0.rings.notify();
        None
    }

    fn look_once(noted: &Self) {
        Entry(Arc::clone(&noted.0)).look();
        // That one was made for the look alone.
        noted.0.dropped.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// A watcher, its threads, and what has become of its entries.
#[derive(Clone)]
struct Modelled {
    watcher: Arc<Watcher<Entry>>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
    seen: Arc<Seen>,
    begin: Instant,
}

impl Modelled {
    fn new() -> Self {
        let seen = Seen {
            looks: AtomicBool::new(false),
            times: AtomicU32::new(0),
            dropped: AtomicU32::new(0),
            rings: Notify::new(),
        };
        Self {
            watcher: Arc::new(Watcher::new(Duration::ZERO)),
            threads: Arc::new(Mutex::new(Vec::new())),
            seen: Arc::new(seen),
            begin: Instant::now(),
        }
    }

    fn spawn(&self) -> bool {
        let watcher = Arc::clone(&self.watcher);
        let thread = thread::spawn(move || watcher.watch());
        self.threads.lock().unwrap().push(thread);
        true
    }

    fn add_due(&self) -> u64 {
        let entry = Entry(Arc::clone(&self.seen));
        self.watcher.add(self.begin, entry, || self.spawn())
    }

    fn add_not_due(&self) -> u64 {
        let entry = Entry(Arc::clone(&self.seen));
        let at = self.begin + Duration::from_secs(3_600);
        self.watcher.add(at, entry, || self.spawn())
    }

    fn note(&self) {
        let entry = Entry(Arc::clone(&self.seen));
        let is_there = self.watcher.note(entry, Duration::ZERO, || self.spawn());
        assert!(is_there);
    }

    /// Waits for the threads: how often they have looked at the `all` entries, of which nothing is left.
    fn times(&self, all: u32) -> u32 {
        loop {
            let Some(thread) = self.threads.lock().unwrap().pop() else {
                break;
            };
            thread.join().unwrap();
        }
        assert!(self.watcher.is_at_rest());
        assert_eq!(self.seen.dropped.load(Ordering::SeqCst), all);
        self.seen.times.load(Ordering::SeqCst)
    }
}

#[test]
fn an_entry_that_is_taken_back_meanwhile_is_gone_with_its_look() {
    model(None, || {
        let modelled = Modelled::new();
        let number = modelled.add_due();
        modelled.watcher.take_back(number);
        assert!(modelled.times(1) <= 1);
    });
}

#[test]
fn entries_that_come_as_the_thread_ends_have_a_thread() {
    model(Some(3), || {
        let modelled = Modelled::new();
        let other = modelled.clone();
        let adds = thread::spawn(move || other.add_due());
        modelled.add_due();
        adds.join().unwrap();
        assert_eq!(modelled.times(2), 2);
    });
}

#[test]
fn an_entry_wakes_the_thread_that_sleeps_for_a_later_one() {
    model(Some(3), || {
        let modelled = Modelled::new();
        let later = modelled.add_not_due();
        modelled.add_due();
        modelled.seen.rings.wait();
        modelled.watcher.take_back(later);
        assert_eq!(modelled.times(2), 1);
    });
}

#[test]
fn what_is_noted_is_looked_at_beside_an_entry_that_comes_and_goes() {
    model(Some(3), || {
        let modelled = Modelled::new();
        let other = modelled.clone();
        let comes_and_goes = thread::spawn(move || {
            let number = other.add_not_due();
            other.watcher.take_back(number);
        });
        modelled.note();
        comes_and_goes.join().unwrap();
        assert_eq!(modelled.times(2), 1);
    });
}
