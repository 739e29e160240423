//! The rules for the parts of an attempt: `run`, `shutdown`, and those beside them.

use super::{
    Effects, End, JobTasks, Lifecycle, Part, Requested, Rules, Run, RunEnd, ShutdownCall,
    ShutdownRule, StopStage, UserCode, stopping,
};
use crate::report::state::{Readiness, State};

pub(super) fn enter(life: &mut Lifecycle, rules: Rules) -> Effects {
    if life.state != State::Starting || life.run != Run::Out || life.end != End::None {
        return Effects::NONE;
    }
    life.run = Run::Alive(JobTasks::Sound);
    match rules.readiness {
        Readiness::Immediate => become_ready(life),
        Readiness::Explicit | Readiness::Completion => Effects::TIMER,
    }
}

pub(super) fn explicitly_ready(life: &mut Lifecycle, rules: Rules) -> Effects {
    let explicit = rules.readiness == Readiness::Explicit;
    match life.state {
        State::Starting if explicit && life.is_run_alive() => become_ready(life),
        _ => Effects::NONE,
    }
}

fn become_ready(life: &mut Lifecycle) -> Effects {
    life.state = State::Running;
    count_as_ready(life).and(Effects::TIMER)
}

fn count_as_ready(life: &mut Lifecycle) -> Effects {
    life.ready = true;
    if life.requested == Requested::Start {
        life.requested = Requested::None;
    }
    Effects::STARTED
}

#[inline]
pub(super) fn run_ended(life: &mut Lifecycle, end: RunEnd, rules: Rules) -> Effects {
    let Run::Alive(job) = life.run else {
        return Effects::NONE;
    };
    life.run = Run::Out;
    let effects = match life.end {
        End::None if end == RunEnd::Ok && is_a_job_with_tasks(life, rules) => {
            life.run = Run::Returned(job);
            return Effects::NONE;
        }
        End::None => end_by_itself(life, job, end, rules),
        // Whatever the drain was for is gone with `run`.
        _ if life.stage == StopStage::Draining && !life.lost => stopping::end_drain(life, rules),
        _ => Effects::NONE,
    };
    effects.and(stopping::look_for_the_end(life, rules))
}

/// Returns whether what has been spawned is a part of what is to be done.
fn is_a_job_with_tasks(life: &Lifecycle, rules: Rules) -> bool {
    rules.readiness == Readiness::Completion && life.tasks > 0 && !life.lost
}

fn end_by_itself(life: &mut Lifecycle, job: JobTasks, end: RunEnd, rules: Rules) -> Effects {
    let end = if job == JobTasks::Flawed {
        RunEnd::Failed
    } else {
        end
    };
    life.end = if end == RunEnd::Ok {
        End::Completed
    } else {
        End::Failed
    };
    let ready = match end {
        // A start that waits for the next cycle is not answered by this one.
        RunEnd::Ok if !life.ready && !life.has_next() => count_as_ready(life),
        _ => Effects::NONE,
    };
    life.stage = StopStage::Cancelled;
    let shutdown_call = if rules.shutdown == ShutdownRule::Always {
        stopping::call_shutdown(life, rules)
    } else {
        Effects::NONE
    };
    if life.is_alive() {
        life.state = State::Stopping;
    }
    ready
        .and(shutdown_call)
        .and(Effects::CANCEL)
        .and(Effects::TIMER)
}

pub(super) fn shutdown_call_taken(life: &mut Lifecycle) -> Effects {
    if life.shutdown_call == ShutdownCall::Due {
        life.shutdown_call = ShutdownCall::Live;
    }
    Effects::NONE
}

pub(super) fn shutdown_call_ended(life: &mut Lifecycle, rules: Rules) -> Effects {
    if life.shutdown_call != ShutdownCall::Live {
        return Effects::NONE;
    }
    life.shutdown_call = ShutdownCall::Done;
    stopping::look_for_the_end(life, rules)
}

pub(super) fn added(life: &mut Lifecycle, part: Part) -> Effects {
    *count(life, part) += 1;
    // One that keeps its own deadline puts off that of an abort.
    if life.stage == StopStage::Aborted {
        Effects::TIMER
    } else {
        Effects::NONE
    }
}

/// The job to which the task belongs has failed, once all of it has ended.
pub(super) fn task_failed(life: &mut Lifecycle, rules: Rules) -> Effects {
    if rules.readiness == Readiness::Completion && life.end == End::None {
        life.run = life.run.flawed();
    }
    Effects::NONE
}

pub(super) fn ended(life: &mut Lifecycle, part: Part, rules: Rules) -> Effects {
    let count = count(life, part);
    *count = count.saturating_sub(1);
    let effects = match (life.end, life.run) {
        (End::None, Run::Returned(job)) if life.tasks == 0 && !life.lost => {
            end_by_itself(life, job, RunEnd::Ok, rules)
        }
        _ => Effects::NONE,
    };
    effects.and(stopping::look_for_the_end(life, rules))
}

fn count(life: &mut Lifecycle, part: Part) -> &mut u32 {
    match part {
        Part::Task => &mut life.tasks,
        Part::Kept => &mut life.kept,
        Part::Held => &mut life.held,
        Part::HeldByShutdown => &mut life.held_by_shutdown,
        Part::Stuck => &mut life.stuck,
    }
}

pub(super) fn ran_out(life: &mut Lifecycle, rules: Rules) -> Effects {
    if life.kept == 0 {
        return Effects::NONE;
    }
    life.kept -= 1;
    life.stuck += 1;
    stopping::look_for_the_end(life, rules)
}

/// The state stays: hardly ever does it take so long that anybody sees it.
pub(super) fn begin_closing(life: &mut Lifecycle) -> Effects {
    if !life.is_over() {
        return Effects::NONE;
    }
    life.user_code = UserCode::Called;
    Effects::TIMER
}

pub(super) fn end_closing(life: &mut Lifecycle) -> Effects {
    if std::mem::take(&mut life.user_code) == UserCode::Idle {
        return Effects::NONE;
    }
    if life.is_over() {
        Effects::WAKE_DRIVER
    } else {
        Effects::NONE
    }
}

pub(super) fn runtime_lost(life: &mut Lifecycle) -> Effects {
    if life.state == State::Stopped || life.lost {
        return Effects::NONE;
    }
    life.lost = true;
    life.state = State::Stopping;
    if life.shutdown_call == ShutdownCall::Due {
        life.shutdown_call = ShutdownCall::Done;
    }
    if life.is_only_stuck() {
        return stopping::drop_all(life);
    }
    life.stage = life.stage.max(StopStage::Cancelled);
    Effects::CANCEL
        .and(Effects::TIMER)
        .and(Effects::WAKE_DRIVER)
}
