//! Many services at once: how long until all of them run, how long until none does, and the heap
//! they take meanwhile.

use std::alloc::System;
use std::process;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats};

/// How far a process comes whose instructions are counted: what it has spent until then is the difference to one that
/// comes less far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Until {
    /// Before anything of the crowd is started.
    Made,
    /// All bodies are entered.
    Started,
    /// The end.
    Stopped,
}

static UNTIL: AtomicU8 = AtomicU8::new(Until::Stopped as u8);

impl Until {
    pub(crate) const ALL: [Self; 3] = [Self::Made, Self::Started, Self::Stopped];

    /// Has the process end there.
    pub(crate) fn set(self) {
        UNTIL.store(self as u8, Ordering::Relaxed);
    }

    fn reached(self) {
        if UNTIL.load(Ordering::Relaxed) == self as u8 {
            process::exit(0);
        }
    }
}

/// What came of a crowd.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    pub(crate) start: Duration,
    pub(crate) stop: Duration,
    pub(crate) heap: Heap,
}

/// Bytes and allocations; zero unless the program counts them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heap {
    pub(crate) bytes: i64,
    pub(crate) allocations: i64,
}

/// Watches a crowd come and go. What is made before it begins is not counted.
pub(crate) struct Watch {
    region: Region<'static, System>,
    began: Instant,
}

/// A crowd that is there.
pub(crate) struct Present {
    start: Duration,
    heap: Heap,
    began: Instant,
}

impl Watch {
    pub(crate) fn begin() -> Self {
        Until::Made.reached();
        Self {
            region: Region::new(&INSTRUMENTED_SYSTEM),
            began: Instant::now(),
        }
    }

    /// The heap that has been taken so far.
    pub(crate) fn heap(&self) -> Heap {
        Heap::of(&self.region.change())
    }

    /// To be called when all bodies are entered.
    pub(crate) fn started(self) -> Present {
        Until::Started.reached();
        let start = self.began.elapsed();
        let heap = self.heap();
        Present {
            start,
            heap,
            began: Instant::now(),
        }
    }
}

impl Present {
    /// To be called when all have ended.
    pub(crate) fn stopped(self) -> Crowd {
        Crowd {
            start: self.start,
            stop: self.began.elapsed(),
            heap: self.heap,
        }
    }
}

impl Heap {
    fn of(change: &Stats) -> Self {
        let net = |more: usize, less: usize| {
            i64::try_from(more).expect("it fits") - i64::try_from(less).expect("it fits")
        };
        Self {
            bytes: net(change.bytes_allocated, change.bytes_deallocated),
            allocations: net(change.allocations, change.deallocations),
        }
    }
}
