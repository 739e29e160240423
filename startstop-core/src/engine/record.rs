//! The one place where failures are recorded.

use std::time::{Duration, SystemTime};

use super::stop_terms::LateRecord;
use super::tasks::Tasks;
use super::{ArmTimer, Deferred, Shared, Synced, deadline, drain, listeners, reporting};
use crate::report::error::Unresponsive;
use crate::report::event::EventKind;
use crate::report::failure::{Failure, Interruption, KeptError, RawFailure, Record};
use crate::report::shared_name::SharedName;
use crate::report::state::{Cause, Phase, State};
use crate::report::stop_reason::StopReason;
use crate::rules::lifecycle::End;
use crate::sync::clock;

/// Records a failure of the service. After its stop has begun it makes that fail, unless it was only
/// reported.
pub(crate) fn failure(
    synced: &mut Synced,
    shared: &Shared,
    phase: Phase,
    fault: RawFailure,
    deferred: &mut Deferred,
) -> Failure {
    let counts = synced.life.is_asked() && fault.cause != Cause::Reported;
    let failure = note(synced, shared, phase, fault, deferred);
    if counts {
        deferred.drop_failure(synced.make_rare().after_stop.replace(failure.clone()));
    }
    failure
}

/// Puts a failure into the history, whatever it is of. It is there before the state changes.
pub(crate) fn note(
    synced: &mut Synced,
    shared: &Shared,
    phase: Phase,
    fault: RawFailure,
    deferred: &mut Deferred,
) -> Failure {
    let failure = made(synced, shared, phase, fault, deferred);
    file(synced, shared, failure.clone(), deferred);
    failure
}

/// Takes what a part has failed with; `None` where it was aborted on request meanwhile, and what it still returns is nothing
/// that anybody asks for.
pub(super) fn of_part(
    synced: &mut Synced,
    shared: &Shared,
    phase: Phase,
    fault: RawFailure,
    deferred: &mut Deferred,
) -> Option<RawFailure> {
    // Not where the service itself has asked in that very poll: then it has something to say. So has an owner, of its parts.
    let by_others = synced.why == Some(StopReason::Requested) && !shared.rules().owner;
    if fault.cause != Cause::Error || !synced.life.is_aborted_on_request() || !by_others {
        return Some(fault);
    }
    let failure = made(synced, shared, phase, fault, deferred);
    deferred.drop_failure(Some(failure));
    None
}

fn made(
    synced: &mut Synced,
    shared: &Shared,
    phase: Phase,
    fault: RawFailure,
    deferred: &mut Deferred,
) -> Failure {
    let now = deferred.now();
    Failure::new(Record {
        error: KeptError::Own(fault.error),
        phase,
        cause: fault.cause,
        permanent: fault.permanent,
        task: fault.task,
        checkpoint: reporting::checkpoint(synced, now),
        service: shared_name(synced, shared),
        path: synced.path(&shared.settings),
        cycle: synced.cycle,
        attempt: synced.attempt(),
        at: SystemTime::now(),
        uptime: attempt_time(synced, now),
        limit: None,
        filed: None,
    })
}

/// Puts a failure of a part into the history too, as it is there.
pub(crate) fn note_of_part(
    synced: &mut Synced,
    shared: &Shared,
    failure: &Failure,
    deferred: &mut Deferred,
) {
    file(synced, shared, failure.filed_in(synced.cycle), deferred);
}

#[inline]
fn file(synced: &mut Synced, shared: &Shared, failure: Failure, deferred: &mut Deferred) {
    listeners::tell(synced, deferred, || EventKind::Failed(failure.clone()));
    let capacity = shared.settings.history_capacity();
    let rare = synced.make_rare();
    let evicted = rare.history.push(failure.clone(), capacity);
    for failure in evicted {
        deferred.drop_failure(Some(failure));
    }
    deferred.drop_failure(rare.last.replace(failure));
    shared
        .atomic_state
        .write(shared.atomic_state.read().failed());
}

