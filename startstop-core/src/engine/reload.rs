//! Reload requests to an attempt, and what the service answers.
//!
//! A request belongs to a round. While the service starts, and as long as it is not known whether anything in it waits for
//! requests, the round is undecided; the driver decides after a poll of `run`, since that is where a service begins to wait.
//! Then it is handed out: a share to each who waits, or one to who looks next. The round is over when all shares are answered.
//!
//! A request that nothing in the service waits for is passed on to the runners that it has attached.
//!
//! 1. A request joins the last round as long as nobody has looked at it.
//! 2. The end of the attempt ends all rounds.
//! 3. A share that `run` drops in a poll counts as done only after that poll, for it may be the last one.

use std::sync::atomic::Ordering;

use super::attached::{self, Attached};
use super::{Deferred, Job, ReloadPassed, Shared, Synced, listeners};
use crate::engine::waiters::{Answer, Topic};
use crate::report::error::ReloadError;
use crate::report::event::EventKind;
use crate::report::state::State;
use crate::rules::lifecycle::StopStage;

/// The rounds of an attempt.
#[derive(Default)]
pub(super) struct Reloads {
    rounds: Vec<Round>,
    /// The number of the next round.
    next: u32,
    /// Something in the service has waited for a request.
    supported: bool,
    /// Rounds whose shares were dropped in a poll of `run` that is not over.
    dropped: Vec<u32>,
}

/// One reload, asked for once or several times.
struct Round {
    id: u32,
    stage: RoundStage,
    /// Shares that anybody may take who looks.
    free: u32,
    /// Shares of those who were woken and have not looked yet.
    handed: u32,
    /// Shares that were taken and are not answered.
    held: u32,
    /// The combined answers so far.
    result: Option<Result<(), ReloadError>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RoundStage {
    Undecided,
    /// The service has not looked at it yet.
    Handed,
    Seen,
}

impl Round {
    fn is_over(&self) -> bool {
        self.stage != RoundStage::Undecided && self.free + self.handed + self.held == 0
    }

