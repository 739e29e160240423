//! The promises of a runner, by hand: the least that one kind of service takes on bare tokio to keep them.
//!
//! It is there to be counted: what it takes is the floor of the promises, and not of a task with a token. So it is written to
//! be short and fast, and for what the workloads do: a start, a stop, a hook, a restart and a restart after a failure of a
//! service that is ready when it is entered. The tests below it show that the promises are kept.
//!
//! Kept, by their numbers in the contract of startstop:
//!
//! 1. *One at a time.* An attempt begins when nothing of the last one is alive.
//! 2. *Whoever sees `Stopped` sees why.* A failure is in the history before the state is stored, and the state before anybody
//!    is answered.
//! 3. *A stop is never lost.* Each request is one change under the lock, in any state and from any thread; a stop cancels the
//!    starts before it.
//! 4. *Dropping a future breaks nothing.* Its first poll makes the change; after that it only reads its answer.
//! 5. *No leaks.* `Stopped` comes when `run` and `shutdown` have been dropped. The last handle asks for a stop.
//! 6. *Panics are failures.* In `run`, in `shutdown`, and in the drop of their futures.
//! 7. *The runtime may end.* The task that is dropped with it says so, and those who wait elsewhere are answered.
//! 8. *Reads never wait.* The state and the time since when are one atomic word.
//! 9. *Time is tokio's.* Deadlines are timers of the runtime, also where its clock is paused.
//! 10. *Nothing holds a deadline up.* Where a runtime has several workers, a thread of the process looks after each stop that
//!     takes longer than 50 ms: it wakes a worker that keeps the deadline, calls `shutdown` where `run` blocks, and gives the
//!     verdict where nothing yields.
//!
//! User code, which is wakers, errors that are dropped, and the service, never runs under the lock.
//!
//! Left out is what the workloads do not use: readiness that is not immediate, the start's deadline, drain, watchdog, tasks and
//! details of a context, a context for `shutdown`, reload, events, status, names and paths, parents, `stop_within`, a history
//! whose snapshot costs the same at any size, services of different types behind one type, the check for a runtime without
//! timers, permanent errors and predicates of a policy, and groups.

mod failure;
mod waiters;
mod clock;
mod synced;
mod changes;
mod ends;
mod after;
mod parts;
mod driver;
mod watcher;
mod handle;
#[cfg(test)]
mod tests;

use std::error::Error;
use std::future::{self, Future};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

pub(crate) use handle::Runner;
use synced::{State, Synced};

/// The one kind of service: ready when it is entered.
pub(crate) trait Service: Send + Sync + 'static {
    type Error: Error + Send + Sync + 'static;

    /// Whether there is a `shutdown` to be called.
    const HAS_SHUTDOWN: bool = false;

    fn run(&self, cx: Context<Self>) -> impl Future<Output = Result<(), Self::Error>> + Send
    where
        Self: Sized;

    fn shutdown(&self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        future::ready(Ok(()))
    }
}

/// What varies from one service to another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) stop_timeout: Duration,
    pub(crate) abort_timeout: Duration,
    /// How often it is restarted in a cycle after a failure.
    pub(crate) restarts: u32,
    /// How long it waits before that.
    pub(crate) backoff: Duration,
    /// How many failures are kept.
    pub(crate) history: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            stop_timeout: Duration::from_secs(5),
            abort_timeout: Duration::from_secs(2),
            restarts: 0,
            backoff: Duration::ZERO,
            history: 64,
        }
    }
}

/// What the handles and the task of a service share.
struct Shared<S> {
    service: S,
    settings: Settings,
    /// The state, and when it was entered; written under the lock.
    word: AtomicU64,
    /// The last attempt that was told to stop, or has ended; written under the lock.
    cancelled: AtomicU64,
    handles: AtomicUsize,
    synced: Mutex<Synced>,
}

impl<S> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, Synced> {
        self.synced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_cancelled(&self, epoch: u64) -> bool {
        self.cancelled.load(Ordering::Acquire) >= epoch
    }

    /// Stores the state for those who read it.
    fn store(&self, synced: &mut Synced, state: State, now: u64) {
        synced.state = state;
        synced.since = now;
        self.word
            .store(now << State::BITS | state as u64, Ordering::Release);
    }

    fn load(&self) -> (State, u64) {
        let word = self.word.load(Ordering::Acquire);
        (State::of(word), word >> State::BITS)
    }
}

/// What `run` is given.
pub(crate) struct Context<S> {
    shared: Arc<Shared<S>>,
    epoch: u64,
    attempt: u64,
}

impl<S> Context<S> {
    /// Which attempt of its cycle it is, from 1.
    pub(crate) fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Waits for a stop.
    pub(crate) async fn cancelled(&self) {
        future::poll_fn(|cx| {
            if self.shared.is_cancelled(self.epoch) {
                return Poll::Ready(());
            }
            let mut synced = self.shared.lock();
            if self.shared.is_cancelled(self.epoch) {
                return Poll::Ready(());
            }
            synced.wake_at_stop(cx.waker());
            Poll::Pending
        })
        .await;
    }
}