/// Records the failure that ends the attempt.
#[inline]
pub(super) fn end(
    synced: &mut Synced,
    shared: &Shared,
    phase: Phase,
    fault: RawFailure,
    deferred: &mut Deferred,
) {
    let failure = failure(synced, shared, phase, fault, deferred);
    deferred.drop_failure(synced.make_rare().ended_by.replace(failure));
}

/// Returns what is still there, `run` before the others.
pub(super) fn what_is_left(synced: &Synced) -> Phase {
    synced
        .life
        .alive_parts()
        .first()
        .copied()
        .unwrap_or(Phase::Run)
}

/// Records that a deadline has passed.
pub(super) fn missed_deadline(synced: &mut Synced, shared: &Shared, deferred: &mut Deferred) {
    let part = what_is_left(synced);
    // Else it is the deadline of the `shutdown` that follows such an attempt.
    let ending = Some(synced.life.end()).filter(|_| deadline::is_start_or_watch_due(synced));
    let missed = match ending {
        Some(End::Late) => Interruption::StartTimedOut {
            after: reporting::start_allowance(synced, shared),
        },
        Some(End::Silent) => Interruption::Silent {
            after: shared.settings.watchdog().unwrap_or_default(),
        },
        _ => {
            let waited = if synced.life.is_asked() {
                // The owner that it is a part of may have had less time.
                let until = synced.stop_at.min(deferred.now());
                clock::between(drain::told_at(synced, shared), until)
            } else {
                shared.settings.stop_timeout()
            };
            let missed = Interruption::StopTimedOut { after: waited };
            failure(
                synced,
                shared,
                part,
                RawFailure::interruption(missed),
                deferred,
            );
            return;
        }
    };
    end(
        synced,
        shared,
        part,
        RawFailure::interruption(missed),
        deferred,
    );
}

/// Returns a deadline that an owner has missed, if that is what ends its attempt and nothing tells of it yet; with how long
/// it had.
pub(crate) fn missed_by_owner(synced: &Synced, shared: &Shared) -> Option<(End, Duration)> {
    if synced.life.end() == End::Late {
        let open = synced.rare().is_none_or(|rare| rare.ended_by.is_none());
        return open.then(|| (End::Late, shared.settings.start_timeout()));
    }
    let open = synced.life.is_overdue() && !is_stop_recorded(synced);
    let until = synced.stop_at.min(clock::now());
    open.then(|| {
        (
            End::Asked,
            clock::between(drain::told_at(synced, shared), until),
        )
    })
}

/// Returns whether it is recorded who was late in the stop.
fn is_stop_recorded(synced: &Synced) -> bool {
    let late = synced.cold.get().map(|cold| cold.late);
    late == Some(LateRecord::Stop)
}

/// Records who was late in an owner.
pub(crate) fn late(
    synced: &mut Synced,
    shared: &Shared,
    fault: RawFailure,
    deferred: &mut Deferred,
) {
    if synced.life.end() == End::Late {
        end(synced, shared, Phase::Run, fault, deferred);
    } else {
        synced.cold().late = LateRecord::Stop;
        failure(synced, shared, Phase::Run, fault, deferred);
    }
}

/// Records that an owner has missed a deadline, where nobody was left who could tell of its members.
#[inline]
pub(super) fn untold(synced: &mut Synced, shared: &Shared, deferred: &mut Deferred) {
    if !shared.rules().owner {
        return;
    }
    let missed = match missed_by_owner(synced, shared) {
        Some((End::Late, late)) => Interruption::StartTimedOut { after: late },
        Some((_, late)) => Interruption::StopTimedOut { after: late },
        None => return,
    };
    late(synced, shared, RawFailure::interruption(missed), deferred);
}

/// The start has failed, and is rolled back: it is not late from now on.
pub(crate) fn end_start(synced: &mut Synced, shared: &Shared, deferred: &mut Deferred) {
    if synced.state() == State::Starting {
        synced.cold().late = LateRecord::StartOver;
        deadline::arm(synced, shared, ArmTimer::Now, deferred);
    }
}

