//! The answer to a probe: yes, or the parts that say no, with their reasons.

use std::fmt;

use startstop_core::{Cause, State, Status};

/// The answer of a probe.
///
/// `Display` writes `ok`, or one line for each part that says no.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, service_fn};
/// use startstop_host::Probes;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
/// let verdict = Probes::of(&runner).ready().await;
/// assert_eq!(verdict.http_status(), 503);
/// assert_eq!(verdict.to_string(), "main: stopped");
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    parts: Vec<(String, String)>,
}

impl Verdict {
    pub(crate) fn new(parts: Vec<(String, String)>) -> Self {
        Self { parts }
    }

    /// Returns whether every part says yes.
    ///
    /// # Examples
    ///
    /// See [`Probes`](crate::Probes).
    pub fn ok(&self) -> bool {
        self.parts.is_empty()
    }

    /// Returns 200 if every part says yes, else 503.
    ///
    /// # Examples
    ///
    /// See [`Verdict`].
    pub fn http_status(&self) -> u16 {
        if self.ok() { 200 } else { 503 }
    }

    /// Returns the names of the parts that say no, each with its reason.
    ///
    /// # Examples
    ///
    /// See [`Probes::check`](crate::Probes::check).
    pub fn parts(&self) -> &[(String, String)] {
        &self.parts
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ok() {
            return f.write_str("ok");
        }
        for (at, (name, reason)) in self.parts.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            write!(f, "{end}{}: {}", one_line(name), one_line(reason))?;
        }
        Ok(())
    }
}

/// Lists the leaves for which `says_no` gives a reason. A whole is named only where none of its parts explains it.
///
/// `is_fine` cuts off what needs no look: a whole that is fine vouches for its parts.
pub(crate) fn leaves(
    root: &Status,
    is_fine: impl Fn(&Status) -> bool,
    reason: impl Fn(&Status) -> String,
) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![(root.name().to_owned(), root)];
    // Without recursion: a tree may be deep.
    while let Some((path, status)) = open.pop() {
        if is_fine(status) {
            continue;
        }
        let suspects = status.children().iter().filter(|child| !is_fine(child));
        let below: Vec<_> =
            suspects.map(|child| (format!("{path}/{}", child.name()), child)).collect();
        if below.is_empty() {
            found.push((path, reason(status)));
        }
        open.extend(below.into_iter().rev());
    }
    found
}

/// Says why a service is not ready.
pub(crate) fn why_not_ready(status: &Status) -> String {
    let state = status.state();
    let failure = status.last_failure().filter(|_| state != State::Running);
    match failure {
        Some(failure) => format!("{state}: {}", failure.error()),
        None if state == State::Running => "not ready".to_owned(),
        None => state.to_string(),
    }
}

/// Whether a service does not yield although it was aborted.
pub(crate) fn is_unresponsive(status: &Status) -> bool {
    let failure = status.last_failure();
    let unresponsive = failure.is_some_and(|failure| failure.cause() == Cause::Unresponsive);
    status.state() == State::Stopping && unresponsive
}

/// Whether the service, or anything below it, is unresponsive.
pub(crate) fn holds_unresponsive(root: &Status) -> bool {
    let mut open = vec![root];
    while let Some(status) = open.pop() {
        if is_unresponsive(status) {
            return true;
        }
        open.extend(status.children());
    }
    false
}

/// Replaces what would begin another line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
