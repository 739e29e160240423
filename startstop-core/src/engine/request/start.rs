//! A start that is asked for: admitted or refused, and made under the lock.

use std::sync::Arc;

use tokio::runtime::Handle;

use super::caller::{Caller, Reply, StartKind, reply};
use super::stop_by_parent;
use crate::engine::parent::Parent;
use crate::engine::waiters::{Answer, Topic};
use crate::engine::{Allowed, Deferred, Node, Shared, Synced, drain, listeners, record};
use crate::report::error::StartError;
use crate::report::failure::RawFailure;
use crate::report::state::{Phase, State};
use crate::report::stop_reason::StopReason;
use crate::sync::has_timers;

/// A start, with what of it is found out before the lock, and what is to be looked at after it.
pub(super) struct StartRequest<'a> {
    kind: StartKind,
    parent: Option<&'a Arc<Parent>>,
    wanted: Caller<'a>,
    /// Whether the parent that the new cycle would have is cancelled.
    cancelled: bool,
    here: Option<Handle>,
    /// The parent that the new cycle has kept.
    kept: Option<Arc<Parent>>,
}

impl<'a> StartRequest<'a> {
    pub(super) fn new(
        shared: &Shared,
        kind: StartKind,
        parent: Option<&'a Arc<Parent>>,
        wanted: Caller<'a>,
    ) -> Self {
        let cancelled = is_parent_cancelled(shared, kind, parent);
        let here = Handle::try_current().ok().filter(has_timers);
        Self {
            kind,
            parent,
            wanted,
            cancelled,
            here,
            kept: None,
        }
    }

    pub(super) fn make(
        &mut self,
        shared: &Shared,
        synced: &mut Synced,
        deferred: &mut Deferred,
    ) -> Reply<Result<(), StartError>> {
        let Self {
            kind,
            parent,
            wanted,
            ..
        } = *self;
        let on = match self.admit(synced) {
            Ok(on) => on,
            Err(error) => return refuse(shared, synced, error, wanted, deferred),
        };
        if kind.ensures() && synced.state() == State::Running {
            return Reply::Now(Ok(()));
        }
        let is_found_at_rest = kind == StartKind::ByOwner
            && kind.begins_cycle(synced.state())
            && !synced.life.has_next();
        if kind == StartKind::Start || is_found_at_rest {
            if parent.is_some() {
                synced.make_rare();
            }
            let rare = synced.rare_mut();
            let old =
                rare.and_then(|rare| std::mem::replace(&mut rare.parent, parent.map(Arc::clone)));
            deferred.drop_parent(old);
        }
        let key = wanted.register(Topic::Start, synced);
        self.kept = synced
            .parent()
            .filter(|_| kind != StartKind::Start)
            .cloned();
        begin(shared, synced, kind, on, wanted, deferred);
        reply(key, synced, Answer::start)
    }

    /// Returns where the cycle runs that a start begins, or why there will be none.
    fn admit(&mut self, synced: &Synced) -> Result<Option<Handle>, StartError> {
        let Self { kind, wanted, .. } = *self;
        let state = synced.state();
        if kind.ensures() && state == State::Running {
            return Ok(None);
        }
        if self.cancelled {
            return Err(StartError::Cancelled);
        }
        if synced.life.is_unresponsive() {
            return Err(StartError::Unresponsive);
        }
        if !kind.begins_cycle(state) {
            return Ok(None);
        }
        // A request from a thread without a runtime goes back to where the service ran.
        let there = || synced.runtime().filter(|_| matches!(wanted, Caller::No));
        self.here
            .take()
            .or_else(there)
            .map(Some)
            .ok_or(StartError::NoRuntime)
    }

    /// The parent may have been cancelled since it was looked at, and may have found nothing to stop then.
    pub(super) fn look_again(self, node: &Arc<dyn Node>) {
        if let Some(parent) = self.kept.filter(|parent| parent.is_cancelled()) {
            stop_by_parent(node, parent.id());
        }
    }
}

/// Returns whether the parent that the new cycle would have is cancelled. Not under the lock: see invariant 1
/// of [`parent`](crate::engine::parent).
fn is_parent_cancelled(shared: &Shared, kind: StartKind, parent: Option<&Arc<Parent>>) -> bool {
    match kind {
        StartKind::Start => parent.is_some_and(|parent| parent.is_cancelled()),
        // It is let go, or stops the cycle that is there by itself.
        StartKind::ByOwner => false,
        StartKind::Ensure | StartKind::Restart => {
            let parent = shared.synced().parent().cloned();
            parent.is_some_and(|parent| parent.is_cancelled())
        }
    }
}

/// A start that was refused. Whoever waits is told; else it is recorded, or nobody would learn of it.
fn refuse(
    shared: &Shared,
    synced: &mut Synced,
    error: StartError,
    wanted: Caller<'_>,
    deferred: &mut Deferred,
) -> Reply<Result<(), StartError>> {
    if let Caller::No = wanted {
        record::note(
            synced,
            shared,
            Phase::Run,
            RawFailure::of(|| error.clone().into()),
            deferred,
        );
    }
    Reply::Now(Err(error))
}

fn begin(
    shared: &Shared,
    synced: &mut Synced,
    kind: StartKind,
    on: Option<Handle>,
    wanted: Caller<'_>,
    deferred: &mut Deferred,
) {
    let state = synced.state();
    if kind.replaces(state) {
        listeners::note_reason(synced, StopReason::Restart);
        drain::limit_stop(synced, shared, Allowed::Own, deferred);
    }
    match on {
        Some(on) if state == State::Stopped => synced.run_on(on),
        Some(on) => synced.move_next_to(on),
        None => {}
    }
    synced.step(shared, kind.input(), wanted.arm(), deferred);
}
