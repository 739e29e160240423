//! One line about the whole: which parts it waits for.

use std::io;
use std::time::Duration;

use startstop_core::{State, Status};

use crate::error_text::{causes, text_of};
use crate::parts::{NOT_STARTED, READY, why_not_ready};
use crate::probes::Probes;
use crate::verdict::one_line;

/// A look at the service for the machine, taken when it has something to say.
pub(super) struct Look {
    pub(super) line: String,
    /// The last failure with all that caused it, and its number.
    pub(super) error: Option<(String, i32)>,
    /// Whether it is alive, and so worth waiting for.
    pub(super) live: bool,
    /// How long a stop can take now: members come and go.
    pub(super) grace: Duration,
}

/// The number of an error that bears none of the system.
const EIO: i32 = 5;

pub(super) fn look(probes: &Probes) -> Look {
    let live = probes.live().ok();
    let Some(handle) = probes.source().handle() else {
        return Look {
            line: "ended".to_owned(),
            error: None,
            live,
            grace: Duration::ZERO,
        };
    };
    let status = handle.status();
    Look {
        line: line(&status),
        error: error(&status),
        live,
        grace: handle.grace_period(),
    }
}

fn line(status: &Status) -> String {
    let state = status.state();
    let parts = waited_for(status);
    match state {
        State::Running if status.is_ready() => "ready".to_owned(),
        State::Running => format!("not ready: {parts}"),
        // The parts of the host begin before the service does.
        State::Stopped if status.cycles() == 0 => State::Starting.to_string(),
        State::Starting | State::Stopping if parts.is_empty() => state.to_string(),
        State::Starting | State::Stopping => format!("{state}: waits for {parts}"),
        State::Stopped | State::Backoff => why_not_ready(status),
    }
}

/// The leaves that keep the whole from what it is about to be, each with its reason.
fn waited_for(status: &Status) -> String {
    if status.state() == State::Stopping {
        return still_there(status).join(", ");
    }
    let parts = READY.ask(status).into_iter();
    let waits = parts.filter_map(|part| Some((part.name, part.problem?)));
    // Members that have not started wait for others, so they are named last.
    let (late, open): (Vec<_>, Vec<_>) = waits.partition(|(_, reason)| reason == NOT_STARTED);
    let told = if open.is_empty() { late } else { open };
    let names = told.into_iter().map(|(name, reason)| match &*reason {
        "starting" | NOT_STARTED => name,
        reason => format!("{name} ({reason})"),
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The leaves that have not ended.
fn still_there(root: &Status) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(status) = open.pop() {
        if status.state() == State::Stopped {
            continue;
        }
        if status.children().is_empty() {
            found.push(status.path().to_owned());
        }
        open.extend(status.children().iter().rev());
    }
    found
}

fn error(status: &Status) -> Option<(String, i32)> {
    let failure = status.last_failure()?;
    let number =
        causes(failure).find_map(|error| error.downcast_ref::<io::Error>()?.raw_os_error());
    let texts: Vec<String> = causes(failure)
        .map(|error| one_line(&text_of(error)))
        .collect();
    Some((texts.join(": "), number.unwrap_or(EIO)))
}
