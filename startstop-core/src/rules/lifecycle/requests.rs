//! What others ask for: a start, a restart, a stop.

use super::{Effects, End, Lifecycle, Rules, ShutdownCall, StopStage, cycle, deadlines, stopping};
use crate::report::state::State;

pub(super) fn start(life: &mut Lifecycle, rules: Rules) -> Effects {
    match life.state {
        State::Stopped => cycle::begin(life),
        // A job that has completed, and whose end is not settled yet: nobody would answer it later.
        State::Starting if life.ready => Effects::STARTED,
        State::Starting => {
            // Whoever joins an attempt of a policy is a pending start in the backoff after it.
            life.awaited = true;
            Effects::NONE
        }
        State::Running => replace(life, rules),
        State::Backoff if life.awaited => Effects::NONE,
        State::Backoff => {
            life.awaited = true;
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
    life.next = true;
    life.awaited = true;
    stopping::begin_stop(life, rules)
}

/// Has a new cycle follow the one that ends; after a verdict there is no telling when.
fn queue(life: &mut Lifecycle) -> Effects {
    if life.unresponsive {
        return Effects::NONE;
    }
    life.next = true;
    life.awaited = true;
    life.asked = true;
    Effects::NONE
}

pub(super) fn stop(life: &mut Lifecycle, rules: Rules) -> Effects {
    let effects = match life.state {
        State::Stopped => return Effects::NONE,
        State::Starting | State::Running | State::Backoff => stopping::begin_stop(life, rules),
        State::Stopping if rules.aborts && life.stage != StopStage::Draining => {
            return abort(life, rules);
        }
        State::Stopping => Effects::NONE,
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
    if life.state != State::Running || !life.running || life.stage != StopStage::Alive {
        return Effects::NONE;
    }
    life.stage = StopStage::Draining;
    Effects::DRAIN
}

/// Cancels what was asked for before a stop.
fn unstart(life: &mut Lifecycle) -> Effects {
    life.asked = true;
    life.next = false;
    life.awaited = false;
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
            Effects::NONE
        }
    };
    effects.and(unstart(life))
}

pub(super) fn abort_what_runs(life: &mut Lifecycle, rules: Rules) -> Effects {
    if life.closing {
        life.state = State::Stopping;
        life.asked = true;
        return stopping::drop_all(life);
    }
    if !life.is_alive() {
        return stopping::wind_down(life, rules);
    }
    life.state = State::Stopping;
    life.end = End::Asked;
    life.asked = true;
    stopping::drop_at_once(life)
}
