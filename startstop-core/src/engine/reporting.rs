//! The reports of a service on itself in its attempt: whether it can do its job, what it is about to do, how far it is.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{ArmTimer, Deferred, Shared, Synced, deadline};
use crate::report::state::State;
use crate::rules::lifecycle::Input;
use crate::sync::clock;

/// The reports of the service in its attempt.
#[derive(Default)]
pub(crate) struct Reported {
    /// The text beside the state.
    pub(crate) detail: Option<Cow<'static, str>>,
    /// Numbers of its own, by their names.
    pub(crate) gauges: Vec<(&'static str, f64)>,
    /// The checkpoint that it has passed, with the time when it said so.
    pub(crate) checkpoint: Option<(&'static str, u64)>,
    /// Why it is not ready for now.
    pub(crate) not_ready: Option<Cow<'static, str>>,
    /// Until when a start that was extended may take.
    pub(super) extended_to: u64,
    /// How many waits of the service count as signs of life.
    pub(super) waits: u32,
}

/// Returns whether attempt `epoch` is the current one and something of it is alive.
pub(crate) fn is_alive(synced: &Synced, shared: &Shared, epoch: u64) -> bool {
    shared.is_current(epoch) && synced.life.is_alive()
}

/// The service can do its job now.
pub(crate) fn say_ready(synced: &mut Synced, shared: &Shared, deferred: &mut Deferred) {
    let was_taken_back = synced
        .rare_mut()
        .and_then(|rare| rare.said.get_mut()?.not_ready.take());
    synced.step(shared, Input::Ready, ArmTimer::Now, deferred);
    if was_taken_back.is_some() {
        synced.publish(shared, deferred);
    }
}

/// The service cannot do its job for now. While it starts the reason is only noted.
pub(crate) fn say_not_ready(
    synced: &mut Synced,
    shared: &Shared,
    reason: Cow<'static, str>,
    deferred: &mut Deferred,
) {
    if matches!(synced.state(), State::Starting | State::Running) {
        synced.make_rare().said.make().not_ready = Some(reason);
        synced.publish(shared, deferred);
    }
}

/// A composite has started; whether it is ready at this moment, or why it is not.
pub(crate) fn show_readiness(
    synced: &mut Synced,
    shared: &Shared,
    reason: Option<Cow<'static, str>>,
    deferred: &mut Deferred,
) {
    if matches!(synced.state(), State::Starting | State::Running) {
        let said = &mut synced.make_rare().said;
        if reason.is_some() || said.get().is_some() {
            said.make().not_ready = reason;
        }
        synced.step(shared, Input::Ready, ArmTimer::Now, deferred);
        synced.publish(shared, deferred);
    }
}

/// Returns whether the service has taken its readiness back.
pub(super) fn is_taken_back(synced: &Synced) -> bool {
    synced.said().is_some_and(|said| said.not_ready.is_some())
}

/// Sets what is shown beside the state from now on.
pub(crate) fn set_detail(synced: &mut Synced, detail: Cow<'static, str>) {
    synced.make_rare().said.make().detail = Some(detail);
}

/// Sets a number of the service's own.
pub(crate) fn set_gauge(synced: &mut Synced, name: &'static str, value: f64) {
    put_gauge(&mut synced.make_rare().said.make().gauges, name, value);
}

/// Replaces the number of this name, or adds it.
pub(crate) fn put_gauge(gauges: &mut Vec<(&'static str, f64)>, name: &'static str, value: f64) {
    match gauges.iter_mut().find(|(other, _)| *other == name) {
        Some((_, old)) => *old = value,
        None => gauges.push((name, value)),
    }
}

/// Notes what the service is about to do.
pub(crate) fn pass_checkpoint(synced: &mut Synced, name: &'static str, deferred: &mut Deferred) {
    let now = deferred.now();
    synced.make_rare().said.make().checkpoint = Some((name, now));
}

/// Returns what the service was last about to do, and how long ago it said so.
pub(super) fn checkpoint(synced: &Synced, now: u64) -> Option<(&'static str, Duration)> {
    let (name, at) = synced.said()?.checkpoint?;
    Some((name, clock::between(at, now)))
}

/// Puts the deadline of a start off, if that comes before this time.
pub(crate) fn extend_start(synced: &mut Synced, by: Duration, deferred: &mut Deferred) {
    let until = clock::later(deferred.now(), by);
    if synced.state() == State::Starting && deadline::put_start_off(synced, until) {
        synced.make_rare().said.make().extended_to = until;
    }
}

/// Returns how long a start that is late had.
pub(super) fn start_allowance(synced: &Synced, shared: &Shared) -> Duration {
    let extended_to = synced.said().map_or(0, |said| said.extended_to);
    shared
        .settings
        .start_timeout()
        .max(clock::between(synced.began_at, extended_to))
}

/// The service of attempt `epoch` begins to wait for what counts as a sign of life; says whether it does.
pub(crate) fn begin_wait(synced: &mut Synced, shared: &Shared, epoch: u64) -> bool {
    let alive = is_alive(synced, shared, epoch);
    if alive {
        synced.make_rare().said.make().waits += 1;
    }
    alive
}

/// Such a wait is over. It does not begin the watch of a service that starts.
pub(crate) fn end_wait(synced: &mut Synced, shared: &Shared, epoch: u64) {
    if !shared.is_current(epoch) {
        return;
    }
    let rare = synced.rare_mut();
    let Some(said) = rare.and_then(|rare| rare.said.get_mut()) else {
        return;
    };
    said.waits = said.waits.saturating_sub(1);
    if let Some((_, beat)) = shared.settings.watch() {
        if beat.load(Ordering::Acquire) > 0 {
            beat.store(clock::now(), Ordering::Release);
        }
    }
}

/// Returns whether the service waits for something that counts as a sign of life.
pub(super) fn waits(synced: &Synced) -> bool {
    synced.said().is_some_and(|said| said.waits > 0)
}

/// The attempt is over: what it was is not shown any more, but for its last checkpoint.
#[inline]
pub(super) fn forget_what_was_said(synced: &mut Synced) {
    let said = synced.rare_mut().and_then(|rare| rare.said.get_mut());
    if let Some(said) = said {
        *said = Reported {
            checkpoint: said.checkpoint,
            ..Reported::default()
        };
    }
}
