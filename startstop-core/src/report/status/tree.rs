//! A status as text: one line a service, as a tree, aligned.

use std::fmt;
use std::time::Duration;

use super::{Children, Status};
use crate::report::causes::text_of;
use crate::report::state::State;
use crate::report::text::{Escaped, width};

impl Status {
    /// Lists the statuses of the tree as they are drawn, one a row: each with what stands before its name, `├─ ` say. From the
    /// top, and without recursion, so that a tree may be of any depth.
    ///
    /// Use it to draw the tree in other columns than `Display` does.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, service_fn};
    ///
    /// let app = Group::builder("app")
    ///     .with("db", service_fn(async |cx| cx.cancelled().await))
    ///     .with("http", service_fn(async |cx| cx.cancelled().await))
    ///     .build()
    ///     .unwrap();
    /// let status = Runner::new(app).status();
    /// let rows = status.rows().map(|(branch, status)| format!("{branch}{}", status.name()));
    /// assert_eq!(rows.collect::<Vec<_>>(), ["app", "├─ db", "└─ http"]);
    /// ```
    pub fn rows(&self) -> impl Iterator<Item = (String, &Status)> {
        // What stands before the siblings of a status, its own branch, and itself.
        let mut stack = vec![(String::new(), "", self)];
        std::iter::from_fn(move || {
            let (prefix, branch, status) = stack.pop()?;
            let row = format!("{prefix}{branch}");
            let below = match branch {
                "├─ " => format!("{prefix}│  "),
                "└─ " => format!("{prefix}   "),
                _ => prefix,
            };
            for (at, child) in status.children().iter().enumerate().rev() {
                let last = at + 1 == status.children().len();
                stack.push((below.clone(), if last { "└─ " } else { "├─ " }, child));
            }
            Some((row, status))
        })
    }

    /// Returns the status of the service itself, without those of its parts.
    ///
    /// Use it with [`rows`](Self::rows) to write a tree status by status: a serializer recurses, and so does what reads its text,
    /// which is too much for a tree that is deep.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Group, Runner, service_fn};
    ///
    /// let app = Group::builder("app").with("db", service_fn(async |cx| cx.cancelled().await));
    /// let status = Runner::new(app.build().unwrap()).status();
    /// assert_eq!(status.alone().path(), "app");
    /// assert!(status.alone().children().is_empty());
    /// ```
    #[must_use]
    pub fn alone(&self) -> Self {
        Self {
            children: Children::default(),
            ..self.clone()
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<Line> = self
            .rows()
            .map(|(branch, status)| Line::new(&branch, status))
            .collect();
        let name = lines
            .iter()
            .map(|line| width(&line.name))
            .max()
            .unwrap_or_default();
        let state = lines
            .iter()
            .map(|line| width(line.state))
            .max()
            .unwrap_or_default();
        let with_reason = lines.iter().filter(|line| !line.reason.is_empty());
        let detail = with_reason
            .map(|line| width(&line.detail))
            .max()
            .unwrap_or_default();
        let name = name.max(NAME_WIDTH);
        for (at, line) in lines.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            let columns = [
                (&*line.name, name),
                (line.state, state),
                (&*line.detail, detail),
            ];
            let mut text = String::new();
            for (column, wide) in columns {
                let pad = wide.saturating_sub(width(column)) + GAP;
                text.push_str(column);
                text.extend(std::iter::repeat_n(' ', pad));
            }
            text.push_str(&line.reason);
            write!(f, "{end}{}", text.trim_end())?;
        }
        Ok(())
    }
}

/// The least width of the column of names, so that small trees look alike.
const NAME_WIDTH: usize = 11;
/// The gap between two columns.
const GAP: usize = 4;

/// One line of the tree.
struct Line {
    name: String,
    state: &'static str,
    detail: String,
    reason: String,
}

impl Line {
    fn new(indent: &str, status: &Status) -> Self {
        Self {
            name: format!("{indent}{}", Escaped(&status.name)),
            state: status.state.as_str(),
            detail: details(status),
            reason: remarks(status),
        }
    }
}

/// Returns what there is to say beside the state, in the order of its weight.
fn remarks(status: &Status) -> String {
    let stuck = status
        .unresponsive
        .as_ref()
        .map(|stuck| Escaped(&stuck.to_string()).to_string());
    let failed = match &status.last_failure {
        Some(failure) if status.state != State::Running && stuck.is_none() => {
            Some(Escaped(text_of(failure.error()).trim_end()).to_string())
        }
        _ => None,
    };
    // Of a whole the lines below say it.
    let unready = status
        .not_ready_reason
        .as_deref()
        .filter(|_| status.children().is_empty());
    let unready = unready.map(|reason| format!("not ready: {}", Escaped(reason)));
    let detail = status
        .detail
        .as_deref()
        .map(|detail| Escaped(detail).to_string());
    let all: Vec<String> = [stuck, failed, unready, detail]
        .into_iter()
        .flatten()
        .collect();
    all.join("; ")
}

fn details(status: &Status) -> String {
    match (status.state, status.next_attempt) {
        (State::Running, _) => brief(status.uptime),
        (State::Backoff, Some(left)) => {
            format!("attempt {} in {}", status.attempt + 1, brief(left))
        }
        (State::Stopping, _) if status.unresponsive.is_none() => status
            .remaining
            .map(|left| format!("{} left", brief(left)))
            .unwrap_or_default(),
        (State::Stopped, _) if status.cycles > 0 => status.last_exit.to_string(),
        _ => String::new(),
    }
}

/// Two units at most: `1.2s`, `3m12s`, `5h2m`, `4d7h`.
fn brief(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0 if duration.is_zero() => "0s".to_owned(),
        0 => format!("{}ms", duration.as_millis()),
        1..10 => {
            let tenths = duration.subsec_millis() / 100;
            if tenths == 0 {
                format!("{seconds}s")
            } else {
                format!("{seconds}.{tenths}s")
            }
        }
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m{}s", seconds % 60),
        3600..86_400 => format!("{hours}h{}m", minutes % 60),
        _ => format!("{days}d{}h", hours % 24),
    }
}
