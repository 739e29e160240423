//! How long a stop may take, and the drain that comes first in it.
//!
//! `stop_timeout` counts from the end of the drain. A stop that is allowed so much and no more drains for half of that at
//! most. What is a part of an owner drains with it, and is up meanwhile: the stop that follows finds the drain behind it.

use std::sync::Arc;
use std::time::Duration;

use super::{ArmTimer, Deferred, Node, Shared, Synced, grace, listeners, update};
use crate::report::state::State;
use crate::report::stop_reason::StopReason;
use crate::rules::lifecycle::{Input, StopStage};
use crate::rules::span::Span;
use crate::settings::Rules;
use crate::sync::clock;

/// How long a stop may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// As long as the service says, after the drain.
    Own,
    /// So long, the drain included.
    Within(Duration),
}

/// The longest drain of what a service is made of, where the service is up and says nothing of its own.
#[inline]
pub(crate) fn below(node: &dyn Node) -> Duration {
    let shared = node.shared();
    // Else nothing drains; and a runner at each level that is dropped must not look at all below.
    if !shared.marks.may_have_parts()
        || shared.settings.own_drain().is_some()
        || !shared.atomic_state.read().is_running()
    {
        return Duration::ZERO;
    }
    grace::drain_below(node)
}

/// Begins the drain of all parts of a service, down to the leaves.
pub(crate) fn tell_below(node: &dyn Node) {
    let mut open = node.parts();
    while let Some((_, part)) = open.pop() {
        if update(&part, |shared, synced, deferred| {
            drain_with_owner(synced, shared, deferred)
        }) {
            open.extend(part.parts());
        }
    }
}

/// Begins the drain of a part, whose owner drains, and of the parts of that.
pub(crate) fn tell(part: &Arc<dyn Node>) {
    if update(part, |shared, synced, deferred| {
        drain_with_owner(synced, shared, deferred)
    }) {
        tell_below(&**part);
    }
}

/// Notes when a stop that begins or goes on now has to be over: the earliest deadline wins.
#[inline]
pub(crate) fn limit_stop(
    synced: &mut Synced,
    shared: &Shared,
    allowed: Allowed,
    deferred: &mut Deferred,
) {
    let now = deferred.now();
    let drained = plan_drain(synced, shared, now);
    limit_after(synced, shared, allowed, drained, now);
}

/// The same for a stop that does not drain; whether that is earlier than any before.
pub(crate) fn limit_stop_now(
    synced: &mut Synced,
    shared: &Shared,
    allowed: Allowed,
    deferred: &mut Deferred,
) -> bool {
    limit_after(synced, shared, allowed, None, deferred.now())
}

/// The same after a drain that is over at `drained`, if there is one.
#[inline]
fn limit_after(
    synced: &mut Synced,
    shared: &Shared,
    allowed: Allowed,
    drained: Option<u64>,
    now: u64,
) -> bool {
    let stop_timeout = shared.settings.stop_timeout();
    let due = match allowed {
        Allowed::Own => clock::later(drained.unwrap_or(now), stop_timeout),
        Allowed::Within(timeout) => clock::later(now, timeout),
    };
    if drained.is_some() || stop_timeout.is_zero() {
        synced.cold();
    }
    note_limit(synced, allowed, now);
    stop_by(synced, due)
}

fn stop_by(synced: &mut Synced, due: u64) -> bool {
    if due >= synced.stop_at {
        return false;
    }
    synced.stop_at = due;
    if let Some(cold) = synced.cold.get_mut() {
        // What is earlier than the deadline of the owner is not kept by it.
        cold.stop.left_to_owner = false;
    }
    true
}

/// A drain takes at most half of what is allowed, and one that is cut short leaves the time to what follows.
fn note_limit(synced: &mut Synced, allowed: Allowed, now: u64) {
    let first = !synced.life.is_asked();
    let Some(cold) = synced.cold.get_mut() else {
        return;
    };
    match allowed {
        Allowed::Own => cold.stop.limited = false,
        Allowed::Within(timeout) => {
            cold.drain_at = cold.drain_at.min(clock::later(now, timeout / 2));
            cold.stop.limited |= first;
        }
    }
}

