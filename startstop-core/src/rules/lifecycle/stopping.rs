//! The way down of an attempt: told, aborted, over.

use super::{
    Abort, Effects, End, Lifecycle, Rules, ShutdownCall, ShutdownRule, StopStage, deadlines,
    requests,
};
use crate::report::state::State;

/// A stop of what is not stopping: a drain comes first where there is one and the service is up.
#[inline]
pub(super) fn begin_stop(life: &mut Lifecycle, rules: Rules) -> Effects {
    let is_up = life.state == State::Running && life.is_run_alive();
    if !rules.drains || !is_up {
        return tell_to_stop(life, rules);
    }
    let was_told = life.stage == StopStage::Draining;
    life.state = State::Stopping;
    life.requested = life.requested.and_stop();
    life.end = End::Asked;
    life.stage = StopStage::Draining;
    if was_told {
        Effects::TIMER
    } else {
        Effects::DRAIN.and(Effects::TIMER)
    }
}

/// The same without a drain.
pub(super) fn tell_to_stop(life: &mut Lifecycle, rules: Rules) -> Effects {
    if rules.aborts {
        requests::abort_what_runs(life, rules)
    } else {
        wind_down(life, rules)
    }
}

pub(super) fn wind_down(life: &mut Lifecycle, rules: Rules) -> Effects {
    life.state = State::Stopping;
    life.requested = life.requested.and_stop();
    if life.end != End::None {
        // `run` has ended by itself at this very moment: nothing is left to be told.
        return Effects::WAKE_DRIVER.and(Effects::TIMER);
    }
    life.end = End::Asked;
    if !life.is_alive() {
        return Effects::WAKE_DRIVER;
    }
    cancel(life, rules)
}

/// `run` has ended in the drain, and with it whatever that was for.
pub(super) fn end_drain(life: &mut Lifecycle, rules: Rules) -> Effects {
    match rules.aborts {
        false => cancel(life, rules),
        true if life.is_alive() => drop_at_once(life),
        true => {
            life.stage = StopStage::Cancelled;
            Effects::CANCEL
        }
    }
}

/// Drops everything, since that is what was asked for.
pub(super) fn drop_at_once(life: &mut Lifecycle) -> Effects {
    if life.abort == Abort::None {
        life.abort = Abort::Immediate;
    }
    drop_all(life)
}

/// Tells the service to end: its context is cancelled and `shutdown` is called.
pub(super) fn cancel(life: &mut Lifecycle, rules: Rules) -> Effects {
    life.stage = StopStage::Cancelled;
    Effects::CANCEL
        .and(Effects::TIMER)
        .and(call_shutdown(life, rules))
}

pub(super) fn call_shutdown(life: &mut Lifecycle, rules: Rules) -> Effects {
    if rules.shutdown == ShutdownRule::None || life.lost {
        life.shutdown_call = ShutdownCall::Done;
        return Effects::NONE;
    }
    life.shutdown_call = ShutdownCall::Due;
    Effects::CALL_SHUTDOWN
}

/// Drops everything that is left. A `shutdown` that was not called yet will not be.
pub(super) fn drop_all(life: &mut Lifecycle) -> Effects {
    life.stage = StopStage::Aborted;
    if life.shutdown_call == ShutdownCall::Due {
        life.shutdown_call = ShutdownCall::Done;
    }
    let next = match () {
        () if life.is_only_stuck() && !life.unresponsive => deadlines::give_up(life),
        () if life.is_alive() => Effects::NONE,
        () => Effects::WAKE_DRIVER,
    };
    next.and(Effects::CANCEL)
        .and(Effects::ABORT)
        .and(Effects::TIMER)
}

/// After something has ended: is it over, or is what is left only to be given up on?
#[inline]
pub(super) fn look_for_the_end(life: &mut Lifecycle, rules: Rules) -> Effects {
    if life.is_over() {
        return last_call(life, rules);
    }
    if life.state != State::Stopping || life.unresponsive {
        return Effects::NONE;
    }
    if life.is_only_stuck() {
        // They have had all the time that there is.
        return match life.stage {
            StopStage::Aborted => deadlines::give_up(life).and(Effects::TIMER),
            _ => drop_all(life),
        };
    }
    let shutdown_call = matches!(life.shutdown_call, ShutdownCall::Due | ShutdownCall::Live);
    let only_held = !life.is_run_alive() && !shutdown_call && life.tasks + life.kept == 0;
    if only_held && life.stage < StopStage::Aborted {
        return drop_all(life);
    }
    // The clock of an abort may start with that; no other deadline depends on what is left.
    if life.stage == StopStage::Aborted {
        Effects::TIMER
    } else {
        Effects::NONE
    }
}

/// An aborted attempt that nobody had asked to end gets its `shutdown` now, if it wants one.
fn last_call(life: &mut Lifecycle, rules: Rules) -> Effects {
    let aborted = matches!(life.end, End::Late | End::Silent) && life.abort != Abort::Immediate;
    let wanted = rules.shutdown == ShutdownRule::Always && life.shutdown_call == ShutdownCall::Idle;
    if aborted && wanted && !life.lost && !life.unresponsive {
        return cancel(life, rules);
    }
    Effects::WAKE_DRIVER
}
