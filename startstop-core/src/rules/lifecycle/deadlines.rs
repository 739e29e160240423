//! The rules for a time that is up.

use super::{Abort, Effects, End, Lifecycle, Rules, Run, StopStage, UserCode, stopping};
use crate::report::state::State;

pub(super) fn drain_over(life: &mut Lifecycle, rules: Rules) -> Effects {
    match (life.state, life.stage) {
        (State::Stopping, StopStage::Draining) if rules.aborts => stopping::drop_at_once(life),
        (State::Stopping, StopStage::Draining) => stopping::cancel(life, rules),
        _ => Effects::NONE,
    }
}

pub(super) fn start_due(life: &mut Lifecycle, rules: Rules) -> Effects {
    match life.state {
        State::Starting if life.is_run_alive() && rules.owner => {
            life.state = State::Stopping;
            life.end = End::Late;
            stopping::cancel(life, rules)
        }
        State::Starting if life.is_run_alive() => fail(life, End::Late),
        _ => Effects::NONE,
    }
}

pub(super) fn silent(life: &mut Lifecycle) -> Effects {
    match life.state {
        State::Starting | State::Running if life.run != Run::Out => fail(life, End::Silent),
        _ => Effects::NONE,
    }
}

fn fail(life: &mut Lifecycle, end: End) -> Effects {
    life.state = State::Stopping;
    life.end = end;
    stopping::drop_all(life).and(Effects::RECORD_TIMEOUT)
}

pub(super) fn stop_due(life: &mut Lifecycle, rules: Rules) -> Effects {
    let ends = life.state == State::Stopping || life.user_code == UserCode::Called;
    if !ends || life.stage >= StopStage::Aborted || !life.is_alive() {
        return Effects::NONE;
    }
    life.state = State::Stopping;
    if life.is_asked() {
        life.abort = Abort::Overdue;
    }
    let missed = if rules.owner {
        Effects::NONE
    } else {
        Effects::RECORD_TIMEOUT
    };
    stopping::drop_all(life).and(missed)
}

pub(super) fn abort_due(life: &mut Lifecycle) -> Effects {
    let aborted = life.state == State::Stopping && life.stage == StopStage::Aborted;
    if !aborted || !life.is_alive() || life.unresponsive || life.kept > 0 {
        return Effects::NONE;
    }
    give_up(life)
}

pub(super) fn give_up(life: &mut Lifecycle) -> Effects {
    life.unresponsive = true;
    life.requested = life.requested.without_start();
    Effects::GIVE_UP
}