/// Returns when the drain is over that comes first in a stop that begins now, or that goes on.
fn plan_drain(synced: &mut Synced, shared: &Shared, now: u64) -> Option<u64> {
    let drain = drain(synced, shared);
    let began = match (synced.state(), synced.life.stage()) {
        (State::Stopping, StopStage::Draining) => {
            return synced.cold.get().map(|cold| cold.drain_at);
        }
        (State::Running, _) if drain.is_zero() => return None,
        (State::Running, StopStage::Alive) => now,
        (State::Running, StopStage::Draining) => synced.cold().drain_at,
        _ => return None,
    };
    let end = clock::later(began, drain);
    synced.cold().drain_at = end;
    Some(end)
}

/// Returns how long the service drains: as long as it says, or else as long as what it is made of.
pub(super) fn drain(synced: &Synced, shared: &Shared) -> Duration {
    let below = || {
        synced
            .rare()
            .map_or(Duration::ZERO, |rare| rare.drain_below)
    };
    shared.settings.own_drain().unwrap_or_else(below)
}

/// Notes how long the composite may take to stop.
pub(super) fn note_span(synced: &mut Synced, span: Span) {
    synced.make_rare().span.set(span);
}

pub(super) fn take_span(synced: &mut Synced) -> Option<Span> {
    synced.rare_mut()?.span.take()
}

/// Notes the longest drain of what the service is made of.
pub(crate) fn note_drain_below(synced: &mut Synced, drain: Duration) {
    if !drain.is_zero() {
        synced.make_rare();
    }
    if let Some(rare) = synced.rare_mut() {
        rare.drain_below = drain;
    }
}

/// The owner that this is a part of drains; whether this does so from now on.
pub(crate) fn drain_with_owner(
    synced: &mut Synced,
    shared: &Shared,
    deferred: &mut Deferred,
) -> bool {
    if synced.state() != State::Running || synced.life.stage() != StopStage::Alive {
        return false;
    }
    listeners::note_reason(synced, StopReason::Group);
    synced.cold().drain_at = deferred.now();
    synced.step(shared, Input::Drain, ArmTimer::ByDriver, deferred);
    synced.life.stage() == StopStage::Draining
}

/// The drain is over: what follows has its time from now on.
pub(super) fn end_drain(synced: &mut Synced, shared: &Shared, now: u64) {
    if !is_limited(synced) {
        synced.stop_at = synced
            .stop_at
            .min(clock::later(now, shared.settings.stop_timeout()));
    }
    synced.cold().drain_at = now;
}

/// Returns since when the service has been told to end, without its drain.
pub(super) fn told_at(synced: &Synced, shared: &Shared) -> u64 {
    let since = shared.atomic_state.read().since();
    let drained = synced.cold.get().map_or(0, |cold| cold.drain_at);
    if synced.life.stage() == StopStage::Draining {
        since
    } else {
        since.max(drained.min(clock::now()))
    }
}

/// Returns the rules of the service, as they are now.
pub(super) fn rules(synced: &Synced, shared: &Shared) -> Rules {
    let rules = shared.rules();
    let Some(cold) = synced.cold.get() else {
        return rules;
    };
    let below = cold
        .rare
        .get()
        .map_or(Duration::ZERO, |rare| rare.drain_below);
    let drains_below = !below.is_zero() && shared.settings.own_drain().is_none();
    Rules {
        drains: rules.drains || drains_below,
        aborts: rules.aborts && !cold.stop.limited,
        ..rules
    }
}

/// Returns whether the time of the stop was said by who has asked for it.
pub(super) fn is_limited(synced: &Synced) -> bool {
    synced.cold.get().is_some_and(|cold| cold.stop.limited)
}
