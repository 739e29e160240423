//! The requests to a runner: each is one change of the engine, done when it returns.

mod start;
mod caller;
mod of_owner;
pub(crate) mod pending;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::{
    Allowed, ArmTimer, Deferred, Node, Shared, Synced, burst, deadline, drain, listeners, owners,
    record, reload, reporting, update,
};
use crate::engine::parent::Parent;
use crate::engine::waiters::{Answer, Topic};
use crate::report::error::{ReloadError, StartError, StopError};
use crate::report::failure::{Failure, RawFailure};
use crate::report::state::{Exit, Phase, State};
use crate::report::stop_reason::StopReason;
use crate::rules::lifecycle::{Input, StopStage};

use caller::reply;
pub(crate) use caller::{Caller, Reply, StartKind};
#[cfg(feature = "signal")]
pub(crate) use of_owner::keep_down;
pub(crate) use of_owner::{
    Down, Start, abort_part, record_of_part, start_part, stop_member, stop_orphan, stop_part,
    stop_share,
};
use start::StartRequest;

/// Asks for a start.
pub(crate) fn start(
    node: &Arc<dyn Node>,
    kind: StartKind,
    parent: Option<&Arc<Parent>>,
    wanted: Caller<'_>,
) -> Reply<Result<(), StartError>> {
    let mut asked = StartRequest::new(node.shared(), kind, parent, wanted);
    // It may have to stop first.
    let below = drain::below(&**node);
    let reply = update(node, |shared, synced, deferred| {
        drain::note_drain_below(synced, below);
        asked.make(shared, synced, deferred)
    });
    tell_of_drain(&**node);
    asked.look_again(node);
    reply
}

/// Asks for a stop, within `timeout` or else the service's own.
pub(crate) fn stop(
    node: &Arc<dyn Node>,
    timeout: Option<Duration>,
    wanted: Caller<'_>,
) -> Reply<Result<(), StopError>> {
    let allowed = timeout.map_or(Allowed::Own, Allowed::Within);
    stop_after_drain(node, allowed, StopReason::Requested, wanted)
}

/// The last handle is gone.
pub(crate) fn abandon(node: &Arc<dyn Node>) {
    // Without a handle nobody begins a cycle; who comes back to the service has one, and goes on with it.
    if node.shared().atomic_state.read().state() != State::Stopped {
        let stop = || stop_after_drain(node, Allowed::Own, StopReason::Abandoned, Caller::No);
        drop(burst::ask(stop));
    }
}

fn stop_after_drain(
    node: &Arc<dyn Node>,
    allowed: Allowed,
    reason: StopReason,
    wanted: Caller<'_>,
) -> Reply<Result<(), StopError>> {
    let below = drain::below(&**node);
    let reply = update(node, |shared, synced, deferred| {
        drain::note_drain_below(synced, below);
        stop_in(
            shared,
            synced,
            reason,
            wanted,
            deferred,
            |shared, synced, deferred| {
                begin_stop(shared, synced, allowed, wanted.arm(), deferred);
            },
        )
    });
    tell_of_drain(&**node);
    reply
}

/// Begins the drain of the parts of the service, if it drains.
fn tell_of_drain(node: &dyn Node) {
    if node.shared().current_stage() == StopStage::Draining {
        drain::tell_below(node);
    }
}

/// Begins a stop, or joins the one that has begun.
#[inline]
fn stop_in(
    shared: &Shared,
    synced: &mut Synced,
    reason: StopReason,
    wanted: Caller<'_>,
    deferred: &mut Deferred,
    begin: impl FnOnce(&Shared, &mut Synced, &mut Deferred),
) -> Reply<Result<(), StopError>> {
    if synced.state() == State::Stopped {
        return Reply::Now(Ok(()));
    }
    if let Some(stuck) = synced.unresponsive() {
        return Reply::Now(Err(StopError::Unresponsive(stuck.clone())));
    }
    let key = wanted.register(Topic::Stop, synced);
    listeners::note_reason(synced, reason);
    begin(shared, synced, deferred);
    reply(key, synced, Answer::stop)
}

#[inline]
fn begin_stop(
    shared: &Shared,
    synced: &mut Synced,
    allowed: Allowed,
    arm: ArmTimer,
    deferred: &mut Deferred,
) {
    drain::limit_stop(synced, shared, allowed, deferred);
    let input = match allowed {
        Allowed::Within(Duration::ZERO) => Input::Abort,
        _ => Input::Stop,
    };
    step_to_stop(shared, synced, input, arm, deferred);
}

/// Feeds the input of a stop, whose limit is noted, to the lifecycle.
#[inline]
fn step_to_stop(
    shared: &Shared,
    synced: &mut Synced,
    input: Input,
    arm: ArmTimer,
    deferred: &mut Deferred,
) {
    let joins = synced.state() == State::Stopping;
    synced.step(shared, input, arm, deferred);
    if joins {
        // The earliest deadline wins, and a group shares it out anew.
        deadline::arm(synced, shared, arm, deferred);
        synced.wake_driver(deferred);
    }
}

