//! The events of a group and its members: in order, and none is missing.

// The arms are in the order of a life.
#![allow(clippy::match_same_arms)]

use std::collections::BTreeMap;

use startstop_core::{Event, EventKind, Events, Group, Runner, State, Status};

use crate::random::note;

/// All that is told, from before the first start.
pub(super) struct Told {
    events: Events,
    at: BTreeMap<String, At>,
    all: Vec<String>,
}

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
        let events = app.events_with_capacity(1_000_000);
        Self {
            events,
            at: BTreeMap::new(),
            all: Vec::new(),
        }
    }

    fn read(&mut self) {
        while let Some(event) = self.events.try_next() {
            let was = self.at.get(event.path()).copied().unwrap_or(At::Rest);
            let Some(is) = follows(was, &event) else {
                panic!("rule 11: {event:?} while it {was:?}, after {:#?}", self.all);
            };
            self.at.insert(event.path().to_owned(), is);
            note(|| format!("{} {}", event.path(), event.kind()));
            self.all.push(format!("{} {}", event.path(), event.kind()));
        }
    }

    /// Rule 11, while it runs: whoever sees a state finds its event.
    pub(super) fn compare(&mut self, status: &Status) {
        self.read();
        self.compare_one(status);
        status
            .children()
            .iter()
            .for_each(|child| self.compare_one(child));
    }

    fn compare_one(&self, status: &Status) {
        let is = match status.state() {
            State::Starting => At::Starts,
            State::Running if status.is_ready() => At::Ready,
            State::Running => At::Unready,
            State::Stopping => At::Stops,
            State::Backoff => At::Backoff,
            State::Stopped => At::Rest,
        };
        let told = self.at.get(status.path()).copied().unwrap_or(At::Rest);
        assert_eq!(
            told,
            is,
            "rule 11: {} in {status}: {:#?}",
            status.path(),
            self.all
        );
    }

    /// Rule 11, at the end.
    pub(super) fn check(mut self) {
        self.read();
        let Self { at, all, .. } = self;
        for (path, at) in at {
            assert_eq!(
                at,
                At::Rest,
                "rule 11: {path} has not told its end: {all:#?}"
            );
        }
    }
}

/// Where a service is after an event; `None` if that cannot follow.
fn follows(was: At, event: &Event) -> Option<At> {
    Some(match (event.kind(), was) {
        // Events of a removed member end here.
        (EventKind::Removed, _) => At::Rest,
        // A draining service runs on, and is not ready.
        (EventKind::Draining, At::Ready) => At::Unready,
        (EventKind::Draining, was) => was,
        (EventKind::Starting, At::Rest | At::Backoff) => At::Starts,
        // A service that takes its readiness back while it starts has not been ready.
        (EventKind::Ready { .. }, At::Starts | At::Unready) => At::Ready,
        // A job is ready when it is done.
        (EventKind::Ready { .. }, At::Stops) => At::Stops,
        // A group has started once each member has been ready, and may not be ready at that moment.
        (EventKind::NotReady(_), At::Ready | At::Starts) => At::Unready,
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
