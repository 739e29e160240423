//! The parts of a service that a probe asks: the leaves of the tree, each with what it says.

use startstop_core::{State, Status};

use crate::error_text::text_of;

/// The answer of a part: nothing, or why it says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) problem: Option<String>,
}

impl Part {
    pub(crate) fn new(name: impl Into<String>, problem: Option<String>) -> Self {
        Self {
            name: name.into(),
            problem,
        }
    }
}

/// A question that each service of a tree answers.
pub(crate) struct Question {
    /// Whether the answer is yes, for all that is below it too.
    pub(crate) is_fine: fn(&Status) -> bool,
    /// Why it is no.
    pub(crate) reason: fn(&Status) -> String,
}

pub(crate) const READY: Question = Question {
    is_fine: Status::is_ready,
    reason: why_not_ready,
};
pub(crate) const LIVE: Question = Question {
    is_fine: |status| !holds_unresponsive(status),
    reason: why_not_live,
};

impl Question {
    /// Lists the leaves. A whole is among them only where none of its parts explains why it says no.
    pub(crate) fn ask(&self, root: &Status) -> Vec<Part> {
        let mut found = Vec::new();
        let mut open = vec![(root, (self.is_fine)(root))];
        // No recursion, since the tree may be deep.
        while let Some((status, fine)) = open.pop() {
            let children = status.children().iter().rev();
            let below: Vec<_> = children
                .map(|child| (child, fine || self.passes(status, child)))
                .collect();
            if !fine && below.iter().all(|(_, fine)| *fine) {
                found.push(Part::new(status.path(), Some((self.reason)(status))));
            } else if below.is_empty() {
                found.push(Part::new(status.path(), None));
            }
            open.extend(below);
        }
        found
    }

    /// Returns whether a part of a whole that says no is not why.
    fn passes(&self, whole: &Status, part: &Status) -> bool {
        (self.is_fine)(part) || is_settled(whole, part)
    }
}

/// Returns whether a part has ended for the whole that goes on without it.
fn is_settled(whole: &Status, part: &Status) -> bool {
    let goes_on = matches!(whole.state(), State::Starting | State::Running);
    goes_on && part.state() == State::Stopped && part.cycles() > 0
}

/// The reason of a part that, most likely, waits for others.
pub(crate) const NOT_STARTED: &str = "not started";

/// Says why a service is not ready.
pub(crate) fn why_not_ready(status: &Status) -> String {
    let state = status.state();
    if let Some(stuck) = status.unresponsive() {
        return format!("unresponsive: {stuck}");
    }
    if let Some(reason) = status.not_ready_reason() {
        return format!("not ready: {reason}");
    }
    if state == State::Stopped && status.cycles() == 0 {
        return NOT_STARTED.to_owned();
    }
    match status.last_failure().filter(|_| state != State::Running) {
        Some(failure) => format!("{state}: {}", text_of(failure.error())),
        None if state == State::Running => why_not_ready_while_running(status).to_owned(),
        None => state.to_string(),
    }
}

/// Says why a service is not ready that runs and has given no reason: one that does its work by itself drains. A whole waits for its
/// parts, and may have been looked at before they changed.
fn why_not_ready_while_running(status: &Status) -> &'static str {
    if status.children().is_empty() {
        "draining"
    } else {
        "not ready"
    }
}

fn why_not_live(status: &Status) -> String {
    match status.unresponsive() {
        Some(stuck) => format!("unresponsive: {stuck}"),
        None => "unresponsive".to_owned(),
    }
}

/// Returns whether the service, or anything below it, does not yield although it was aborted.
fn holds_unresponsive(root: &Status) -> bool {
    all(root).any(|status| status.unresponsive().is_some())
}

/// A tree from the top, without recursion: it may be deep.
pub(crate) fn all(root: &Status) -> impl Iterator<Item = &Status> {
    let mut open = vec![root];
    std::iter::from_fn(move || {
        let status = open.pop()?;
        open.extend(status.children().iter().rev());
        Some(status)
    })
}
