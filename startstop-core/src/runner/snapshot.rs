//! Snapshots of an engine.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::engine::{Node, Shared, availability, ended, listeners};
use crate::report::failure::Failure;
use crate::report::path::Path;
use crate::report::shared_name::SharedName;
use crate::report::state::{Exit, State};
use crate::report::status::{Children, Status};
use crate::report::text;
#[cfg(feature = "signal")]
use crate::report::text::Escaped;
use crate::service::Parts;
use crate::sync::clock;

/// Returns the last failure of the current or most recent cycle; without one, this takes no lock.
pub(crate) fn errors_last(shared: &Shared) -> Option<Failure> {
    if !shared.atomic_state.read().has_failed() {
        return None;
    }
    shared.synced().last_failure().cloned()
}

/// Returns the failures of the current or most recent cycle that the history holds.
pub(crate) fn errors_list(shared: &Shared) -> Vec<Failure> {
    if !shared.atomic_state.read().has_failed() {
        return Vec::new();
    }
    let (history, cycle) = {
        let synced = shared.synced();
        (synced.history(), synced.cycle)
    };
    let entries = history.entries();
    let first = entries.partition_point(|failure| failure.cycle_of_history() < cycle);
    entries[first..].to_vec()
}

/// Returns whether the last cycle was aborted and left a failure, as one does that ends with its runtime; without
/// a failure, this takes no lock.
pub(crate) fn was_aborted(node: &dyn Node) -> bool {
    let shared = node.shared();
    shared.atomic_state.read().has_failed() && shared.synced().exit == Exit::Aborted
}

/// A service as it is now, with what it is made of: the tree is walked without recursion.
pub(crate) fn status(root: &dyn Node) -> Status {
    let mut open = vec![StatusBranch::new(root, None)];
    loop {
        let Some(branch) = open.last_mut() else {
            unreachable!("the root is closed as the last")
        };
        if let Some((name, part)) = branch.parts.next() {
            let branch = StatusBranch::new(&*part, Some((&branch.status.path, &name)));
            open.push(branch);
            continue;
        }
        let Some(done) = open.pop() else {
            unreachable!("there is a last one")
        };
        match open.last_mut() {
            Some(above) => above.status.children.push(done.finish()),
            None => return done.finish(),
        }
    }
}

/// A service whose parts are being looked at.
struct StatusBranch {
    status: Status,
    parts: std::vec::IntoIter<(SharedName, Arc<dyn Node>)>,
}

impl StatusBranch {
    /// A service, as what it is a part of calls it: with the path of that.
    fn new(node: &dyn Node, place: Option<(&Path, &SharedName)>) -> Self {
        // Not under the lock: both are user code.
        let parts = node.parts();
        let children = if parts.is_empty() {
            node.children()
        } else {
            Vec::new()
        };
        let mut status = of_one(node.shared(), place);
        if !parts.is_empty() {
            status.children = Children::with_capacity(parts.len());
        }
        if !children.is_empty() {
            status.children = children.into();
            status = status.with_paths();
        }
        Self {
            status,
            parts: parts.into_iter(),
        }
    }

    /// Returns the status, when those of its parts are there.
    fn finish(self) -> Status {
        let mut status = self.status;
        let goes_on = matches!(status.state, State::Starting | State::Running);
        if goes_on && !status.ready && status.not_ready_reason.is_none() {
            status.not_ready_reason = unready(status.children()).map(Cow::Owned);
        }
        status
    }
}

/// Returns which parts keep an owner from being ready: those that are neither ready nor settled.
fn unready(children: &[Status]) -> Option<String> {
    let settled = |child: &Status| child.state == State::Stopped && child.cycles > 0;
    let unready = children
        .iter()
        .filter(|child| !child.ready && !settled(child));
    text::list(unready.clone().map(Status::name), unready.count())
}

