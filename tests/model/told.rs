//! The events of a runner: at each moment they agree with what is seen of it.

use startstop_core::{Event, EventKind, Events, Exit, Readiness, Runner, Service, State};

use super::reference::View;

pub(super) struct Told {
    events: Events,
    is_job: bool,
    state: State,
    ready: bool,
    failures: u64,
    cycle: u64,
    attempt: u64,
    begun: u64,
    /// How many reloads are not answered.
    reloads: u32,
    last: Vec<String>,
}

impl Told {
    pub(super) fn of<S: Service>(runner: &Runner<S>, readiness: Readiness) -> Self {
        Self {
            events: runner.events_with_capacity(100_000),
            is_job: readiness == Readiness::Completion,
            state: State::Stopped,
            ready: false,
            failures: 0,
            cycle: 0,
            attempt: 0,
            begun: 0,
            reloads: 0,
            last: Vec::new(),
        }
    }

    /// Reads what was told, and compares what it comes to.
    pub(super) fn compare(&mut self, expected: &View) -> Result<(), String> {
        while let Some(event) = self.events.try_next() {
            self.last.push(format!("{:?}", event.kind()));
            if !self.follows(&event) {
                return Err(format!(
                    "told {event:?} in {:?}, after {:#?}",
                    self.state, self.last
                ));
            }
        }
        let told = (self.state, self.ready, self.failures, self.cycle);
        let seen = (
            expected.state,
            expected.ready,
            expected.failures,
            expected.cycles,
        );
        if told == seen && self.begun >= expected.attempts {
            return Ok(());
        }
        Err(format!(
            "told {told:?}, begun {}, of {expected:?}: {:#?}",
            self.begun, self.last
        ))
    }

    /// Whether the event may be the next one.
    fn follows(&mut self, event: &Event) -> bool {
        let at = (event.cycle(), event.attempt());
        if at < (self.cycle, self.attempt) {
            return false;
        }
        (self.cycle, self.attempt) = at;
        let (state, ready) = match (event.kind(), self.state, self.ready) {
            (EventKind::Starting, State::Stopped | State::Backoff, _) => {
                self.begun += 1;
                (State::Starting, false)
            }
            // A job is ready when it is done.
            (EventKind::Ready { .. }, state, false) if self.is_job => (state, true),
            (EventKind::Ready { .. }, State::Starting | State::Running, false) => {
                (State::Running, true)
            }
            (EventKind::NotReady(_), State::Running, true) => (State::Running, false),
            (EventKind::Draining, State::Stopping, _) => (State::Stopping, false),
            (EventKind::Stopping(_), state, ready) if state != State::Stopped => {
                (State::Stopping, ready && self.is_job)
            }
            (EventKind::Stopped { exit, .. }, state, _) if state != State::Stopped => {
                (State::Stopped, self.is_job && *exit == Exit::Completed)
            }
            (EventKind::Backoff { .. }, State::Starting | State::Running | State::Stopping, _) => {
                (State::Backoff, false)
            }
            (EventKind::Failed(_), state, ready) => {
                self.failures += 1;
                (state, ready)
            }
            (EventKind::Aborting, State::Stopping, ready) => (State::Stopping, ready),
            // Where nothing runs it is refused at once.
            (EventKind::Reloading, state, ready) if state != State::Stopped => {
                self.reloads += 1;
                (state, ready)
            }
            (EventKind::Reloaded(_), state, ready) if self.reloads > 0 => {
                self.reloads -= 1;
                (state, ready)
            }
            _ => return false,
        };
        self.state = state;
        self.ready = ready;
        true
    }
}
