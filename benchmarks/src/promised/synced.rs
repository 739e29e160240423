//! The fields under the lock.

use std::task::Waker;

use tokio::runtime::Handle;

use super::failure::{Exit, Failure, History};
use super::waiters::Waiters;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Stopped,
    Starting,
    Running,
    Backoff,
    Stopping,
}

impl State {
    pub(super) const BITS: u32 = 3;

    pub(super) fn of(word: u64) -> Self {
        match word & ((1 << Self::BITS) - 1) {
            0 => Self::Stopped,
            1 => Self::Starting,
            2 => Self::Running,
            3 => Self::Backoff,
            _ => Self::Stopping,
        }
    }
}

/// The call of `shutdown` in a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hook {
    /// There is none, or it has ended.
    Over,
    /// Whoever sees it calls it.
    Due,
    /// The driver polls it.
    Inline,
    /// It has a task.
    InTask,
}

/// How late a stop is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Late {
    #[default]
    No,
    /// It was dropped at its deadline.
    TimedOut,
    /// It does not yield, and nobody waits for it any more.
    GivenUp,
}

pub(super) struct Synced {
    pub(super) state: State,
    /// When that was entered.
    pub(super) since: u64,
    pub(super) cycle: u64,
    pub(super) attempt: u64,
    /// The attempts of all cycles.
    pub(super) epoch: u64,
    /// When `run` was entered.
    pub(super) began: u64,
    /// The time in `Running` before that.
    pub(super) ran: u64,
    pub(super) failures: u64,
    pub(super) restarts: u32,
    pub(super) stop_at: u64,
    pub(super) retry_at: u64,
    /// Whether there is a driver, and what wakes it while it waits.
    pub(super) driven: bool,
    pub(super) driver: Option<Waker>,
    pub(super) on: Option<Handle>,
    /// Where the cycle runs that follows, if that is elsewhere.
    pub(super) next_on: Option<Handle>,
    /// Whether a cycle follows.
    pub(super) pending: bool,
    pub(super) hook: Hook,
    /// Whether the thread looks at it soon.
    pub(super) watched: bool,
    pub(super) late: Late,
    /// How the cycle is going to end.
    pub(super) ending: Exit,
    /// How the last one has.
    pub(super) exit: Exit,
    /// The last failure since the stop began.
    pub(super) failed: Option<Failure>,
    /// Other tasks that wait for the stop.
    pub(super) cancels: Vec<Waker>,
    pub(super) waiters: Waiters,
    pub(super) history: History,
}

impl Synced {
    pub(super) fn new() -> Self {
        Self {
            state: State::Stopped,
            since: 0,
            cycle: 0,
            attempt: 0,
            epoch: 0,
            began: 0,
            ran: 0,
            failures: 0,
            restarts: 0,
            stop_at: 0,
            retry_at: 0,
            driven: false,
            driver: None,
            on: None,
            next_on: None,
            pending: false,
            hook: Hook::Over,
            watched: false,
            late: Late::No,
            ending: Exit::Stopped,
            exit: Exit::Stopped,
            failed: None,
            cancels: Vec::new(),
            waiters: Waiters::new(),
            history: History::default(),
        }
    }

    pub(super) fn begin_cycle(&mut self) {
        self.cycle += 1;
        self.attempt = 0;
        self.restarts = 0;
    }

    /// Keeps what wakes the driver; what it replaces is to be dropped after the lock.
    pub(super) fn wake_driver_by(&mut self, waker: &Waker) -> Option<Waker> {
        match &mut self.driver {
            Some(driver) if driver.will_wake(waker) => None,
            driver => driver.replace(waker.clone()),
        }
    }

    /// Wakes at the stop who waits for it in the service: mostly the driver is woken anyway.
    pub(super) fn wake_at_stop(&mut self, waker: &Waker) {
        let is_known = |known: &Waker| known.will_wake(waker);
        if !self.driver.as_ref().is_some_and(is_known) && !self.cancels.iter().any(is_known) {
            self.cancels.push(waker.clone());
        }
    }
}
