//! A runner in plain code, written from the contract and not from the crate.
//!
//! It is a simulation in whole milliseconds. A request changes it at once. What follows by itself, in
//! the same instant or later, happens in [`Reference::advance`], one event after the other. Where two
//! events would fall on one instant and their order is open, it says so in [`Reference::tied`], and
//! the program ends there.
//!
//! What the contract leaves open is marked by `Open:`; there the reference does as the crate does.

use startstop_core::{Cause, Exit, Phase, Readiness, State};

use super::plan::Plan;
use super::script::Script;

mod attempt;
mod events;
mod reloads;
mod requests;
mod retries;

use attempt::{Asked, Attempt, Ready};
use reloads::Round;
use retries::Retries;

/// Makes the script of the `run` with this number.
pub(super) type Scripts = Box<dyn Fn(u64) -> Script>;

/// A failure, as far as it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failed {
    pub(super) phase: Phase,
    pub(super) cause: Cause,
    pub(super) cycle: u64,
    pub(super) attempt: u64,
    pub(super) uptime: u64,
}

/// The outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Ok,
    Failed(Failed),
    TimedOut,
    Stopped,
    Cancelled,
    Unresponsive,
    NoRuntime,
    NotSupported,
    Exit(Exit),
    Seen,
}

/// The view of a runner from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct View {
    pub(super) state: State,
    pub(super) ready: bool,
    pub(super) cycles: u64,
    pub(super) attempts: u64,
    pub(super) restarts: u64,
    pub(super) failures: u64,
    pub(super) exit: Exit,
    pub(super) uptime: u64,
    /// Unknown once a runtime has ended: each has a clock of its own.
    pub(super) total_uptime: Option<u64>,
    pub(super) next_attempt: Option<u64>,
    /// The last failures of all cycles, oldest first, as many as the history holds.
    pub(super) history: Vec<Failed>,
    /// In the current cycle.
    pub(super) last: Option<Failed>,
    /// How many futures of the service are alive, and how often each function was called.
    pub(super) live: u64,
    pub(super) shutdowns: u64,
}

pub(super) struct Reference {
    plan: Plan,
    scripts: Scripts,
    pub(super) now: u64,
    /// Two events fell on one instant: from here on anything may happen.
    pub(super) tied: bool,
    pub(super) state: State,
    exit: Exit,
    cycle: u64,
    /// In the current cycle.
    attempts: u64,
    attempts_before: u64,
    restarts: u64,
    shutdowns: u64,
    history: Vec<Failed>,
    failures: u64,
    last: Option<Failed>,
    attempt: Attempt,
    retries: Retries,
    /// In `Backoff`: when the next attempt begins.
    due: u64,
    running_since: u64,
    /// How long the attempt has been in `Running`, once it is not any more.
    healthy: u64,
    ran: Option<u64>,
    /// It is a job, and that is done.
    done: bool,
    calls: Calls,
    /// The reload requests that are not answered.
    reloads: Vec<Round>,
    /// The parent in force, and those that were cancelled.
    parent: Option<usize>,
    cancelled: Vec<usize>,
    /// The last handle was dropped.
    left: bool,
    /// The outcomes of calls, in order.
    pub(super) answers: Vec<(usize, Answer)>,
}

/// The calls that wait, by number.
#[derive(Default)]
struct Calls {
    /// A start was asked for and is not answered yet; whether or not its call still waits.
    awaited: bool,
    starts: Vec<usize>,
    stops: Vec<usize>,
    ends: Vec<usize>,
    states: Vec<(usize, State)>,
}

impl Reference {
    pub(super) fn new(plan: Plan, scripts: Scripts) -> Self {
        Self {
            plan,
            scripts,
            now: 0,
            tied: false,
            state: State::Stopped,
            exit: Exit::Stopped,
            left: false,
            cycle: 0,
            attempts: 0,
            attempts_before: 0,
            restarts: 0,
            shutdowns: 0,
            history: Vec::new(),
            failures: 0,
            last: None,
            attempt: Attempt::default(),
            retries: Retries::default(),
            due: 0,
            running_since: 0,
            healthy: 0,
            ran: Some(0),
            done: false,
            calls: Calls::default(),
            reloads: Vec::new(),
            parent: None,
            cancelled: Vec::new(),
            answers: Vec::new(),
        }
    }

