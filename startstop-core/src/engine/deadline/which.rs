//! Which deadline a service has, when it is due, and what follows when it has passed.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{ArmTimer, LOOK};
use crate::engine::stop_terms::LateRecord;
use crate::engine::{Deferred, Shared, Synced, deadline, drain, reporting};
use crate::report::state::Readiness;
use crate::rules::lifecycle::{Input, Timer};
use crate::sync::clock::{self, NEVER};

/// The least time that a part has to be dropped after its abort: a turn of the runtime.
const A_TURN: Duration = Duration::from_millis(1);

/// Leaves the deadline of the stop to the owner that this service is a part of: it is for
/// information only.
pub(crate) fn leave_to_owner(synced: &mut Synced) {
    synced.cold().stop.left_to_owner = true;
}

/// Returns whether a task that is pending is spawned at once.
#[inline]
pub(super) fn is_task_due(
    synced: &Synced,
    shared: &Shared,
    arm: ArmTimer,
    deferred: &mut Deferred,
) -> bool {
    match arm {
        ArmTimer::Now | ArmTimer::IfNew => true,
        ArmTimer::ByDriver | ArmTimer::ByCaller if synced.has_one_thread() => {
            arm == ArmTimer::ByDriver && deferred.driver.is_none()
        }
        ArmTimer::ByDriver => deferred.driver.is_none() || is_due_soon(synced, deferred),
        // After the stage was stored, as for `ask_for_shutdown_call`: either this sees that the driver polls,
        // or the driver sees the stage.
        ArmTimer::ByCaller => {
            shared.polling.load(Ordering::SeqCst) || is_due_soon(synced, deferred)
        }
        ArmTimer::ByLook => false,
    }
}

/// Returns whether the deadline would have passed before the task was there that a look of the thread spawns.
fn is_due_soon(synced: &Synced, deferred: &mut Deferred) -> bool {
    clock::between(deferred.now(), synced.deadline.due) < 2 * LOOK
}

#[inline]
pub(super) fn due_of(
    synced: &mut Synced,
    shared: &Shared,
    timer: Timer,
    deferred: &mut Deferred,
) -> u64 {
    let settings = &shared.settings;
    match timer {
        Timer::None => NEVER,
        Timer::Start
            if synced
                .cold
                .get()
                .is_some_and(|cold| cold.late == LateRecord::StartOver) =>
        {
            NEVER
        }
        Timer::Start => {
            let timeout = match settings.readiness() {
                Readiness::Completion => Duration::MAX,
                Readiness::Immediate | Readiness::Explicit => settings.start_timeout(),
            };
            let due = clock::later(deferred.now(), timeout);
            // Without an end as well, since the watchdog follows.
            if settings.watch().is_some() {
                due.min(NEVER - 1)
            } else {
                due
            }
        }
        Timer::Watch => match settings.watch() {
            Some((silence, beat)) => {
                let now = deferred.now();
                beat.store(now, Ordering::Release);
                clock::later(now, silence)
            }
            None => NEVER,
        },
        Timer::Drain => synced
            .cold
            .get()
            .map_or(0, |cold| cold.drain_at)
            .min(synced.stop_at),
        Timer::Stop if synced.is_left_to_owner() => NEVER,
        Timer::Stop => {
            if !synced.life.is_asked() && synced.deadline.timer != Timer::Stop {
                // It winds down by itself.
                synced.stop_at = clock::later(deferred.now(), settings.stop_timeout());
            } else if synced.deadline.timer == Timer::Drain {
                drain::end_drain(synced, shared, deferred.now());
            }
            synced.stop_at
        }
        Timer::Abort | Timer::Settle => {
            clock::later(deferred.now(), settings.abort_timeout().max(A_TURN))
        }
    }
}

/// Returns whether the deadline is that of a start or of a watchdog: what passes it has failed.
pub(in crate::engine) fn is_start_or_watch_due(synced: &Synced) -> bool {
    matches!(synced.deadline.timer, Timer::Start | Timer::Watch)
}

/// Puts the deadline of a start off, if that comes before this time; says whether it does. Who keeps it looks again then.
pub(in crate::engine) fn put_start_off(synced: &mut Synced, until: u64) -> bool {
    let sooner = synced.deadline.timer == Timer::Start && synced.deadline.due < until;
    if sooner {
        synced.deadline.due = until;
    }
    sooner
}

/// Returns when the service counts as silent, if it stays so: from its first heartbeat on, and not while it waits.
pub(super) fn silent_at(synced: &Synced, shared: &Shared, now: u64) -> Option<u64> {
    let (silence, beat) = shared.settings.watch()?;
    match beat.load(Ordering::Acquire) {
        0 => None,
        _ if reporting::waits(synced) => Some(clock::later(now, silence)),
        beat => Some(clock::later(beat, silence)),
    }
}

/// The deadline may have passed.
pub(super) fn on_fired(synced: &mut Synced, shared: &Shared, id: u32, deferred: &mut Deferred) {
    let now = deferred.now();
    let silent_at = silent_at(synced, shared, now).filter(|_| is_start_or_watch_due(synced));
    let silent = silent_at.is_some_and(|at| at <= now);
    if synced.deadline.id != id || now < synced.deadline.due && !silent {
        return;
    }
    let input = match synced.deadline.timer {
        Timer::None => return,
        Timer::Start | Timer::Watch if silent => Some(Input::Silent),
        Timer::Start => Some(Input::StartDue),
        Timer::Watch => {
            synced.deadline.due = silent_at.unwrap_or(NEVER);
            return;
        }
        Timer::Drain => Some(Input::DrainOver),
        Timer::Stop => Some(Input::StopDue),
        Timer::Abort => Some(Input::AbortDue),
        Timer::Settle => None,
    };
    // Earlier than any deadline, so that a new one does not call for another task.
    synced.deadline.due = 0;
    match input {
        Some(input) => synced.step(shared, input, ArmTimer::Now, deferred),
        None => synced.settle_without_driver(shared, deferred),
    }
    if synced.deadline.due == 0 {
        synced.deadline.due = NEVER;
        deadline::disarm(synced, deferred);
    }
}