/// Records that what is left does not yield.
pub(super) fn unresponsive(
    synced: &mut Synced,
    shared: &Shared,
    deferred: &mut Deferred,
) -> Unresponsive {
    let unresponsive = stuck_parts(synced, shared);
    let part = unresponsive.parts().first().copied().unwrap_or(Phase::Run);
    let waited = shared.settings.abort_timeout();
    let fault = Interruption::Unresponsive {
        part,
        after: waited,
    };
    failure(
        synced,
        shared,
        part,
        RawFailure::interruption(fault),
        deferred,
    );
    synced.make_rare().unresponsive = Some(unresponsive.clone());
    unresponsive
}

/// Returns what is still there, and for how long it has been told to end.
pub(crate) fn stuck_parts(synced: &mut Synced, shared: &Shared) -> Unresponsive {
    let asked_at = shared.atomic_state.read().since();
    let now = clock::now();
    let waited = clock::between(asked_at, now);
    let path = synced.path(&shared.settings);
    let rare = synced.rare();
    let tasks = rare.and_then(|rare| rare.tasks.get());
    let names = tasks.map(Tasks::names).unwrap_or_default();
    let below = rare.and_then(|rare| rare.stuck_below.get());
    let below = below.into_iter().flatten();
    let below: Vec<_> = below.map(|(_, below)| below.clone()).collect();
    Unresponsive::new(shared.name(), &synced.life.alive_parts(), waited)
        .of(path, &below)
        .with_tasks(names)
        .with_checkpoint(reporting::checkpoint(synced, now))
}

/// Notes who does not yield in a part of attempt `epoch`, which `guard` stands for: the leaves, by their paths.
pub(super) fn note_stuck(
    synced: &mut Synced,
    shared: &Shared,
    epoch: u64,
    (guard, unresponsive): (usize, &Unresponsive),
) {
    if !shared.is_current(epoch) {
        return;
    }
    let stuck = synced.make_rare().stuck_below.make();
    stuck.push((guard, unresponsive.clone()));
}

/// The part that `guard` stands for has ended after all.
pub(super) fn forget_stuck(synced: &mut Synced, guard: usize) {
    let stuck = synced
        .rare_mut()
        .and_then(|rare| rare.stuck_below.get_mut());
    if let Some(stuck) = stuck {
        stuck.retain(|(other, _)| *other != guard);
    }
}

/// Records that the limit forbids a restart: with the failure that ended the attempt, or as one of
/// its own if the attempt ended well. A later failure, of a task or of a drop, says so too, for it is
/// the last.
pub(super) fn limit(
    synced: &mut Synced,
    shared: &Shared,
    max: u32,
    window: Duration,
    deferred: &mut Deferred,
) {
    if synced.make_rare().ended_by.is_none() {
        let fault = RawFailure::interruption(Interruption::RestartLimit);
        end(synced, shared, Phase::Run, fault, deferred);
    }
    let Some(rare) = synced.rare_mut() else {
        return;
    };
    let (Some(ended_by), Some(last)) = (rare.ended_by.take(), rare.last.take()) else {
        return;
    };
    let marked = ended_by.at_limit(max, window);
    rare.history.replace(&ended_by, &marked);
    rare.last = Some(if last.is_same(&ended_by) {
        marked.clone()
    } else {
        let later = last.at_limit(max, window);
        rare.history.replace(&last, &later);
        later
    });
    rare.ended_by = Some(marked);
    deferred.drop_failure(Some(ended_by));
    deferred.drop_failure(Some(last));
}

/// Returns how long the attempt has been going on; zero if there is none.
fn attempt_time(synced: &Synced, now: u64) -> Duration {
    let between = match synced.state() {
        State::Stopped | State::Backoff => true,
        State::Starting => !synced.life.is_alive() && synced.life.end() == End::None,
        State::Running | State::Stopping => synced.attempt() == 0,
    };
    if between {
        Duration::ZERO
    } else {
        clock::between(synced.began_at, now)
    }
}

fn shared_name(synced: &mut Synced, shared: &Shared) -> SharedName {
    let known = &mut synced.make_rare().name;
    if let Some(name) = known.get() {
        return name.clone();
    }
    let name = shared.settings.shared_name();
    known.set(name.clone());
    name
}
