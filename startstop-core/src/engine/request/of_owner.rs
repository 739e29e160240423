//! The requests that an owner makes to its parts.

use std::sync::Arc;
use std::time::Duration;

use super::{Caller, Reply, StartKind, StartRequest, step_to_stop, stop_in};
use crate::engine::attempt_guard::AttemptGuard;
use crate::engine::{Allowed, ArmTimer, Node, deadline, drain, listeners, owners, record, update};
use crate::report::error::{StartError, StopError};
use crate::report::failure::Failure;
use crate::report::state::State;
use crate::report::stop_reason::StopReason;
use crate::rules::lifecycle::Input;

/// The kind of start that an owner asks of its part: the first one, or a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    First,
    Again,
}

/// Starts the service as a part of an owner, which it holds from its end until it has ended itself. A
/// service that runs already is adopted as it is; with an owner that goes down nothing is started.
pub(crate) fn start_part(
    node: &Arc<dyn Node>,
    guard: AttemptGuard,
    start: Start,
    wanted: Caller<'_>,
) -> Reply<Result<(), StartError>> {
    let kind = match start {
        Start::First => StartKind::ByOwner,
        Start::Again => StartKind::Ensure,
    };
    let mut asked = StartRequest::new(node.shared(), kind, None, wanted);
    let (reply, rest) = update(node, |shared, synced, deferred| {
        // Under the lock: either this sees that the owner goes down, or who stops this part for it finds it started.
        if guard.goes_down() {
            return (Reply::Now(Err(StartError::Stopped)), Some(guard));
        }
        if start == Start::Again {
            synced.count_restart();
        }
        let reply = asked.make(shared, synced, deferred);
        (reply, owners::keep_guard(synced, guard))
    });
    // Outside of the lock: it may be the last thing that the owner waits for.
    drop(rest);
    asked.look_again(node);
    reply
}

/// How long a part that its owner tells to stop stays down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Down {
    /// Until anybody starts it.
    ForNow,
    /// As long as the owner goes down, or parts with it: what the part asks for itself meanwhile comes too late.
    ForGood,
}

/// The one who keeps the deadline of a stop that begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Here,
    /// The owner, which aborts its parts then.
    ByOwner,
}

/// Asks a part for a stop, with the time that its owner has left: the smaller of both deadlines counts. If the part
/// drains, it has done so with the owner.
pub(crate) fn stop_part(
    node: &Arc<dyn Node>,
    left: Option<Duration>,
    wanted: Caller<'_>,
) -> Reply<Result<(), StopError>> {
    stop_with_owner(node, left, (Kept::ByOwner, Down::ForNow), wanted)
}

/// The same for a member of a group.
pub(crate) fn stop_member(node: &Arc<dyn Node>, left: Option<Duration>, down: Down) {
    stop_with_owner(node, left, (Kept::ByOwner, down), Caller::No);
}

/// The same within a share of that time, whose end the part keeps by itself.
pub(crate) fn stop_share(node: &Arc<dyn Node>, share: Duration, down: Down) {
    stop_with_owner(node, Some(share), (Kept::Here, down), Caller::No);
}

/// The same for a part that its owner leaves behind: nobody is left who would keep the deadline of the owner for it.
pub(crate) fn stop_orphan(node: &Arc<dyn Node>, left: Option<Duration>) {
    stop_with_owner(node, left, (Kept::Here, Down::ForNow), Caller::No);
}

fn stop_with_owner(
    node: &Arc<dyn Node>,
    left: Option<Duration>,
    (kept, down): (Kept, Down),
    wanted: Caller<'_>,
) -> Reply<Result<(), StopError>> {
    let shorter = left.filter(|left| *left < node.shared().settings.stop_timeout());
    let (allowed, kept) = match shorter {
        // Zero would ask for an abort.
        Some(left) => (Allowed::Within(left.max(Duration::from_nanos(1))), kept),
        None => (Allowed::Own, Kept::Here),
    };
    update(node, |shared, synced, deferred| {
        stop_in(
            shared,
            synced,
            StopReason::Group,
            wanted,
            deferred,
            |shared, synced, deferred| {
                if down == Down::ForGood {
                    synced.cold().stop.for_good = true;
                }
                let earlier = drain::limit_stop_now(synced, shared, allowed, deferred);
                if kept == Kept::ByOwner && earlier {
                    deadline::leave_to_owner(synced);
                }
                step_to_stop(shared, synced, Input::StopNow, wanted.arm(), deferred);
            },
        )
    })
}

/// The service of a program is told to stop next, and for good: what it asks for itself meanwhile comes too late.
#[cfg(feature = "signal")]
pub(crate) fn keep_down(node: &Arc<dyn Node>) {
    update(node, |_, synced, _| {
        if synced.state() != State::Stopped {
            synced.cold().stop.for_good = true;
        }
    });
}

/// The deadline of the owner has passed: what is left of this part of it is aborted.
pub(crate) fn abort_part(node: &Arc<dyn Node>) {
    update(node, |shared, synced, deferred| {
        let input = match synced.state() {
            State::Stopping if synced.life.is_asked() => Input::StopDue,
            _ => Input::Abort,
        };
        listeners::note_reason(synced, StopReason::Group);
        synced.step(shared, input, ArmTimer::Now, deferred);
    });
}

/// Puts a failure of a part into the history of its owner too.
pub(crate) fn record_of_part(node: &Arc<dyn Node>, failure: &Failure) {
    update(node, |shared, synced, deferred| {
        record::note_of_part(synced, shared, failure, deferred);
    });
}