    pub(super) fn view(&self) -> View {
        let running = self.state == State::Running;
        let uptime = if running {
            self.now - self.running_since
        } else {
            0
        };
        View {
            state: self.state,
            ready: running && self.attempt.ready != Ready::TakenBack || self.done,
            cycles: self.cycle,
            attempts: self.attempts_before + self.attempts,
            restarts: self.restarts,
            failures: self.failures,
            exit: self.exit,
            uptime,
            total_uptime: self.ran.map(|ran| ran + uptime),
            next_attempt: (self.state == State::Backoff).then(|| self.due - self.now),
            history: self.history.clone(),
            last: self.last,
            live: self.attempt.live(),
            shutdowns: self.shutdowns,
        }
    }

    fn set_state(&mut self, state: State) {
        if self.state == State::Running && state != State::Running {
            self.healthy = self.now - self.running_since;
            self.ran = self.ran.map(|ran| ran + self.healthy);
        }
        if state == State::Running {
            self.running_since = self.now;
            self.attempt.beat = Some(self.now);
        }
        self.state = state;
        let (seen, waits): (Vec<_>, Vec<_>) = self
            .calls
            .states
            .drain(..)
            .partition(|(_, wanted)| *wanted == state);
        self.calls.states = waits;
        self.answers
            .extend(seen.into_iter().map(|(call, _)| (call, Answer::Seen)));
    }

    fn record(&mut self, phase: Phase, cause: Cause) -> Failed {
        let entered = self.attempt.entered.unwrap_or(self.now);
        let uptime = self.now - entered;
        self.record_at(uptime, phase, cause)
    }

    fn record_at(&mut self, uptime: u64, phase: Phase, cause: Cause) -> Failed {
        let failed = self.note(uptime, phase, cause);
        if self.attempt.is_asked() && cause != Cause::Reported {
            self.attempt.failed_after = Some(failed);
        }
        failed
    }

    /// Records a request that is refused: nothing of the service has failed.
    fn note(&mut self, uptime: u64, phase: Phase, cause: Cause) -> Failed {
        let (cycle, attempt) = (self.cycle, self.attempts);
        let failed = Failed {
            phase,
            cause,
            cycle,
            attempt,
            uptime,
        };
        self.failures += 1;
        self.history.push(failed);
        if self.history.len() > self.plan.capacity {
            self.history.remove(0);
        }
        self.last = Some(failed);
        failed
    }

    fn answer_starts(&mut self, answer: Answer) {
        self.calls.awaited = false;
        let starts = self.calls.starts.drain(..);
        self.answers.extend(starts.map(|call| (call, answer)));
    }

    fn begin_cycle(&mut self) {
        self.cycle += 1;
        self.attempts_before += self.attempts;
        self.attempts = 0;
        self.last = None;
        self.done = false;
        self.retries.forget();
        self.attempt = Attempt::default();
        self.calls.awaited = true;
        self.set_state(State::Starting);
    }

    /// Nothing of the attempt is alive any more: another one, or the end of the cycle.
    fn settle(&mut self) {
        self.end_reloads();
        let policy = &self.plan.policy;
        let wanted =
            !self.attempt.is_asked() && policy.wants(self.attempt.why, self.attempt.ended_by);
        if !wanted {
            return self.end_cycle();
        }
        let running = self.state == State::Running;
        let healthy = if running {
            self.now - self.running_since
        } else {
            self.healthy
        };
        match self.retries.next(policy, healthy, self.now) {
            Some(delay) => {
                self.due = self.now + delay;
                self.attempt = Attempt::default();
                self.done = false;
                self.set_state(State::Backoff);
            }
            None => {
                self.attempt.exhaust();
                if self.attempt.ended_by.is_none() {
                    // The last failure has to say that the limit was reached, and there is none.
                    // Open: its phase and cause.
                    self.attempt.ended_by = Some(self.record(Phase::Run, Cause::Error));
                }
                self.end_cycle();
            }
        }
    }

    fn end_cycle(&mut self) {
        let attempt = std::mem::take(&mut self.attempt);
        self.exit = attempt.exit();
        self.done = self.plan.readiness == Readiness::Completion && self.exit == Exit::Completed;
        let stopped = attempt.stop_answer();
        let not_started = attempt.start_answer(self.last);
        self.set_state(State::Stopped);
        let stops = self.calls.stops.drain(..).map(|call| (call, stopped));
        self.answers.extend(stops);
        let ends = self
            .calls
            .ends
            .drain(..)
            .map(|call| (call, Answer::Exit(self.exit)));
        self.answers.extend(ends);
        if attempt.asked == Asked::NewCycle {
            return self.begin_cycle();
        }
        self.answer_starts(not_started);
    }
}
