//! The resources of a process: memory, tasks, threads, descriptors.

use std::fmt;
use std::fs;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

use super::ALLOCATOR;
use super::load::Until;

/// By how much memory may grow after the rounds that warm up.
const TOLERANCE: f64 = 1.05;

/// A stop that was given up on because it took longer than this would have left something.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Meter {
    handle: Handle,
    idle: Left,
}

/// The resources at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    pub(crate) heap: usize,
    pub(crate) resident: usize,
    tasks: usize,
    threads: usize,
    descriptors: usize,
}

impl Meter {
    /// Before anything has begun.
    pub(crate) fn new(handle: &Handle) -> Self {
        let handle = handle.clone();
        let idle = Left::now(&handle);
        Self { handle, idle }
    }

    pub(crate) fn left(&self) -> Left {
        Left::now(&self.handle)
    }

    pub(crate) fn descriptors(&self) -> usize {
        self.left().descriptors
    }

    /// Members that were told to stop beside the group need a moment to be gone, with their tasks and threads.
    pub(crate) async fn wait_until_quiet(&self) {
        let begun = Instant::now();
        while self.is_busy() && begun.elapsed() < PATIENCE {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// The growth since before anything had begun, or, of memory, since the warm-up.
    pub(crate) fn more(&self, left: &Left, warm: &Left, until: Until) -> Vec<&'static str> {
        let idle = &self.idle;
        let settles = matches!(until, Until::Time(_));
        let more = [
            ("tasks", left.tasks > idle.tasks),
            ("threads", left.threads > idle.threads),
            ("descriptors", left.descriptors > idle.descriptors),
            ("bytes on the heap", is_more(left.heap, warm.heap)),
            (
                "bytes in memory",
                settles && is_more(left.resident, warm.resident),
            ),
        ];
        more.into_iter()
            .filter(|(_, more)| *more)
            .map(|(name, _)| name)
            .collect()
    }

    fn is_busy(&self) -> bool {
        let left = self.left();
        let idle = &self.idle;
        (left.tasks, left.threads, left.descriptors) != (idle.tasks, idle.threads, idle.descriptors)
    }
}

impl Left {
    fn now(handle: &Handle) -> Self {
        let stats = ALLOCATOR.stats();
        Self {
            heap: stats
                .bytes_allocated
                .saturating_sub(stats.bytes_deallocated),
            resident: status("VmRSS:") * 1024,
            tasks: handle.metrics().num_alive_tasks(),
            threads: status("Threads:"),
            descriptors: fs::read_dir("/proc/self/fd").map_or(0, Iterator::count),
        }
    }
}

#[allow(clippy::cast_precision_loss)] // A process has less than 2^52 bytes.
fn is_more(now: usize, then: usize) -> bool {
    now as f64 > then as f64 * TOLERANCE
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            heap,
            resident,
            tasks,
            threads,
            descriptors,
        } = self;
        let (heap, resident) = (heap / 1024, resident / 1024);
        write!(f, "{heap} KiB on the heap, {resident} KiB in memory, ")?;
        write!(
            f,
            "{tasks} tasks, {threads} threads, {descriptors} descriptors"
        )
    }
}

/// A number of the kernel's page on this process; 0 where there is no such page.
fn status(name: &str) -> usize {
    let page = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = page
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_default();
    line.split_whitespace()
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
