//! The shared part of a runner: one [`Synced`] under one lock, and beside it what is read without.
//!
//! Whatever happens to a service (a call, a poll, a deadline, a drop) becomes one input to the
//! [`lifecycle`](crate::rules::lifecycle) under one short lock. The order under it is fixed, and promises
//! rest on it:
//!
//! 1. *Record, then store, then answer.* A failure is in the history before the state changes, and
//!    the state is stored before any waiter is answered.
//! 2. *Wake, cancel, spawn and drop after the lock.* User code (wakers, tokens, destructors, a
//!    runtime that drops what it is given) never runs under the lock: it is put into [`Deferred`].
//! 3. *Registered is done.* A call has its whole effect under the lock; its future only reads what
//!    came of it, so that dropping the future is harmless.
//! 4. *The driver settles.* The end of an attempt is settled by the task that drives the service, so that no
//!    driver is left when the cycle has ended. Only if that task is gone does the last part to end settle it; and if somebody waits
//!    for that end and the task is not polled within the abort timeout, since its thread is blocked, whoever keeps the deadline.

mod node;
mod driver_step;
mod deferred;
mod apply;
pub(crate) mod ancestry;
pub(crate) mod availability;
mod synced;
mod cold_state;
mod placement;
mod stop_terms;
pub(crate) mod ended;
mod few;
mod seldom;
pub(crate) mod listeners;
mod marks;
pub(crate) mod burst;
pub(crate) mod parts;
pub(crate) mod record;
pub(crate) mod reload;
pub(crate) mod reporting;
mod policy;
mod settle;
pub(crate) mod spans;
mod stop_stage;
pub(crate) mod tasks;
pub(crate) mod deadline;
pub(crate) mod gate;
mod runs_on;
pub(crate) mod runtimes;
pub(crate) mod owners;
pub(crate) mod attempt_guard;
pub(crate) mod unresponsive;
pub(crate) mod grace;
pub(crate) mod drain;
pub(crate) mod attached;
pub(crate) mod request;
mod pass_on;
pub(crate) mod task;
pub(crate) mod waiters;
pub(crate) mod parent;
pub(crate) mod catch_unwind;
pub(crate) mod atomic_state;

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};

use crate::engine::atomic_state::AtomicState;
use crate::rules::lifecycle::StopStage;
use crate::settings::{Resolved, Rules, ShutdownRule};
use crate::sync::clock;
use crate::sync::{AtomicBool, AtomicU32, Mutex, MutexGuard};

pub(crate) use cold_state::Ending;
pub(crate) use deadline::{Alarm, ArmTimer};
pub(crate) use deferred::Deferred;
pub(crate) use drain::Allowed;
pub(crate) use driver_step::{DriverStep, RetryAnswer};
pub(crate) use listeners::Listener;
pub(crate) use marks::Mark;
pub use node::Identity;
pub(crate) use node::{Job, Node, Observer, ReloadPassed, SpawnTarget};
pub(crate) use parts::PartEnd;
pub(crate) use synced::Synced;

use marks::Marks;
use stop_stage::StopStageCell;

/// The shared part of a runner.
pub(crate) struct Shared {
    pub(crate) atomic_state: AtomicState,
    stop_stage: StopStageCell,
    /// How many runners there are for the service: fewer than 2^32.
    pub(crate) handles: AtomicU32,
    pub(crate) marks: Marks,
    /// Whether the last runner is gone: behind the gate.
    is_left: AtomicBool,
    /// Whether the driver is polling `run` at this moment.
    pub(crate) polling: AtomicBool,
    /// Whether the driver has to look at reload requests after its next poll.
    pub(crate) reload_open: AtomicBool,
    pub(crate) settings: Resolved,
    synced: Mutex<Synced>,
}

impl Shared {
    /// The engine of a service with these settings.
    pub(crate) fn new(settings: Resolved) -> Self {
        Self {
            atomic_state: AtomicState::new(),
            stop_stage: StopStageCell::new(),
            handles: AtomicU32::new(1),
            marks: Marks::new(),
            is_left: AtomicBool::new(false),
            polling: AtomicBool::new(false),
            reload_open: AtomicBool::new(false),
            settings,
            synced: Mutex::new(Synced::new()),
        }
    }

    /// The engine, for a look.
    #[inline]
    pub(crate) fn synced(&self) -> MutexGuard<'_, Synced> {
        // What panics under the lock, such as the clone of a waker, leaves an engine that is still of use.
        self.synced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the name of the service.
    pub(crate) fn name(&self) -> &str {
        self.settings.name()
    }

    /// Returns whether the service has a `shutdown` of its own.
    pub(crate) fn has_shutdown_call(&self) -> bool {
        self.rules().shutdown != ShutdownRule::None
    }

    /// Returns whether the last runner is gone.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.handles.load(Ordering::Acquire) == 0
    }

    /// Returns whether the service may run: there is a runner, or it was let go on without.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.is_abandoned() || self.marks.has(Mark::Detached)
    }

    /// Returns the settings that the rules depend on.
    #[inline]
    pub(crate) fn rules(&self) -> Rules {
        self.settings.rules()
    }

    /// Returns how far the end of attempt `epoch` has come, without the lock: an attempt that is over is
    /// as far as it gets.
    pub(crate) fn stage(&self, epoch: u64) -> StopStage {
        self.stop_stage.stage(epoch)
    }

    /// Returns how far the end of the current attempt has come: for the driver of it.
    #[inline]
    pub(crate) fn current_stage(&self) -> StopStage {
        self.stop_stage.current()
    }

    /// Returns how many attempts there have been over all cycles, which is the number of the current one.
    pub(crate) fn attempts(&self) -> u64 {
        self.stop_stage.epoch()
    }

    /// Returns whether `epoch` is the current attempt.
    pub(crate) fn is_current(&self, epoch: u64) -> bool {
        self.attempts() == epoch
    }

    /// Notes a heartbeat of attempt `epoch`; free where there is no watchdog.
    pub(crate) fn heartbeat(&self, epoch: u64) {
        let Some((_, beat)) = self.settings.watch() else {
            return;
        };
        if self.is_current(epoch) {
            beat.store(clock::now(), Ordering::Release);
        }
    }
}

/// Makes a change that takes locks by itself and carries out what follows from that after it, when they are released.
pub(crate) fn defer<T>(node: &Arc<dyn Node>, change: impl FnOnce(&mut Deferred) -> T) -> T {
    let mut deferred = Deferred::default();
    let result = change(&mut deferred);
    deferred.run(node);
    deferred.forget();
    result
}

/// Changes an engine under its lock and carries out what follows from that after it.
#[inline]
pub(crate) fn update<T>(
    node: &Arc<dyn Node>,
    change: impl FnOnce(&Shared, &mut Synced, &mut Deferred) -> T,
) -> T {
    let shared = node.shared();
    let mut deferred = Deferred::default();
    let mut synced = shared.synced();
    let result = change(shared, &mut synced, &mut deferred);
    drop(synced);
    deferred.run(node);
    deferred.forget();
    result
}

impl Job {
    /// Spawns it for a service that may be gone.
    pub(crate) fn launch_apart(self, node: &Weak<dyn Node>) {
        match self {
            Self::Deadline(target) => deadline::spawn(node, &target),
            Self::Look => deadline::look_or_spawn(node),
            Self::ForgetRuntimes => runtimes::forget_ended(),
            Self::ReloadPassed(request) => pass_on::spawn(request, node),
            Self::Driver(_) | Self::ShutdownCall(..) => {
                if let Some(node) = node.upgrade() {
                    node.launch(self);
                }
            }
        }
    }
}
