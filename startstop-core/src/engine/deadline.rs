//! Everything about deadlines: which one a service has, who keeps it, and what happens when it has passed.
//!
//! Six things are due at a time: the readiness of a start, the next sign of life that a watchdog waits for, the end of a
//! drain, of a stop and of an abort, and the next attempt of a policy. A runner has at most one of them at any moment.
//!
//! # What can block
//!
//! User code runs in the worker threads of a runtime and can block one for ever: in the first poll of `run` or in a
//! later one, in `shutdown`, in a task, in the destructor of any of them, and, when all parts of an attempt have ended, in
//! the destructor of a value that a `Slot` gives up and in the predicate of a policy. A timer of tokio is
//! no help against all of that:
//!
//! - The timers and the I/O of a runtime are polled by one of its workers, the one that parks on them. If the task that
//!   this worker is woken for blocks it, no other worker looks at the timers: those that sleep sleep on. A service that blocks
//!   after a tick of its own holds up every timer of its runtime, although all other workers are idle.
//! - A task that a worker wakes or spawns waits in a place from which no other worker takes it, until that worker
//!   has finished the poll in which it is.
//! - On a runtime with a single worker nothing runs but what blocks it.
//!
//! # Who sees to it
//!
//! - **The deadline task**, in [`task`], sleeps on the runtime of the service until the deadline. It is what makes paused
//!   time right: a clock that is paused goes on only to the timers that somebody waits for. Most stops end within a few turns of the
//!   runtime, so the task is *pending* at first ([`ArmTimer`]). On a single thread it is spawned by whoever sees that the stop
//!   takes longer: the driver after a poll that has not ended `run`, or the future of the caller after a few polls of its own.
//!   With more threads, whose clock is never paused, the thread spawns it at its next look, or whoever begins the stop if that
//!   would be too late.
//! - **The thread**, in [`thread`], is one for the process, outside of all runtimes. It has an entry for each deadline task,
//!   and looks at the entry [`SLACK`] after the deadline, by the clock of its runtime. If the deadline is still there, the
//!   thread spawns an empty task on that runtime, which wakes a worker; that worker then takes over the timers and the I/O,
//!   and the deadline task can run. If the deadline task has not run after another [`POLLS_BEFORE_DEADLINE_TASK`], no worker
//!   is free, or the task waits behind the one that blocks: the thread takes the step itself.
//! - What is pending is looked through by the thread every [`LOOK`]: a stop whose future was polled once and is then
//!   kept, neither polled nor dropped; a `shutdown` that waits for a poll of `run` to end; user code at the end of an attempt.
//! - The end of a backoff is a timer of the driver; [`Alarm`] has the thread wake a worker for it as well.
//!
//! The thread leaves runtimes with a paused clock alone: their time does not pass while a worker is blocked, and steps from
//! outside would make the outcome of a test depend on real time.
//!
//! A step of the thread must not block the thread, or it would hold up the deadlines of the process. So what may run a
//! destructor or a subscriber of the user is handed to the runtime of the service, with the empty task: also the last
//! reference to the service. Only wakers are called on the thread.
//!
//! While user code runs at the end of an attempt, it counts as a part of it (`Input::Closing`): it has the rest of the
//! stop, and if it does not yield within the abort, it is the part that is `Unresponsive`.
//!
//! # What cannot be kept
//!
//! On a runtime whose only worker is blocked nobody can await anything *there*. The verdict comes on time all the same: the
//! thread takes every step, so that a caller on another runtime or thread is answered, and `run` leaves the process. A
//! future that only that worker could poll is answered when it yields.
//!
//! # What it costs
//!
//! A service that just runs costs nothing: no task, no entry, and no thread two seconds after the last entry has gone. A
//! stop that ends at once is noted for the next look, at most once in [`LOOK`] for a runner. One that takes longer costs a
//! task and an entry, as does a start that waits for its readiness; a watchdog costs one of each, whatever beats. The thread
//! sleeps until the first entry is due, and entries are taken back when a deadline goes away, so that it is woken for what
//! is late, for the watchdogs, and for the looks.

mod alarm;
mod task;
#[cfg(not(startstop_loom))]
mod look;
#[cfg(any(test, not(startstop_loom)))]
mod queue;
#[cfg(any(test, not(startstop_loom)))]
pub(crate) mod watcher;
#[cfg(not(startstop_loom))]
mod thread;
mod which;

use std::sync::Weak;
use std::time::Duration;

use super::gate::update_apart;
use super::{Deferred, Job, Node, SpawnTarget, Synced};
use crate::engine::waiters::Topic;
use crate::rules::lifecycle::Timer;
use crate::sync::AbortHandle;
use crate::sync::clock::{self, NEVER};

pub(crate) use alarm::Alarm;
pub(crate) use task::spawn;
#[cfg(not(startstop_loom))]
use thread::{Nudge, QueueEntry, look_soon};
pub(crate) use which::leave_to_owner;
pub(super) use which::{is_start_or_watch_due, put_start_off};

#[cfg(startstop_loom)]
use crate::sync::{Nudge, QueueEntry, look_soon};

