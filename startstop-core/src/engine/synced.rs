//! The fields under the lock of an engine, and methods that read them at a glance.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use tokio::runtime::{Handle, Id};
use tokio::time::Instant;

use super::cold_state::{ColdState, Ending, RareState};
use super::deadline::Deadline;
use super::placement::Placement;
use super::reporting::Reported;
use super::runs_on::RunsOn;
use super::seldom::Seldom;
use crate::engine::parent::Parent;
use crate::engine::waiters::Waiters;
use crate::report::error::Unresponsive;
use crate::report::failure::Failure;
use crate::report::history::History;
use crate::report::path::Path;
use crate::report::state::{Exit, State};
use crate::report::stop_reason::StopReason;
use crate::rules::lifecycle::{End, Lifecycle};
use crate::rules::restart_counter::Retries;
use crate::settings::Resolved;
use crate::sync::clock;

/// The fields under the lock.
pub(crate) struct Synced {
    pub(crate) life: Lifecycle,
    pub(crate) cycle: u64,
    /// How many attempts are of this cycle; no more are counted than fit.
    pub(super) attempts_of_cycle: u32,
    /// It was told that the next of them begins.
    pub(super) announced: bool,
    /// Time in `Running` over all cycles, without the current one, in nanoseconds.
    pub(crate) ran: u64,
    /// The same in states that count as down, and whether the current one does.
    pub(super) was_down: u64,
    pub(super) is_down: bool,
    pub(crate) exit: Exit,
    /// Why the attempt is to end, once it is: the first reason.
    pub(super) why: Option<StopReason>,
    /// When `run` was entered.
    pub(super) began_at: u64,
    pub(crate) deadline: Deadline,
    /// When the service will be aborted.
    pub(super) stop_at: u64,
    pub(super) driver: DriverLink,
    pub(super) on: RunsOn,
    pub(crate) waiters: Waiters,
    pub(super) cold: Seldom<ColdState>,
}

/// The driver of the service, as its engine knows it.
#[derive(Default)]
pub(super) struct DriverLink {
    pub(super) waker: Option<Waker>,
    /// The number that it proves itself with.
    pub(super) id: u32,
    pub(super) is_there: bool,
    /// The next one is on another runtime than the last.
    pub(super) moves: bool,
}

impl Synced {
    pub(super) fn new() -> Self {
        Self {
            life: Lifecycle::default(),
            cycle: 0,
            attempts_of_cycle: 0,
            announced: false,
            ran: 0,
            was_down: 0,
            is_down: false,
            exit: Exit::Stopped,
            why: None,
            began_at: 0,
            deadline: Deadline::new(),
            stop_at: clock::NEVER,
            driver: DriverLink::default(),
            on: RunsOn::Nothing,
            waiters: Waiters::new(),
            cold: Seldom::default(),
        }
    }

    pub(crate) fn cold(&mut self) -> &mut ColdState {
        self.cold.make()
    }

    pub(super) fn rare(&self) -> Option<&RareState> {
        self.cold.get()?.rare.get()
    }

    pub(super) fn rare_mut(&mut self) -> Option<&mut RareState> {
        self.cold.get_mut()?.rare.get_mut()
    }

    pub(crate) fn make_rare(&mut self) -> &mut RareState {
        self.cold().rare.make()
    }

    /// Lets go of what was there for the sake of listeners, unless it is there for more than that: a service that nobody
    /// listens to any more is as cheap as one that nobody ever listened to.
    #[cold]
    pub(super) fn forget_listening(&mut self) {
        let Some(cold) = self.cold.get_mut() else {
            return;
        };
        if cold.rare.get().is_some_and(RareState::is_bare) {
            drop(cold.rare.take());
            if cold.is_bare() {
                drop(self.cold.take());
            }
        }
    }

    /// Keeps something to be done at the end of the attempt that goes on or is about to begin, unless that is to end; under a
    /// number.
    pub(crate) fn at_end_of_coming(&mut self, ending: Ending) -> Result<u64, Ending> {
        let comes = matches!(self.state(), State::Starting | State::Running);
        if !comes || self.life.end() != End::None {
            return Err(ending);
        }
        Ok(self.make_rare().endings.make().add(ending))
    }

