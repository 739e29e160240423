//! The answer to a probe: yes, or the parts that say no, with their reasons.

use std::fmt;

use crate::parts::Part;

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
/// assert_eq!(verdict.to_string(), "main: not started");
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    parts: Vec<(String, String)>,
}

impl Verdict {
    /// Returns the verdict of parts, of which those count that say no.
    pub(crate) fn of(parts: Vec<Part>) -> Self {
        let says_no = |part: Part| Some((part.name, part.problem?));
        Self {
            parts: parts.into_iter().filter_map(says_no).collect(),
        }
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

/// Replaces what would begin another line.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