/// How long a runtime has to keep a deadline by itself before the thread wakes one of its workers.
#[cfg(not(startstop_loom))]
const SLACK: Duration = Duration::from_millis(15);

/// How long that worker has then before the thread takes the step.
#[cfg(not(startstop_loom))]
const POLLS_BEFORE_DEADLINE_TASK: Duration = Duration::from_millis(35);

/// How often the thread looks through what is pending.
const LOOK: Duration = Duration::from_millis(50);

/// When the task that keeps a deadline is spawned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArmTimer {
    /// With the deadline.
    Now,
    /// With the deadline if that is another one than before; otherwise as [`ByCaller`](Self::ByCaller).
    IfNew,
    /// By the driver, which is woken, if one poll does not end it: nobody awaits the request. With more than one thread, where
    /// the driver may be stuck in that poll, by the look of the thread, unless the deadline comes before that.
    ByDriver,
    /// By the future of who awaits the request, if a few turns of the runtime do not end it, or by the driver, if
    /// one poll does not; with more than one thread as [`ByDriver`](Self::ByDriver), but at once if the driver is inside a
    /// poll already.
    ByCaller,
    /// By the thread, at its next look: what is awaited hardly ever takes its time.
    ByLook,
}

/// The deadline of a runner, and who keeps it.
pub(crate) struct Deadline {
    timer: Timer,
    /// When what `timer` stands for is due, or the next attempt.
    due: u64,
    /// The number that the task and the entry prove themselves with.
    id: u32,
    /// The task is spawned only when somebody sees that it takes longer.
    is_pending: bool,
    /// The thread will look at it.
    is_noted: bool,
}

impl Deadline {
    pub(super) fn new() -> Self {
        Self {
            timer: Timer::None,
            due: NEVER,
            id: 0,
            is_pending: false,
            is_noted: false,
        }
    }

    /// Returns when the next attempt begins, in `Backoff`.
    pub(super) fn next_attempt(&self) -> u64 {
        self.due
    }

    /// Notes when the next attempt begins, for which the driver waits.
    pub(super) fn begin_backoff(&mut self, due: u64) {
        self.due = due;
    }
}

/// The work that takes longer, and is to be spawned: the call of `shutdown`, and the task that keeps the deadline.
#[cfg(not(startstop_loom))]
struct LateWork {
    shutdown_call: Option<(tokio::runtime::Handle, u64)>,
    deadline_task: Option<SpawnTarget>,
}

/// The pair that keeps a deadline: the deadline task, and its entry with the thread.
#[derive(Default)]
pub(crate) struct DeadlineTask {
    handle: Option<AbortHandle>,
    entry: Option<QueueEntry>,
}

impl DeadlineTask {
    /// Outside of the lock: the task is dropped, and the thread has a lock of its own.
    pub(super) fn cancel(self) {
        if let Some(handle) = self.handle {
            handle.abort();
        }
        drop(self.entry);
    }
}

/// Keeps the deadline that the lifecycle wants kept.
pub(crate) fn arm(
    synced: &mut Synced,
    shared: &super::Shared,
    arm: ArmTimer,
    deferred: &mut Deferred,
) {
    let timer = match synced.life.timer() {
        // It is about to.
        Timer::Settle if deferred.is_by_driver => Timer::None,
        timer => timer,
    };
    if matches!(timer, Timer::Abort | Timer::Settle) && synced.deadline.timer == timer {
        return;
    }
    if (timer, synced.deadline.timer) == (Timer::None, Timer::None) {
        synced.deadline.due = NEVER;
        return;
    }
    let due = which::due_of(synced, shared, timer, deferred);
    let old_timer = std::mem::replace(&mut synced.deadline.timer, timer);
    let old_due = std::mem::replace(&mut synced.deadline.due, due);
    if due == NEVER {
        disarm(synced, deferred);
        return;
    }
    // The task of a start wakes up in time for the watchdog: see `next_look`.
    let is_watched = (old_timer, timer) == (Timer::Start, Timer::Watch);
    if !has_task(synced) {
        synced.deadline.is_pending = true;
    } else if due < old_due && !is_watched {
        disarm(synced, deferred);
        synced.deadline.is_pending = true;
    }
    if !synced.deadline.is_pending {
        return;
    }
    let goes_on = (old_timer, old_due) == (timer, due);
    let arm = match arm {
        // All that is missing is a poll.
        _ if timer == Timer::Settle => ArmTimer::ByLook,
        ArmTimer::IfNew if goes_on => ArmTimer::ByCaller,
        arm => arm,
    };
    if which::is_task_due(synced, shared, arm, deferred) {
        spawn_pending(synced, deferred);
    } else {
        ask_for_look(synced, deferred);
    }
}

/// Returns whether the task of the deadline is to be spawned by whoever sees that it takes longer. With more than one thread
/// the look of the thread sees to that, and so it does where all that is missing is a poll.
pub(crate) fn is_owed(synced: &Synced) -> bool {
    let Deadline {
        timer,
        is_pending,
        is_noted,
        ..
    } = synced.deadline;
    is_pending && (!is_noted || timer != Timer::Settle && synced.has_one_thread())
}

