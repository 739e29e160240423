//! Finds the members that were late, in a start or in a stop, for the failure of the group.

use std::sync::Arc;

use super::Supervisor;
use crate::engine::{Node, record, update};
use crate::report::causes::text_of;
use crate::report::failure::{Interruption, RawFailure};
use crate::report::panic::catch_panic;
use crate::report::state::State;
use crate::report::text::Escaped;
use crate::rules::lifecycle::End;
use crate::runner::snapshot;

/// The group has missed a deadline, or is aborted at one: records which members were late.
pub(super) fn record(supervisor: &Supervisor<'_>) {
    let Some(attempt) = supervisor.cx.attempt_link() else {
        return;
    };
    let node = attempt.node();
    let missed = {
        let synced = node.shared().synced();
        let current = node.shared().is_current(attempt.epoch());
        record::missed_by_owner(&synced, node.shared()).filter(|_| current)
    };
    let error = match missed {
        Some((End::Late, after)) => Interruption::MembersNotReady {
            after,
            members: not_ready(supervisor),
        },
        Some((_, after)) => Interruption::MembersNotStopped {
            after,
            members: not_stopped(supervisor),
        },
        None => return,
    };
    update(node, |shared, synced, after| {
        record::late(synced, shared, RawFailure::interruption(error), after);
    });
}

/// The start of the group has failed: it is rolled back, for as long as that takes.
pub(super) fn end_start(supervisor: &Supervisor<'_>) {
    if let Some(attempt) = supervisor.cx.attempt_link() {
        update(attempt.node(), |shared, synced, after| {
            record::end_start(synced, shared, after);
        });
    }
}

/// Each member that is not ready, with its state and what it waits for.
fn not_ready(supervisor: &Supervisor<'_>) -> Vec<String> {
    let awaited: Vec<_> = {
        let table = supervisor.shared.table();
        let name = |id| table.look_up(id).map(|entry| entry.name.to_string());
        let part = |id| table.look_up(id).map(|entry| Arc::clone(entry.part.node()));
        let awaited = table.plan.awaited().into_iter();
        let named = awaited.filter_map(|(id, deps)| {
            Some((
                name(id)?,
                part(id)?,
                deps.into_iter().filter_map(name).collect::<Vec<_>>(),
            ))
        });
        named.collect()
    };
    awaited
        .into_iter()
        .map(|(name, node, deps)| says(&name, &*node, &deps))
        .collect()
}

/// Each member that has not ended, down to the leaves.
fn not_stopped(supervisor: &Supervisor<'_>) -> Vec<String> {
    let parts: Vec<_> = {
        let table = supervisor.shared.table();
        let entries = table.entries.iter().flatten();
        entries.map(|entry| Arc::clone(entry.part.node())).collect()
    };
    let mut late = Vec::new();
    let mut open: Vec<_> = parts.into_iter().rev().filter(is_there).collect();
    while let Some(node) = open.pop() {
        let below = node.parts().into_iter().rev().map(|(_, part)| part);
        let below: Vec<_> = below.filter(is_there).collect();
        if below.is_empty() {
            let path = node.shared().synced().path(&node.shared().settings);
            let state = node.shared().atomic_state.read().state();
            late.push(format!("{} is {state}", Escaped(path.as_str())));
        }
        open.extend(below);
    }
    late
}

fn is_there(node: &Arc<dyn Node>) -> bool {
    node.shared().atomic_state.read().state() != State::Stopped
}

/// Says what a member that is not ready is up to.
fn says(name: &str, node: &dyn Node, deps: &[String]) -> String {
    let state = node.shared().atomic_state.read().state();
    let mut text = format!("{} is {state}", Escaped(name));
    let deps: Vec<_> = deps.iter().map(|dep| Escaped(dep).to_string()).collect();
    if !deps.is_empty() {
        text = format!("{text} and waits for {}", deps.join(", "));
    }
    // What it is made of may be told by code of the user.
    let Ok(status) = catch_panic(|| snapshot::status(node)) else {
        return text;
    };
    if let Some(reason) = status.not_ready_reason() {
        text = format!("{text}, waiting for {}", Escaped(reason));
    }
    if let Some(checkpoint) = status.checkpoint() {
        text = format!("{text}, at {}", Escaped(checkpoint));
    }
    if let Some(failure) = status.last_failure() {
        text = format!("{text}, after: {}", Escaped(&text_of(failure.error())));
    }
    text
}
