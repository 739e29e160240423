//! The rows of the page, one a service.

use std::fmt::Write;

use startstop_core::{Failure, State, Status};

use super::words::{Escaped, brief, percent};
use crate::error_text::{causes, text_of};

/// The names of the columns, which are the labels of the values in a narrow window.
pub(super) const COLUMNS: [&str; 8] = [
    "service",
    "state",
    "uptime",
    "availability",
    "restarts",
    "last failure",
    "checkpoint",
    "remarks",
];

/// Returns the rows of a tree from the top.
pub(super) fn rows(root: &Status) -> String {
    let mut text = String::new();
    for (branch, status) in root.rows() {
        row(&mut text, &branch, status);
    }
    text
}

fn row(text: &mut String, tree: &str, status: &Status) {
    let (path, name) = (Escaped(status.path()), Escaped(status.name()));
    let service = format!(
        "<span class=\"tree\" aria-hidden=\"true\">{tree}</span><span title=\"{path}\">{name}</span>"
    );
    let state = format!(
        "<span class=\"state\">{}</span>{}",
        status.state(),
        readiness(status)
    );
    let values = [
        service,
        state,
        uptime(status),
        status.availability().map(percent).unwrap_or_default(),
        status.restarts().to_string(),
        status.last_failure().map(failure).unwrap_or_default(),
        checkpoint(status),
        remarks(status),
    ];
    let _ = write!(text, "<tr class=\"{}\">", class(status));
    for (label, value) in COLUMNS.iter().zip(values) {
        let empty = if value.is_empty() {
            " class=\"empty\""
        } else {
            ""
        };
        let _ = write!(text, "<td data-label=\"{label}\"{empty}>{value}</td>");
    }
    text.push_str("</tr>\n");
}

/// Returns the class that the row has its colour from.
fn class(status: &Status) -> &'static str {
    match status.state() {
        _ if status.unresponsive().is_some() => "bad",
        State::Backoff => "bad",
        _ if status.is_ready() => "good",
        State::Stopped if status.last_exit().is_success() => "idle",
        State::Stopped => "bad",
        State::Starting | State::Running | State::Stopping => "busy",
    }
}

fn readiness(status: &Status) -> &'static str {
    match status.state() {
        State::Running if !status.is_ready() => ", not ready",
        _ => "",
    }
}

fn uptime(status: &Status) -> String {
    match status.state() {
        State::Running => brief(status.uptime()),
        _ => String::new(),
    }
}

/// Returns a failure with all that caused it.
fn failure(failure: &Failure) -> String {
    let mut text = format!(
        "<details><summary>{}</summary>",
        Escaped(&text_of(failure.error()))
    );
    let _ = write!(text, "<p>{}</p>", Escaped(&failure.to_string()));
    for error in causes(failure.error()).skip(1) {
        let _ = write!(text, "<p>caused by: {}</p>", Escaped(&text_of(error)));
    }
    text + "</details>"
}

fn checkpoint(status: &Status) -> String {
    let Some(text) = status.checkpoint() else {
        return String::new();
    };
    let age = status
        .checkpoint_age()
        .map(|age| format!(", {} ago", brief(age)));
    format!("{}{}", Escaped(text), age.unwrap_or_default())
}

/// Returns the remarks that stand beside the state.
fn remarks(status: &Status) -> String {
    let stuck = status.unresponsive().map(ToString::to_string);
    let unready = status
        .not_ready_reason()
        .map(|reason| format!("not ready: {reason}"));
    let next = status
        .next_attempt()
        .map(|left| format!("next attempt in {}", brief(left)));
    let all = [
        stuck,
        unready,
        next,
        stopping(status),
        status.detail().map(str::to_owned),
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    Escaped(&all.join("; ")).to_string()
}

/// Returns the parts that a stop waits for, and how long it may yet take.
fn stopping(status: &Status) -> Option<String> {
    if status.state() != State::Stopping {
        return None;
    }
    let left = status
        .remaining()
        .map(|left| format!("{} left", brief(left)));
    let ends = |child: &&Status| child.state() == State::Stopping;
    let names: Vec<&str> = status
        .children()
        .iter()
        .filter(ends)
        .map(Status::name)
        .collect();
    let waits = (!names.is_empty()).then(|| format!("waits for {}", names.join(", ")));
    let told: Vec<String> = [waits, left].into_iter().flatten().collect();
    (!told.is_empty()).then(|| told.join(", "))
}
