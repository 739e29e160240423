//! The events of one stream that are not read yet.
//!
//! 1. Its lock comes after that of any engine, and no user code runs under it: what is evicted, and whom an event wakes, is
//!    handed back.
//! 2. Once it is closed by its reader it takes nothing more, and is empty; once it is closed by its runner it takes nothing more,
//!    and what is in it is still read.

use std::collections::VecDeque;
use std::sync::PoisonError;
use std::task::Waker;
use std::time::SystemTime;

use super::{Event, EventKind};
use crate::report::path::Path;
use crate::sync::{Mutex, MutexGuard};

pub(crate) struct EventQueue {
    content: Mutex<QueueContent>,
}

struct QueueContent {
    events: VecDeque<Event>,
    capacity: usize,
    /// How many were evicted since the reader was told.
    missed: u64,
    /// The path of what the stream is of.
    path: Path,
    state: StreamLife,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StreamLife {
    Open,
    /// The runner is gone.
    Ended,
    /// The reader is gone.
    Unread,
}

/// The event that another has pushed out; to be dropped outside of all locks, since its drop is user code.
pub(crate) type Evicted = Option<Event>;

/// The outcome of a push.
pub(crate) enum Pushed {
    /// It is there: what it has pushed out, and whom it wakes.
    Taken(Evicted, Option<Waker>),
    /// The event was handed back, since the stream is closed.
    Refused(Event),
}

impl EventQueue {
    pub(super) fn new(capacity: usize, path: Path) -> Self {
        let content = QueueContent {
            events: VecDeque::new(),
            capacity: capacity.max(1),
            missed: 0,
            path,
            state: StreamLife::Open,
            waker: None,
        };
        Self {
            content: Mutex::new(content),
        }
    }

    fn content(&self) -> MutexGuard<'_, QueueContent> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether anybody may still read what is pushed.
    pub(crate) fn is_open(&self) -> bool {
        self.content().state == StreamLife::Open
    }

    #[inline]
    pub(crate) fn push(&self, event: Event) -> Pushed {
        let mut content = self.content();
        if content.state != StreamLife::Open {
            return Pushed::Refused(event);
        }
        let is_full = content.events.len() >= content.capacity;
        let evicted = if is_full { content.evict() } else { None };
        content.events.push_back(event);
        Pushed::Taken(evicted, content.waker.take())
    }

    /// Names anew what the stream is of.
    pub(crate) fn rename(&self, path: Path) {
        self.content().path = path;
    }

    /// Nothing more comes: whom that wakes.
    pub(crate) fn end(&self) -> Option<Waker> {
        let mut content = self.content();
        if content.state == StreamLife::Open {
            content.state = StreamLife::Ended;
        }
        content.waker.take()
    }

    /// Returns the next event, or whether one may come, for which `waker` is kept.
    #[inline]
    pub(super) fn take(&self, waker: Option<&Waker>) -> Result<Event, MayCome> {
        let mut content = self.content();
        if content.missed > 0 {
            return Ok(content.tell_missed());
        }
        if let Some(event) = content.events.pop_front() {
            return Ok(event);
        }
        if content.state != StreamLife::Open {
            return Err(MayCome::No);
        }
        let old = waker.and_then(|waker| content.wake(waker));
        drop(content);
        drop(old);
        Err(MayCome::Yes)
    }

    /// Closes the stream for good, since its reader is gone.
    pub(super) fn close(&self) {
        let mut content = self.content();
        content.state = StreamLife::Unread;
        let rest = (std::mem::take(&mut content.events), content.waker.take());
        drop(content);
        drop(rest);
    }
}

/// The answer for an empty queue: another event may come, or none will.
pub(super) enum MayCome {
    Yes,
    No,
}

impl QueueContent {
    #[cold]
    fn evict(&mut self) -> Evicted {
        self.missed += 1;
        self.events.pop_front()
    }

    #[cold]
    fn tell_missed(&mut self) -> Event {
        let missed = std::mem::take(&mut self.missed);
        Event {
            path: self.path.clone(),
            cycle: 0,
            attempt: 0,
            at: SystemTime::now(),
            kind: EventKind::Missed(missed),
        }
    }

    /// Keeps a waker; the one before it is handed back.
    fn wake(&mut self, waker: &Waker) -> Option<Waker> {
        match &self.waker {
            Some(old) if old.will_wake(waker) => None,
            _ => self.waker.replace(waker.clone()),
        }
    }
}