/// A stop that nobody waits for, where `asks` still holds.
fn begin_own_stop(
    node: &Arc<dyn Node>,
    reason: StopReason,
    asks: impl FnOnce(&Shared, &Synced) -> bool,
) {
    let below = drain::below(&**node);
    update(node, |shared, synced, deferred| {
        if synced.unresponsive().is_none() && asks(shared, synced) {
            drain::note_drain_below(synced, below);
            listeners::note_reason(synced, reason);
            begin_stop(shared, synced, Allowed::Own, ArmTimer::Now, deferred);
        }
    });
    tell_of_drain(&**node);
}

/// The parent with this number was cancelled.
pub(crate) fn stop_by_parent(node: &Arc<dyn Node>, id: u64) {
    begin_own_stop(node, StopReason::Parent, |_, synced| {
        let current = synced.parent().is_some_and(|parent| parent.id() == id);
        current && synced.state() != State::Stopped
    });
}

/// A service asks for its own stop.
pub(crate) fn stop_attempt(node: &Arc<dyn Node>, epoch: u64) {
    begin_own_stop(node, StopReason::Own, |shared, synced| {
        reporting::is_alive(synced, shared, epoch)
    });
}

/// A service asks for a stop of every outermost owner that it is a part of; of itself where it is a part of none.
pub(crate) fn stop_outermost_owners(node: &Arc<dyn Node>, epoch: u64) {
    let shared = node.shared();
    if !reporting::is_alive(&shared.synced(), shared, epoch) {
        return;
    }
    let mut seen = HashSet::new();
    let mut open = vec![Arc::clone(node)];
    while let Some(node) = open.pop() {
        if !seen.insert(Arc::as_ptr(&node).addr()) {
            continue;
        }
        let owners = owners::all(&node.shared().synced());
        if owners.is_empty() {
            begin_own_stop(&node, StopReason::Own, |_, synced| {
                synced.state() != State::Stopped
            });
        }
        open.extend(owners);
    }
}

/// A service asks for its own restart, unless nobody is left who could stop it then. Where its owner takes it down that is what
/// says whether it comes up again.
pub(crate) fn restart_attempt(node: &Arc<dyn Node>, epoch: u64) {
    let mut asked = StartRequest::new(node.shared(), StartKind::Restart, None, Caller::No);
    let below = drain::below(&**node);
    update(node, |shared, synced, deferred| {
        let is_free = synced.why != Some(StopReason::Group) && shared.is_wanted();
        if is_free && reporting::is_alive(synced, shared, epoch) {
            drain::note_drain_below(synced, below);
            asked.make(shared, synced, deferred);
        }
    });
    tell_of_drain(&**node);
    asked.look_again(node);
}

/// Records a failure that is none of an attempt.
pub(crate) fn record(node: &Arc<dyn Node>, fault: RawFailure) -> Failure {
    update(node, |shared, synced, deferred| {
        record::failure(synced, shared, Phase::Run, fault, deferred)
    })
}

/// Asks for a reload.
pub(crate) fn reload(node: &Arc<dyn Node>, wanted: Caller<'_>) -> Reply<Result<(), ReloadError>> {
    update(node, |shared, synced, deferred| {
        reload_in(synced, shared, wanted, deferred)
    })
}

/// The same under the lock.
pub(super) fn reload_in(
    synced: &mut Synced,
    shared: &Shared,
    wanted: Caller<'_>,
    deferred: &mut Deferred,
) -> Reply<Result<(), ReloadError>> {
    let Some(round) = reload::request(synced) else {
        reload::refuse(synced, deferred);
        return Reply::Now(Err(ReloadError::Stopped));
    };
    let key = wanted.register(Topic::Reloaded(round), synced);
    reload::hand_out(synced, shared, deferred);
    reply(key, synced, Answer::reload)
}

/// The last runner is gone: who watches a service that is stopped learns that nothing will change.
pub(crate) fn tell_watchers(node: &Arc<dyn Node>) {
    // Mostly nobody watches.
    if !listeners::is_watched(&node.shared().synced()) {
        return;
    }
    update(node, |_, synced, deferred| {
        synced
            .waiters
            .answer(Topic::Change, &Answer::Seen, &mut deferred.wakes);
        if synced.state() == State::Stopped {
            listeners::end_streams(synced, deferred);
        }
    });
}

/// Waits for the end of the cycle that is current now.
pub(crate) fn wait(shared: &Shared) -> Reply<Exit> {
    let mut synced = shared.synced();
    match synced.state() {
        State::Stopped => Reply::Now(synced.exit),
        _ => Reply::Later(synced.waiters.add(Topic::End)),
    }
}

/// Waits until the service rests: nothing of it runs and nothing follows, or its end was given up. One that was
/// started as a part of an owner and is no part of it any more has rested since.
pub(crate) fn wait_for_rest(shared: &Shared, owner: Option<usize>) -> Reply<()> {
    let mut synced = shared.synced();
    let has_left = owner.is_some_and(|owner| !owners::is_part_of(&synced, owner));
    if has_left || synced.state() == State::Stopped || synced.life.is_unresponsive() {
        return Reply::Now(());
    }
    Reply::Later(synced.waiters.add(Topic::Rest))
}

/// Waits for a state.
pub(crate) fn wait_for(shared: &Shared, state: State) -> Reply<()> {
    let mut synced = shared.synced();
    if synced.state() == state {
        return Reply::Now(());
    }
    Reply::Later(synced.waiters.add(Topic::Enter(state)))
}