    /// Takes out what was to be done at the end of the attempt; to be dropped outside of the lock.
    pub(crate) fn not_at_end(&mut self, id: u64) -> Option<Ending> {
        self.rare_mut()?.endings.get_mut()?.remove(id)
    }

    #[inline]
    pub(crate) fn state(&self) -> State {
        self.life.state()
    }

    /// Returns the number of the current attempt within its cycle, from 1; 0 before the first.
    pub(crate) fn attempt(&self) -> u64 {
        self.attempts_of_cycle.into()
    }

    /// Notes that the attempt drives parts with deadlines of their own.
    pub(crate) fn drives_parts(&mut self) {
        self.cold().is_owner = true;
    }

    /// Returns the current cycle and attempt, as events have them: one that is about to begin counts.
    pub(crate) fn tag(&self) -> (u64, u64) {
        (self.cycle, self.attempt() + u64::from(self.announced))
    }

    /// Returns what the service has said in its attempt.
    pub(crate) fn said(&self) -> Option<&Reported> {
        self.rare()?.said.get()
    }

    /// Returns the path of the service in what has started it. Its name is asked for once: to cut it out of the name of a
    /// type takes longer than all else here.
    pub(crate) fn path(&mut self, settings: &Resolved) -> Path {
        self.cold()
            .placement
            .get_or_insert_with(|| Placement::Known(Path::alone(settings.shared_name())))
            .path()
    }

    /// Returns the runtime of the cycle, or of the last one.
    pub(crate) fn runtime(&self) -> Option<Handle> {
        self.on.find()
    }

    /// Returns the runtime of the cycle, while there is one.
    pub(super) fn runtime_now(&self) -> Option<Id> {
        self.on.handle().map(Handle::id)
    }

    /// Returns the failures of all cycles.
    pub(crate) fn history(&self) -> History {
        self.rare()
            .map(|rare| rare.history.clone())
            .unwrap_or_default()
    }

    /// Returns whether the deadline of the stop is kept by an owner.
    pub(super) fn is_left_to_owner(&self) -> bool {
        self.cold.get().is_some_and(|cold| cold.stop.left_to_owner)
    }

    /// Returns whether no cycle follows the stop that an owner has told it.
    pub(super) fn is_down_for_good(&self) -> bool {
        self.cold.get().is_some_and(|cold| cold.stop.for_good)
    }

    /// Returns how long the attempt was in `Running`, once it is not any more.
    pub(super) fn healthy(&self) -> Duration {
        self.cold
            .get()
            .map_or(Duration::ZERO, |cold| Duration::from_nanos(cold.healthy))
    }

    /// Returns the last failure of the current or most recent cycle.
    pub(crate) fn last_failure(&self) -> Option<&Failure> {
        self.rare()?.last.as_ref()
    }

    /// Returns the parent, if there is one.
    pub(crate) fn parent(&self) -> Option<&Arc<Parent>> {
        self.rare()?.parent.as_ref()
    }

    /// Returns what is stuck, once the end of this cycle was given up.
    pub(crate) fn unresponsive(&self) -> Option<&Unresponsive> {
        self.rare()?.unresponsive.as_ref()
    }

    /// Returns when the service will be aborted, once a stop was asked for.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        clock::instant(self.stop_at)
    }

    /// Returns whether it waits for its next attempt, and was ready in the last.
    pub(crate) fn was_up(&self) -> bool {
        self.state() == State::Backoff && self.cold.get().is_some_and(|cold| cold.was_up)
    }

    /// Returns when the next attempt begins, in `Backoff`.
    pub(crate) fn next_attempt(&self) -> Option<u64> {
        (self.state() == State::Backoff).then_some(self.deadline.next_attempt())
    }

    /// Counts a restart by an owner.
    pub(crate) fn count_restart(&mut self) {
        self.make_rare().retries.make().made();
    }

    /// Returns how many attempts were restarts of a policy or of an owner.
    pub(crate) fn restarts(&self) -> u64 {
        let retries = self.rare().and_then(|rare| rare.retries.get());
        retries.map_or(0, Retries::total)
    }
}
