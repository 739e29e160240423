//! How long a stop may take, and the drain that comes first in it.
//!
//! `stop_timeout` counts from the end of the drain. A stop that is allowed so much and no more drains for half of that at
//! most. What is a part of a whole drains with it, and is up meanwhile: the stop that follows finds the drain behind it.

use std::sync::Arc;
use std::time::Duration;

use super::{ArmTimer, Deferred, Node, Shared, Synced, grace, update};
use crate::report::state::State;
use crate::report::stop_reason::StopReason;
use crate::rules::lifecycle::{Input, Rules, StopStage};
use crate::rules::span::Span;
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
pub(crate) fn below<N: Node + ?Sized>(node: &N) -> Duration {
    let shared = node.shared();
    // Else nothing drains; and a runner at each level that is dropped must not look at all below.
    if shared.settings.own_drain().is_some() || !shared.atomic_state.read().is_running() {
        return Duration::ZERO;
    }
    grace::drain_below(node)
}

/// Has what a service is made of drain with it, down to the leaves.
pub(crate) fn tell_below<N: Node + ?Sized>(node: &N) {
    let mut open = node.parts();
    while let Some((_, part)) = open.pop() {
        if update(&part, |shared, synced, deferred| synced.drain_with_whole(shared, deferred)) {
            open.extend(part.parts());
        }
    }
}

/// Has a part drain with its whole, and what that is made of.
pub(crate) fn tell(part: &Arc<dyn Node>) {
    if update(part, |shared, synced, deferred| synced.drain_with_whole(shared, deferred)) {
        tell_below(&**part);
    }
}

impl Synced {
    /// Notes when a stop that begins or goes on now has to be over: the earliest deadline wins.
    #[inline]
    pub(crate) fn limit_stop(
        &mut self,
        shared: &Shared,
        allowed: Allowed,
        deferred: &mut Deferred,
    ) {
        let now = deferred.now();
        let drained = self.plan_drain(shared, now);
        let due = match allowed {
            Allowed::Own => clock::later(drained.unwrap_or(now), shared.settings.stop_timeout()),
            Allowed::Within(timeout) => clock::later(now, timeout),
        };
        let needed = drained.is_some() || shared.settings.stop_timeout().is_zero();
        self.note_limit(allowed, needed, now);
        self.stop_by(due);
    }

    /// The same for a stop that does not drain; whether that is earlier than any before.
    pub(crate) fn limit_stop_now(
        &mut self,
        shared: &Shared,
        allowed: Allowed,
        deferred: &mut Deferred,
    ) -> bool {
        let timeout = match allowed {
            Allowed::Own => shared.settings.stop_timeout(),
            Allowed::Within(timeout) => timeout,
        };
        self.note_limit(allowed, shared.settings.stop_timeout().is_zero(), deferred.now());
        self.stop_by(clock::later(deferred.now(), timeout))
    }

    fn stop_by(&mut self, due: u64) -> bool {
        if due >= self.stop_at {
            return false;
        }
        self.stop_at = due;
        if let Some(rare) = self.rare_if(false) {
            // What is earlier than the deadline of the whole is not kept by it.
            rare.whole_keeps = false;
        }
        true
    }

    /// A drain takes at most half of what is allowed, and one that is cut short leaves the time to what follows.
    fn note_limit(&mut self, allowed: Allowed, needed: bool, now: u64) {
        let first = !self.life.is_asked();
        let Some(rare) = self.rare_if(needed) else { return };
        match allowed {
            Allowed::Own => rare.limited = false,
            Allowed::Within(timeout) => {
                rare.drain_at = rare.drain_at.min(clock::later(now, timeout / 2));
                rare.limited |= first;
            }
        }
    }

    /// When the drain is over that comes first in a stop that begins now, or that goes on.
    fn plan_drain(&mut self, shared: &Shared, now: u64) -> Option<u64> {
        let drain = self.drain(shared);
        let began = match (self.state(), self.life.stage()) {
            (State::Stopping, StopStage::Draining) => {
                return self.rare.as_ref().map(|rare| rare.drain_at);
            }
            (State::Running, _) if drain.is_zero() => return None,
            (State::Running, StopStage::Alive) => now,
            (State::Running, StopStage::Draining) => self.rare().drain_at,
            _ => return None,
        };
        let end = clock::later(began, drain);
        self.rare().drain_at = end;
        Some(end)
    }

    /// How long the service drains: as long as it says, or else as long as what it is made of.
    pub(super) fn drain(&self, shared: &Shared) -> Duration {
        let below = || self.rare.as_ref().map_or(Duration::ZERO, |rare| rare.drain_below);
        shared.settings.own_drain().unwrap_or_else(below)
    }

    /// Notes how long the composite may take to stop.
    pub(super) fn note_span(&mut self, span: Span) {
        self.rare().span = Some(span);
    }

    pub(super) fn take_span(&mut self) -> Option<Span> {
        self.rare_if(false)?.span.take()
    }

    /// Notes the longest drain of what the service is made of.
    pub(crate) fn note_drain_below(&mut self, drain: Duration) {
        if let Some(rare) = self.rare_if(!drain.is_zero()) {
            rare.drain_below = drain;
        }
    }

    /// The whole that this is a part of drains; whether this does so from now on.
    pub(crate) fn drain_with_whole(&mut self, shared: &Shared, deferred: &mut Deferred) -> bool {
        if self.state() != State::Running || self.life.stage() != StopStage::Alive {
            return false;
        }
        self.note_reason(StopReason::Group);
        self.rare().drain_at = deferred.now();
        self.step(shared, Input::Drain, ArmTimer::ByDriver, deferred);
        self.life.stage() == StopStage::Draining
    }

    /// The drain is over: what follows has its time from now on.
    pub(super) fn end_drain(&mut self, shared: &Shared, now: u64) {
        if !self.is_limited() {
            self.stop_at = self.stop_at.min(clock::later(now, shared.settings.stop_timeout()));
        }
        self.rare().drain_at = now;
    }

    /// Since when the service has been told to end, without its drain.
    pub(super) fn told_at(&self, shared: &Shared) -> u64 {
        let since = shared.atomic_state.read().since();
        let drained = self.rare.as_ref().map_or(0, |rare| rare.drain_at);
        if self.life.stage() == StopStage::Draining {
            since
        } else {
            since.max(drained.min(clock::now()))
        }
    }

    /// The rules of the service, as they are now.
    pub(super) fn rules(&self, shared: &Shared) -> Rules {
        let rules = shared.rules();
        let aborts = rules.aborts && !self.is_limited();
        Rules { drains: !self.drain(shared).is_zero(), aborts, ..rules }
    }

    /// Whether the time of the stop was said by who has asked for it.
    pub(super) fn is_limited(&self) -> bool {
        self.rare.as_ref().is_some_and(|rare| rare.limited)
    }
}
