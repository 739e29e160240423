//! Snapshots of a core.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::clock;
use crate::core::{Core, Node};
use crate::failure::Failure;
use crate::service::Parts;
use crate::state::{Exit, State};
use crate::status::Status;

/// The last failure of the current or most recent cycle; without one, this takes no lock.
pub(crate) fn errors_last(core: &Core) -> Option<Failure> {
    if !core.word.read().has_failed() {
        return None;
    }
    core.cell().last_failure().cloned()
}

/// The failures of the current or most recent cycle that the history holds.
pub(crate) fn errors_list(core: &Core) -> Vec<Failure> {
    if !core.word.read().has_failed() {
        return Vec::new();
    }
    let (history, cycle) = {
        let cell = core.cell();
        (cell.history(), cell.cycle)
    };
    let entries = history.entries();
    let first = entries.partition_point(|failure| failure.cycle() < cycle);
    entries[first..].to_vec()
}

/// Whether the last cycle was aborted and left a failure, as one does that ends with its runtime; without
/// a failure, this takes no lock.
pub(crate) fn was_aborted(node: &dyn Node) -> bool {
    let core = node.core();
    core.word.read().has_failed() && core.cell().exit == Exit::Aborted
}

/// A service as it is now, with what it is made of: the tree is walked without recursion.
pub(crate) fn status(root: &dyn Node) -> Status {
    let mut open = vec![Branch::new(root)];
    loop {
        let Some(branch) = open.last_mut() else { unreachable!("the root is closed as the last") };
        if let Some((name, part)) = branch.parts.next() {
            let mut below = Branch::new(&*part);
            below.status.name = name.into_owned();
            open.push(below);
            continue;
        }
        let Some(done) = open.pop() else { unreachable!("there is a last one") };
        match open.last_mut() {
            Some(above) => above.status.children.push(done.status),
            None => return done.status,
        }
    }
}

/// A service whose parts are being looked at.
struct Branch {
    status: Status,
    parts: std::vec::IntoIter<(Cow<'static, str>, Arc<dyn Node>)>,
}

impl Branch {
    fn new(node: &dyn Node) -> Self {
        // Not under the lock: both are foreign code.
        let parts = node.parts();
        let children = if parts.is_empty() { node.children() } else { Vec::new() };
        Self { status: of_one(node.core(), children), parts: parts.into_iter() }
    }
}

fn of_one(core: &Core, children: Vec<Status>) -> Status {
    let cell = core.cell();
    let word = core.word.read();
    let now = clock::now();
    let uptime = match word.state() {
        State::Running => clock::between(word.since(), now),
        _ => Duration::ZERO,
    };
    let since = SystemTime::now().checked_sub(clock::between(word.since(), now));
    Status {
        name: core.name().to_owned(),
        state: word.state(),
        ready: word.is_ready(),
        uptime,
        total_uptime: Duration::from_nanos(cell.ran) + uptime,
        cycles: cell.cycle,
        attempt: cell.attempt(),
        attempts: cell.attempts,
        restarts: cell.restarts(),
        failures: cell.history().total(),
        last_failure: cell.last_failure().cloned(),
        last_exit: cell.exit,
        since: since.unwrap_or(SystemTime::UNIX_EPOCH),
        next_attempt: cell.next_attempt().map(|at| clock::between(now, at)),
        children,
    }
}

/// The statuses of the parts of a composite, under their names.
pub(crate) fn statuses(parts: Parts) -> Vec<Status> {
    parts.0.into_iter().map(|(name, node)| status(&*node).named(&name)).collect()
}

/// What of a service, and of what it is made of, is still there although it was told to end: a line for each.
#[cfg(feature = "signal")]
pub(crate) fn stuck(root: &dyn Node, mut tell: impl FnMut(String)) {
    tell(stuck_part(root));
    let mut below = root.parts();
    stuck_children(root, &mut tell);
    while let Some((_, part)) = below.pop() {
        if part.core().word.read().state() == State::Stopping {
            tell(stuck_part(&*part));
            below.extend(part.parts());
            stuck_children(&*part, &mut tell);
        }
    }
}

#[cfg(feature = "signal")]
fn stuck_part(node: &dyn Node) -> String {
    let core = node.core();
    let cell = core.cell();
    match cell.verdict() {
        Some(verdict) => verdict.to_string(),
        None => cell.blame(core).to_string(),
    }
}

/// What is stuck below a service that has only statuses to show.
#[cfg(feature = "signal")]
fn stuck_children(node: &dyn Node, tell: &mut impl FnMut(String)) {
    let mut below = if node.parts().is_empty() { node.children() } else { Vec::new() };
    while let Some(status) = below.pop() {
        if status.state == State::Stopping {
            tell(format!("service {:?} is still stopping", status.name));
        }
        below.extend(status.children);
    }
}
