//! The restart policy is asked about an attempt that is over: whether another one follows, and when.

use std::sync::Arc;
use std::time::Duration;

use super::driver_step::RetryAnswer;
use super::{Deferred, Shared, Synced, owners, record};
use crate::report::failure::Failure;
use crate::report::state::State;
use crate::rules::lifecycle::Input;
use crate::rules::restart_counter::Decision;
use crate::settings::restart_policy::RetryIf;
use crate::sync::clock;

/// Returns what the policy's predicate has to be asked, which is user code, before the attempt can be
/// settled.
#[inline]
pub(super) fn open_question(synced: &Synced, shared: &Shared) -> Option<(RetryIf, Failure)> {
    let policy = shared.settings.restart()?;
    let predicate = policy.retry_if.as_ref()?;
    let rare = synced.rare()?;
    let failure = rare.ended_by.as_ref()?;
    let answer = synced.cold.get().and_then(|cold| cold.retry);
    let open = answer.is_none() && synced.life.may_retry() && policy.wants(Some(failure));
    open.then(|| (Arc::clone(predicate), failure.clone()))
}

/// Returns the delay before the next attempt, if the policy wants one.
pub(super) fn next_delay(
    synced: &mut Synced,
    shared: &Shared,
    deferred: &mut Deferred,
) -> Option<Duration> {
    let policy = shared.settings.restart()?;
    if !synced.life.may_retry() || owners::is_draining(synced) {
        return None;
    }
    let answer = synced.cold().retry;
    let ended_by = synced.rare().and_then(|rare| rare.ended_by.as_ref());
    let wanted = policy.wants(ended_by) && answer != Some(RetryAnswer::End);
    if !wanted {
        return None;
    }
    let atomic_state = shared.atomic_state.read();
    let now = deferred.now();
    let healthy = match atomic_state.state() {
        State::Running => clock::between(atomic_state.since(), now),
        _ => synced.healthy(),
    };
    match synced
        .make_rare()
        .retries
        .make()
        .decide(policy, healthy, now)
    {
        Decision::After(delay) => Some(delay),
        Decision::LimitReached(max, window) => {
            record::limit(synced, shared, max, window, deferred);
            synced.life.step(Input::Exhausted, shared.rules());
            None
        }
    }
}