fn of_one(shared: &Shared, place: Option<(&Path, &SharedName)>) -> Status {
    let mut synced = shared.synced();
    let path = match place {
        Some((owner, name)) => listeners::path_below(&mut synced, owner, name)
            .unwrap_or_else(|| owner.below(name.clone())),
        None => synced.path(&shared.settings),
    };
    let synced = &*synced;
    let atomic_state = shared.atomic_state.read();
    let now = clock::now();
    let uptime = match atomic_state.state() {
        State::Running => clock::between(atomic_state.since(), now),
        _ => Duration::ZERO,
    };
    let since = SystemTime::now().checked_sub(clock::between(atomic_state.since(), now));
    let said = synced.said();
    let checkpoint = said.and_then(|said| said.checkpoint);
    let age = |at| clock::between(at, now);
    let goes_on = matches!(atomic_state.state(), State::Starting | State::Running);
    Status {
        name: place
            .map_or_else(|| shared.name(), |(_, name)| name)
            .to_owned(),
        path,
        state: atomic_state.state(),
        ready: atomic_state.is_ready(),
        started: ended::has_started(synced),
        not_ready_reason: said
            .filter(|_| goes_on)
            .and_then(|said| said.not_ready.clone()),
        detail: said.and_then(|said| said.detail.clone()),
        gauges: said.map(|said| said.gauges.clone()).unwrap_or_default(),
        checkpoint: checkpoint.map(|(text, _)| text),
        checkpoint_age: checkpoint.map(|(_, at)| age(at)),
        heartbeat_age: availability::heartbeat_at(synced, shared).map(age),
        unresponsive: synced
            .unresponsive()
            .filter(|_| atomic_state.state() == State::Stopping)
            .cloned(),
        remaining: availability::stops_at(synced).map(|at| clock::between(now, at)),
        uptime,
        total_uptime: Duration::from_nanos(synced.ran) + uptime,
        total_downtime: Duration::from_nanos(availability::downtime(
            synced,
            atomic_state.since(),
            now,
        )),
        outages: availability::outages(synced),
        cycles: synced.cycle,
        attempt: synced.attempt(),
        attempts: shared.attempts(),
        restarts: synced.restarts(),
        failures: synced.history().total(),
        last_failure: synced.last_failure().cloned(),
        last_exit: synced.exit,
        since: since.unwrap_or(SystemTime::UNIX_EPOCH),
        next_attempt: synced.next_attempt().map(|at| clock::between(now, at)),
        children: Children::default(),
    }
}

/// Returns the statuses of the parts of a composite, under their names.
pub(crate) fn statuses(parts: Parts) -> Vec<Status> {
    parts
        .0
        .into_iter()
        .map(|(name, node)| status(&*node).named(&name))
        .collect()
}

/// Tells a line for each service that is still there although it was told to end: this one, and those below it.
#[cfg(feature = "signal")]
pub(crate) fn stuck(root: &dyn Node, mut tell: impl FnMut(String)) {
    tell(stuck_part(root));
    let mut below = root.parts();
    stuck_children(root, &mut tell);
    while let Some((_, part)) = below.pop() {
        if part.shared().atomic_state.read().state() == State::Stopping {
            tell(stuck_part(&*part));
            below.extend(part.parts());
            stuck_children(&*part, &mut tell);
        }
    }
}

#[cfg(feature = "signal")]
fn stuck_part(node: &dyn Node) -> String {
    let shared = node.shared();
    let mut synced = shared.synced();
    match synced.unresponsive() {
        Some(unresponsive) => unresponsive.to_string(),
        None => crate::engine::record::stuck_parts(&mut synced, shared).to_string(),
    }
}

/// Tells what is stuck below a service that has only statuses to show.
#[cfg(feature = "signal")]
fn stuck_children(node: &dyn Node, tell: &mut impl FnMut(String)) {
    let mut below = if node.parts().is_empty() {
        node.children()
    } else {
        Vec::new()
    };
    while let Some(status) = below.pop() {
        if status.state == State::Stopping {
            let path = Escaped(status.path());
            tell(format!(
                "service \"{path}\" is still stopping{}",
                last_checkpoint(&status)
            ));
        }
        below.extend_from_slice(status.children());
    }
}

#[cfg(feature = "signal")]
fn last_checkpoint(status: &Status) -> String {
    let Some(checkpoint) = status.checkpoint() else {
        return String::new();
    };
    let age = status.checkpoint_age().unwrap_or_default();
    format!(", {age:?} after checkpoint \"{}\"", Escaped(checkpoint))
}
