//! The rules for requests: a start, a restart, a stop.

use super::{
    Effects, End, Lifecycle, Requested, Rules, ShutdownCall, StopStage, UserCode, cycle, deadlines,
    stopping,
};
use crate::report::state::State;

pub(super) fn start(life: &mut Lifecycle, rules: Rules) -> Effects {
    match life.state {
        State::Stopped => cycle::begin(life),
        // A job that has completed, and whose end is not settled yet: nobody would answer it later.
        State::Starting if life.ready => Effects::STARTED,
        State::Starting => {
            // Whoever joins an attempt of a policy is a pending start in the backoff after it.
            life.requested = Requested::Start;
            Effects::NONE
        }
        State::Running => replace(life, rules),
        State::Backoff if life.is_awaited() => Effects::NONE,
        State::Backoff => {
            life.requested = Requested::Start;
            cycle::backoff_over(life)
        }
        State::Stopping => queue(life),
    }
}

pub(super) fn ensure(life: &mut Lifecycle, rules: Rules) -> Effects {
    match life.state {
        State::Running => Effects::NONE,
        _ => start(life, rules),
    }
}

pub(super) fn restart(life: &mut Lifecycle, rules: Rules) -> Effects {
    match life.state {
        State::Stopped => cycle::begin(life),
        State::Starting | State::Running | State::Backoff => replace(life, rules),
        State::Stopping => queue(life),
    }
}

/// Stops this cycle and has a new one follow it.
fn replace(life: &mut Lifecycle, rules: Rules) -> Effects {
    life.requested = Requested::Restart;
    stopping::begin_stop(life, rules)
}

/// Queues a new cycle after the one that ends; after a verdict there is no telling when.
fn queue(life: &mut Lifecycle) -> Effects {
    if life.unresponsive {
        return Effects::NONE;
    }
    life.requested = Requested::Restart;
    look_at_the_end(life)
}

/// From now on somebody waits for the end of an attempt that may be over already.
fn look_at_the_end(life: &Lifecycle) -> Effects {
    if life.is_over() {
        Effects::WAKE_DRIVER
    } else {
        Effects::NONE
    }
}

#[inline]
pub(super) fn stop(life: &mut Lifecycle, rules: Rules) -> Effects {
    let effects = match life.state {
        State::Stopped => return Effects::NONE,
        State::Starting | State::Running | State::Backoff => stopping::begin_stop(life, rules),
        State::Stopping if rules.aborts && life.stage != StopStage::Draining => {
            return abort(life, rules);
        }
        State::Stopping => look_at_the_end(life),
    };
    effects.and(unstart(life))
}

pub(super) fn stop_now(life: &mut Lifecycle, rules: Rules) -> Effects {
    let effects = match life.state {
        State::Stopped => return Effects::NONE,
        State::Starting | State::Running | State::Backoff => stopping::tell_to_stop(life, rules),
        State::Stopping if life.stage == StopStage::Draining => deadlines::drain_over(life, rules),
        State::Stopping => return stop(life, rules),
    };
    effects.and(unstart(life))
}

/// The service goes on for now; who looks at it looks away.
pub(super) fn drain(life: &mut Lifecycle) -> Effects {
    if life.state != State::Running || !life.is_run_alive() || life.stage != StopStage::Alive {
        return Effects::NONE;
    }
    life.stage = StopStage::Draining;
    Effects::DRAIN
}

/// Cancels what was asked for before a stop.
fn unstart(life: &mut Lifecycle) -> Effects {
    life.requested = Requested::Stop;
    Effects::CANCEL_STARTS
}

pub(super) fn abort(life: &mut Lifecycle, rules: Rules) -> Effects {
    let effects = match life.state {
        State::Stopped => return Effects::NONE,
        State::Starting | State::Running | State::Backoff => abort_what_runs(life, rules),
        State::Stopping if life.is_alive() && life.stage < StopStage::Aborted => {
            stopping::drop_at_once(life)
        }
        State::Stopping => {
            // Aborted already; no `shutdown` follows any more.
            if life.shutdown_call == ShutdownCall::Idle {
                life.shutdown_call = ShutdownCall::Done;
            }
            look_at_the_end(life)
        }
    };
    effects.and(unstart(life))
}

pub(super) fn abort_what_runs(life: &mut Lifecycle, rules: Rules) -> Effects {
    if life.user_code == UserCode::Called {
        life.state = State::Stopping;
        life.requested = life.requested.and_stop();
        return stopping::drop_all(life);
    }
    if !life.is_alive() {
        return stopping::wind_down(life, rules);
    }
    life.state = State::Stopping;
    life.end = End::Asked;
    life.requested = life.requested.and_stop();
    stopping::drop_at_once(life)
}
