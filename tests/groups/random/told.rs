//! The events of a group and its members: in order, and none is missing.

// The arms are in the order of a life.
#![allow(clippy::match_same_arms)]

use std::collections::BTreeMap;

use startstop_core::{Event, EventKind, Events, Group, Runner};

/// All that is told, from before the first start.
pub(super) struct Told(Events);

/// Where a service is, by what it has told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Rest,
    Starts,
    Ready,
    /// It has said that it is not ready for now.
    Unready,
    Stops,
    Backoff,
}

impl Told {
    pub(super) fn of(app: &Runner<Group>) -> Self {
        Self(app.events_with_capacity(1_000_000))
    }

    /// Rule 11.
    pub(super) fn check(mut self) {
        let mut at: BTreeMap<String, At> = BTreeMap::new();
        let mut all = Vec::new();
        while let Some(event) = self.0.try_next() {
            let was = at.get(event.path()).copied().unwrap_or(At::Rest);
            let Some(is) = follows(was, &event) else {
                panic!("rule 11: {event:?} while it {was:?}, after {all:#?}");
            };
            at.insert(event.path().to_owned(), is);
            all.push(format!("{} {}", event.path(), event.kind()));
        }
        for (path, at) in at {
            assert_eq!(at, At::Rest, "rule 11: {path} has not told its end: {all:#?}");
        }
    }
}

/// Where a service is after an event; `None` if that cannot follow.
fn follows(was: At, event: &Event) -> Option<At> {
    Some(match (event.kind(), was) {
        // What it does from now on is not told.
        (EventKind::Removed, _) => At::Rest,
        (EventKind::Draining, was) => was,
        (EventKind::Starting, At::Rest | At::Backoff) => At::Starts,
        // One that takes its readiness back while it starts has not been ready.
        (EventKind::Ready { .. }, At::Starts | At::Unready) => At::Ready,
        // A job is ready when it is done.
        (EventKind::Ready { .. }, At::Stops) => At::Stops,
        (EventKind::NotReady(_), At::Ready) => At::Unready,
        (EventKind::Stopping(_), At::Starts | At::Ready | At::Unready | At::Backoff) => At::Stops,
        (EventKind::Stopped { .. }, At::Starts | At::Ready | At::Unready | At::Stops) => At::Rest,
        (EventKind::Backoff { .. }, At::Starts | At::Ready | At::Unready | At::Stops) => {
            At::Backoff
        }
        (
            EventKind::Failed(_)
            | EventKind::Aborting
            | EventKind::Unresponsive(_)
            | EventKind::Inserted
            | EventKind::Reloading
            | EventKind::Reloaded(_),
            was,
        ) => was,
        _ => return None,
    })
}