/// Something was polled and has not ended: the task that is owed is spawned.
pub(crate) fn on_polled(synced: &mut Synced, deferred: &mut Deferred) {
    if is_owed(synced) {
        spawn_pending(synced, deferred);
    }
}

/// Asks the thread to look at the deadline that is pending; where the system gives no thread, a task keeps it.
pub(crate) fn look_or_spawn(node: &Weak<dyn Node>) {
    if !look_soon(node) {
        update_apart(node, |_, synced, deferred| {
            synced.deadline.is_noted = false;
            spawn_pending(synced, deferred);
        });
    }
}

/// Spawns the task that is pending, whoever was to see to it.
pub(super) fn spawn_pending(synced: &mut Synced, deferred: &mut Deferred) {
    if let Some(target) = take_pending(synced) {
        deferred.job(Job::Deadline(target));
    }
}

/// Takes on the task that is pending, if one is.
fn take_pending(synced: &mut Synced) -> Option<SpawnTarget> {
    if !synced.deadline.is_pending {
        return None;
    }
    let on = synced.on.handle().cloned()?;
    synced.deadline.is_pending = false;
    synced.deadline.id = synced.deadline.id.wrapping_add(1);
    Some(SpawnTarget {
        on,
        id: synced.deadline.id,
    })
}

/// Ends the task of the deadline, and the claim of one that is still to be spawned: nothing keeps the deadline any more.
#[inline]
pub(super) fn disarm(synced: &mut Synced, deferred: &mut Deferred) {
    let cold = synced.cold.get_mut();
    if let Some(kept) = cold.and_then(|cold| cold.deadline_task.take()) {
        deferred.cancel(*kept);
    }
    synced.deadline.id = synced.deadline.id.wrapping_add(1);
    synced.deadline.is_pending = false;
}

fn has_task(synced: &Synced) -> bool {
    let kept = synced
        .cold
        .get()
        .and_then(|cold| cold.deadline_task.as_ref());
    kept.is_some_and(|kept| kept.handle.is_some())
}

/// Asks the thread to look whether what is pending takes longer, should nobody else.
fn ask_for_look(synced: &mut Synced, deferred: &mut Deferred) {
    if !std::mem::replace(&mut synced.deadline.is_noted, true) {
        deferred.job(Job::Look);
    }
}

/// Returns whether anything is left to be seen to at the look of the thread.
#[cfg(not(startstop_loom))]
fn is_look_due(synced: &mut Synced) -> bool {
    synced.deadline.is_noted = synced.deadline.is_pending || synced.life.is_shutdown_call_due();
    synced.deadline.is_noted
}

/// The thread does not look where the clock is paused.
#[cfg(not(startstop_loom))]
fn skip_look(synced: &mut Synced) {
    synced.deadline.is_noted = false;
}

/// The thread looks: whatever is still pending takes longer.
#[cfg(not(startstop_loom))]
fn on_look(synced: &mut Synced, shared: &super::Shared) -> LateWork {
    synced.deadline.is_noted = false;
    let polls = shared.polling.load(std::sync::atomic::Ordering::SeqCst);
    let shutdown_call = if polls {
        synced.claim_shutdown(shared)
    } else {
        None
    };
    LateWork {
        shutdown_call,
        deadline_task: take_pending(synced),
    }
}

/// Notes the task that keeps the deadline; returns the one before it or, as an error, one that has come too late.
fn armed(synced: &mut Synced, id: u32, new: DeadlineTask) -> Result<DeadlineTask, DeadlineTask> {
    if !is_kept_by(synced, id) {
        return Err(new);
    }
    let old = synced.cold().deadline_task.replace(Box::new(new));
    Ok(old.map_or_else(DeadlineTask::default, |old| *old))
}

/// Returns whether there is a deadline that the task with this number keeps.
fn is_kept_by(synced: &Synced, id: u32) -> bool {
    synced.deadline.id == id && synced.deadline.due != NEVER
}

/// The task with this number is gone, with its runtime: who waits elsewhere has another one spawned.
fn task_lost(synced: &mut Synced, id: u32, deferred: &mut Deferred) {
    if is_kept_by(synced, id) {
        disarm(synced, deferred);
        synced.deadline.is_pending = true;
        // Who waits elsewhere is not to leave it to the look.
        synced.deadline.is_noted = false;
        synced
            .waiters
            .wake_without_answer(Topic::OUTCOMES, &mut deferred.wakes);
    }
}

/// Returns how long it is until the task with this number has to look at the clock.
///
/// While a service starts that has a watchdog, no longer than that: the service may say that it is
/// ready and block its thread in the same poll, and a task that is spawned from there would wait
/// for that very thread.
fn next_look(synced: &Synced, shared: &super::Shared, id: u32) -> Option<u64> {
    if !is_kept_by(synced, id) {
        return None;
    }
    match (synced.deadline.timer, shared.settings.watch()) {
        (Timer::Start, Some((silence, _))) => {
            let now = clock::now();
            let silent_at =
                which::silent_at(synced, shared, now).unwrap_or(clock::later(now, silence));
            Some(synced.deadline.due.min(silent_at))
        }
        _ => Some(synced.deadline.due),
    }
}