    fn take(&mut self) {
        self.stage = RoundStage::Seen;
        self.held += 1;
    }
}

/// Asks for a reload: the round that the request is a part of, or `None` if nothing runs that could be asked.
pub(crate) fn request(synced: &mut Synced) -> Option<u32> {
    let runs = match synced.state() {
        State::Starting => true,
        State::Running => synced.life.is_run_alive(),
        State::Stopped | State::Stopping | State::Backoff => false,
    };
    if !runs {
        return None;
    }
    let reloads = synced.make_rare().reloads.make();
    let last = reloads
        .rounds
        .last()
        .filter(|round| round.stage != RoundStage::Seen);
    if let Some(last) = last {
        return Some(last.id);
    }
    let stage = RoundStage::Undecided;
    let next = reloads.next;
    reloads.next = next.wrapping_add(1);
    reloads.rounds.push(Round {
        id: next,
        stage,
        free: 0,
        handed: 0,
        held: 0,
        result: None,
    });
    Some(next)
}

/// Nothing runs that could be asked. That is told only within a cycle: a service that has ended has no say in it.
pub(crate) fn refuse(synced: &mut Synced, deferred: &mut Deferred) {
    if synced.state() != State::Stopped {
        tell_refused(synced, deferred);
    }
}

/// Tells the beginning and the end of a reload that nobody has looked at: who asked for it may only hear the events.
fn tell_refused(synced: &mut Synced, deferred: &mut Deferred) {
    listeners::tell(synced, deferred, || EventKind::Reloading);
    listeners::tell(synced, deferred, || {
        EventKind::Reloaded(Err(ReloadError::Stopped))
    });
}

/// Hands requests out, if the service has started and something in it waits for them or has done so. Else the driver
/// looks again after its next poll.
#[inline]
pub(crate) fn hand_out(synced: &mut Synced, shared: &Shared, deferred: &mut Deferred) {
    let running = synced.state() == State::Running && synced.life.stage() < StopStage::Cancelled;
    let cold = synced.cold.get_mut().filter(|_| running);
    let rare = cold.and_then(|cold| cold.rare.get_mut());
    let Some(reloads) = rare.and_then(|rare| rare.reloads.get_mut()) else {
        return;
    };
    let last = reloads.rounds.last_mut();
    let Some(round) = last.filter(|it| it.stage != RoundStage::Seen) else {
        return;
    };
    let topic = Topic::reload(shared.attempts());
    let answer = Answer::Handed(round.id);
    let waits = |other| other == topic;
    let woken = synced
        .waiters
        .answer_where(topic.kind(), waits, &answer, &mut deferred.wakes);
    round.handed += woken;
    if round.stage == RoundStage::Handed {
        return;
    }
    if woken == 0 && !reloads.supported {
        shared.reload_open.store(true, Ordering::Release);
        synced.wake_driver(deferred);
        return;
    }
    round.free = u32::from(woken == 0);
    round.stage = RoundStage::Handed;
    listeners::tell(synced, deferred, || EventKind::Reloading);
}

/// After a poll of `run`: what was dropped in it is done, and what nobody waits for is not supported.
pub(crate) fn decide(synced: &mut Synced, shared: &Shared, deferred: &mut Deferred) {
    shared.reload_open.store(false, Ordering::Release);
    let Some(noted) = reloads(synced) else {
        return;
    };
    for round in std::mem::take(&mut noted.dropped) {
        answer(synced, round, Ok(()), deferred);
    }
    if synced.state() != State::Running {
        return;
    }
    let Some(Reloads { rounds, .. }) = reloads(synced) else {
        return;
    };
    if rounds
        .last()
        .is_none_or(|round| round.stage != RoundStage::Undecided)
    {
        return;
    }
    let Some(round) = rounds.pop() else { return };
    match pass_on(synced, shared, round.id) {
        Some(pass_on) => begin_passing(synced, round, pass_on, deferred),
        None => tell_requesters(synced, round.id, Err(ReloadError::NotSupported), deferred),
    }
}

/// Passes the request of this round on, if anything is attached.
fn pass_on(synced: &Synced, shared: &Shared, round: u32) -> Option<ReloadPassed> {
    let attached = attached::all(synced);
    let on = synced.on.handle().filter(|_| !attached.is_empty())?.clone();
    let left = attached.iter().map(Attached::downgrade).collect();
    Some(ReloadPassed {
        on,
        epoch: shared.attempts(),
        round,
        left,
    })
}

/// Begins to pass a request on: what is attached has the only share of a round that the service itself does not look at.
fn begin_passing(
    synced: &mut Synced,
    mut round: Round,
    pass_on: ReloadPassed,
    deferred: &mut Deferred,
) {
    round.take();
    synced.make_rare().reloads.make().rounds.push(round);
    listeners::tell(synced, deferred, || EventKind::Reloading);
    deferred.job(Job::ReloadPassed(pass_on));
}

/// Takes a share of a round, if there is one for who looks; from now on requests are supported.
pub(crate) fn take(synced: &mut Synced, deferred: &mut Deferred) -> Option<u32> {
    let running = synced.state() == State::Running;
    let reloads = synced.make_rare().reloads.make();
    reloads.supported = true;
    let round = reloads
        .rounds
        .iter_mut()
        .find(|round| round.free > 0 || round.stage == RoundStage::Undecided && running)?;
    let (id, decided) = (round.id, round.stage != RoundStage::Undecided);
    round.free = round.free.saturating_sub(1);
    round.take();
    if !decided {
        listeners::tell(synced, deferred, || EventKind::Reloading);
    }
    Some(id)
}

/// Notes that one who was woken for a round looks at it.
pub(crate) fn see(synced: &mut Synced, id: u32) {
    if let Some(round) = round(synced, id) {
        round.handed = round.handed.saturating_sub(1);
        round.take();
    }
}

/// Gives back the share of one who was woken for a round and is gone before it has looked: it is for the next one who looks.
pub(crate) fn give_back(synced: &mut Synced, id: u32) {
    if let Some(round) = round(synced, id) {
        round.handed = round.handed.saturating_sub(1);
        round.free += 1;
    }
}

fn round(synced: &mut Synced, id: u32) -> Option<&mut Round> {
    let mut rounds = reloads(synced)?.rounds.iter_mut();
    rounds.find(|round| round.id == id)
}

fn reloads(synced: &mut Synced) -> Option<&mut Reloads> {
    synced.rare_mut()?.reloads.get_mut()
}

/// A share was dropped: that is done, unless the attempt is what drops it.
pub(crate) fn drop_share(synced: &mut Synced, shared: &Shared, id: u32, deferred: &mut Deferred) {
    if synced.life.stage() == StopStage::Aborted {
        return;
    }
    let polling = synced.life.is_run_alive() && shared.polling.load(Ordering::SeqCst);
    match synced.rare_mut() {
        Some(rare) if polling => {
            rare.reloads.make().dropped.push(id);
            shared.reload_open.store(true, Ordering::Release);
            synced.wake_driver(deferred);
        }
        _ => answer(synced, id, Ok(()), deferred),
    }
}

/// A share of a round of attempt `epoch` is answered, by who may come too late.
pub(crate) fn answer_of(
    synced: &mut Synced,
    shared: &Shared,
    (epoch, id): (u64, u32),
    result: Result<(), ReloadError>,
    deferred: &mut Deferred,
) {
    if shared.is_current(epoch) {
        answer(synced, id, result, deferred);
    } else {
        deferred.drop_answer(result.into());
    }
}

/// A share is answered.
pub(crate) fn answer(
    synced: &mut Synced,
    id: u32,
    answer: Result<(), ReloadError>,
    deferred: &mut Deferred,
) {
    let Some(round) = round(synced, id) else {
        deferred.drop_answer(answer.into());
        return;
    };
    round.held = round.held.saturating_sub(1);
    let result = match round.result.take() {
        Some(first) => {
            // One of the two is left over.
            deferred.drop_answer(answer.clone().into());
            combined(first, answer)
        }
        None => answer,
    };
    if !round.is_over() {
        round.result = Some(result);
        return;
    }
    if let Some(noted) = reloads(synced) {
        noted.rounds.retain(|round| round.id != id);
    }
    end_round(synced, id, result, deferred);
}

fn end_round(
    synced: &mut Synced,
    id: u32,
    result: Result<(), ReloadError>,
    deferred: &mut Deferred,
) {
    listeners::tell(synced, deferred, || EventKind::Reloaded(result.clone()));
    tell_requesters(synced, id, result, deferred);
}

fn tell_requesters(
    synced: &mut Synced,
    id: u32,
    result: Result<(), ReloadError>,
    deferred: &mut Deferred,
) {
    let answer = Answer::from(result);
    synced
        .waiters
        .answer(Topic::Reloaded(id), &answer, &mut deferred.wakes);
    deferred.drop_answer(answer);
}

/// The attempt ends, and with it what it has not answered.
#[inline]
pub(super) fn end_all(synced: &mut Synced, deferred: &mut Deferred) {
    let Some(Reloads { rounds, .. }) = reloads(synced).map(std::mem::take) else {
        return;
    };
    for Round { id, stage, .. } in rounds {
        match stage {
            RoundStage::Undecided => {
                tell_refused(synced, deferred);
                tell_requesters(synced, id, Err(ReloadError::Stopped), deferred);
            }
            RoundStage::Handed | RoundStage::Seen => {
                end_round(synced, id, Err(ReloadError::Stopped), deferred);
            }
        }
    }
}

/// Combines two answers: the first failure stands, or else it is done where anything has done it. Of one that does not run, or has
/// ended before it has answered, it is not known whether it supports a reload: then nobody says that none of them does.
pub(crate) fn combined(
    first: Result<(), ReloadError>,
    second: Result<(), ReloadError>,
) -> Result<(), ReloadError> {
    match (first, second) {
        (failed @ Err(ReloadError::Failed(_)), _) | (_, failed @ Err(ReloadError::Failed(_))) => {
            failed
        }
        (Ok(()), _) | (_, Ok(())) => Ok(()),
        (stopped @ Err(ReloadError::Stopped), _) | (_, stopped) => stopped,
    }
}
