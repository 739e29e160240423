//! The thread of the process that looks after the stops that take longer: there only while there are some, and at most two
//! seconds longer.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::after::After;
use super::synced::{Hook, Late, State};
use super::{Service, Shared, clock, driver};

/// A stop that is over by then costs nothing more.
const LOOK: Duration = Duration::from_millis(50);

/// How long a runtime has to keep a deadline by itself.
const SLACK: Duration = Duration::from_millis(15);

const IDLE: Duration = Duration::from_secs(2);

/// What the thread looks at.
pub(super) trait Watched: Send + Sync {
    /// Does what is due, and returns how long until the next look, if there is to be one.
    fn look(self: Arc<Self>) -> Option<Duration>;
}

type Entry = Weak<dyn Watched>;

struct Queue {
    soon: Vec<Entry>,
    has_thread: bool,
    is_idle: bool,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue {
    soon: Vec::new(),
    has_thread: false,
    is_idle: false,
});

static PUSHED: Condvar = Condvar::new();

fn queue() -> MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the thread look at it within 50 ms.
pub(super) fn look_soon(entry: Entry) {
    let mut queue = queue();
    queue.soon.push(entry);
    if mem::take(&mut queue.is_idle) {
        PUSHED.notify_one();
    }
    if !mem::replace(&mut queue.has_thread, true) {
        drop(queue);
        thread::spawn(watch);
    }
}

fn watch() {
    let mut later: Vec<(Instant, Entry)> = Vec::new();
    loop {
        if later.is_empty() && !wait_for_some() {
            return;
        }
        thread::sleep(LOOK.min(SLACK.max(next_of(&later))));
        let now = Instant::now();
        let soon = mem::take(&mut queue().soon);
        let due = later.extract_if(.., |(at, _)| *at <= now);
        let due: Vec<Entry> = due.map(|(_, entry)| entry).chain(soon).collect();
        for entry in due {
            let delay = entry.upgrade().and_then(Watched::look);
            later.extend(delay.map(|delay| (now + delay, entry)));
        }
    }
}

fn next_of(later: &[(Instant, Entry)]) -> Duration {
    let next = later.iter().map(|(at, _)| *at).min();
    next.map_or(LOOK, |at| at.saturating_duration_since(Instant::now()))
}

/// Waits until there is something to be looked at; if there is nothing for long, the thread ends.
fn wait_for_some() -> bool {
    let mut queue = queue();
    queue.is_idle = queue.soon.is_empty();
    let waits = |queue: &mut Queue| queue.soon.is_empty();
    let waited = PUSHED.wait_timeout_while(queue, IDLE, waits);
    queue = waited.unwrap_or_else(PoisonError::into_inner).0;
    queue.is_idle = false;
    queue.has_thread = !queue.soon.is_empty();
    queue.has_thread
}

impl<S: Service> Watched for Shared<S> {
    fn look(self: Arc<Self>) -> Option<Duration> {
        let delay = self.look_at_stop();
        // If that was the last reference, the destructors of the service must not hold up the thread.
        if let Some(last) = Arc::into_inner(self) {
            thread::spawn(move || drop(last));
        }
        delay
    }
}

impl<S: Service> Shared<S> {
    fn look_at_stop(self: &Arc<Self>) -> Option<Duration> {
        let mut after = After::default();
        let mut synced = self.lock();
        let on = match (synced.state, &synced.on) {
            (State::Stopping, Some(on)) if synced.late != Late::GivenUp => on.clone(),
            _ => {
                synced.watched = false;
                return None;
            }
        };
        // By the clock of the runtime, which may be paused.
        let inside = on.enter();
        let now = clock::now();
        let (stop_at, calls) = (synced.stop_at, synced.hook == Hook::Due);
        let give_up_at = clock::later(stop_at, self.settings.abort_timeout);
        if now >= give_up_at {
            synced.watched = false;
            self.give_up(&mut synced, &mut after, now);
        }
        if calls {
            synced.hook = Hook::InTask;
        }
        drop(synced);
        drop(inside);
        after.run(self);
        if calls {
            driver::spawn_hook(self, &on, stop_at);
        }
        if now >= stop_at {
            // Wakes a worker, which sees to the timers that a blocked one had taken on.
            on.spawn(async {});
        }
        let next = if now >= stop_at {
            give_up_at
        } else {
            clock::later(stop_at, SLACK)
        };
        (now < give_up_at).then(|| Duration::from_nanos(next - now).max(SLACK))
    }
}
