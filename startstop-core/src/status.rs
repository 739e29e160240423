//! What a service looks like at one moment, with what it is made of.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::failure::Failure;
use crate::state::{Exit, State};

/// A snapshot of a service and of the services that it is made of.
///
/// `Display` draws one line a service, as a tree.
///
/// # Examples
///
/// ```
/// use startstop_core::{Runner, State, service_fn};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
/// runner.start().await.unwrap();
///
/// let status = runner.status();
/// assert_eq!(status.state(), State::Running);
/// assert_eq!(status.to_string(), "main           running    0s");
/// # runner.stop().await.unwrap();
/// # }
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Status {
    pub(crate) name: String,
    pub(crate) state: State,
    pub(crate) ready: bool,
    pub(crate) uptime: Duration,
    pub(crate) total_uptime: Duration,
    pub(crate) cycles: u64,
    pub(crate) attempt: u64,
    pub(crate) attempts: u64,
    pub(crate) restarts: u64,
    pub(crate) failures: u64,
    pub(crate) last_failure: Option<Failure>,
    pub(crate) last_exit: Exit,
    pub(crate) since: SystemTime,
    pub(crate) next_attempt: Option<Duration>,
    pub(crate) children: Vec<Status>,
}

impl Status {
    /// Of a service that no runner knows of.
    pub(crate) fn of_stopped(name: &str, children: Vec<Self>) -> Self {
        Self {
            name: name.to_owned(),
            state: State::Stopped,
            ready: false,
            uptime: Duration::ZERO,
            total_uptime: Duration::ZERO,
            cycles: 0,
            attempt: 0,
            attempts: 0,
            restarts: 0,
            failures: 0,
            last_failure: None,
            last_exit: Exit::Stopped,
            since: SystemTime::now(),
            next_attempt: None,
            children,
        }
    }

    /// The same under another name.
    pub(crate) fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The name of the service.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether it can do its job, or has done it.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// How long it has been running: zero in every other state.
    pub fn uptime(&self) -> Duration {
        self.uptime
    }

    /// How long it has been running over all cycles.
    pub fn total_uptime(&self) -> Duration {
        self.total_uptime
    }

    /// How many cycles have begun.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// How many attempts have begun, over all cycles.
    pub fn attempts(&self) -> u64 {
        self.attempts
    }

    /// How many of the attempts a restart policy has asked for.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// How many failures there were, over all cycles, those that the history has evicted included.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// The last failure of the current or most recent cycle.
    pub fn last_failure(&self) -> Option<&Failure> {
        self.last_failure.as_ref()
    }

    /// How the last cycle that has ended did so; `Stopped` before the first.
    pub fn last_exit(&self) -> Exit {
        self.last_exit
    }

    /// When the state was entered, by the system's clock.
    pub fn since(&self) -> SystemTime {
        self.since
    }

    /// How long until the next attempt, in [`State::Backoff`].
    pub fn next_attempt(&self) -> Option<Duration> {
        self.next_attempt
    }

    /// The statuses of what the service is made of.
    pub fn children(&self) -> &[Status] {
        &self.children
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        collect(self, &mut lines);
        let name = lines.iter().map(|line| width(&line.name)).max().unwrap_or_default();
        let state = lines.iter().map(|line| width(line.state)).max().unwrap_or_default();
        let with_reason = lines.iter().filter(|line| !line.reason.is_empty());
        let detail = with_reason.map(|line| width(&line.detail)).max().unwrap_or_default();
        let name = name.max(NAME_WIDTH);
        for (at, line) in lines.iter().enumerate() {
            let end = if at == 0 { "" } else { "\n" };
            let columns = [(&*line.name, name), (line.state, state), (&*line.detail, detail)];
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
/// What is between two columns.
const GAP: usize = 4;

fn width(text: &str) -> usize {
    text.chars().count()
}

/// One line of the tree.
struct Line {
    name: String,
    state: &'static str,
    detail: String,
    reason: String,
}

impl Line {
    fn new(indent: &str, status: &Status) -> Self {
        let reason = match &status.last_failure {
            Some(failure) if status.state != State::Running => {
                one_line(&failure.error().to_string())
            }
            _ => String::new(),
        };
        Self {
            name: one_line(&format!("{indent}{}", status.name)),
            state: status.state.as_str(),
            detail: details(status),
            reason,
        }
    }
}

/// Lists the lines of a tree from the top, without recursion: a tree may be deep.
fn collect(root: &Status, lines: &mut Vec<Line>) {
    // What stands before the siblings of a status, its own branch, and itself.
    let mut stack = vec![(String::new(), "", root)];
    while let Some((prefix, branch, status)) = stack.pop() {
        lines.push(Line::new(&format!("{prefix}{branch}"), status));
        let below = match branch {
            "├─ " => format!("{prefix}│  "),
            "└─ " => format!("{prefix}   "),
            _ => prefix,
        };
        for (at, child) in status.children.iter().enumerate().rev() {
            let last = at + 1 == status.children.len();
            stack.push((below.clone(), if last { "└─ " } else { "├─ " }, child));
        }
    }
}

fn details(status: &Status) -> String {
    match (status.state, status.next_attempt) {
        (State::Running, _) => brief(status.uptime),
        (State::Backoff, Some(left)) => {
            format!("attempt {} in {}", status.attempt + 1, brief(left))
        }
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
            if tenths == 0 { format!("{seconds}s") } else { format!("{seconds}.{tenths}s") }
        }
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m{}s", seconds % 60),
        3600..86_400 => format!("{hours}h{}m", minutes % 60),
        _ => format!("{days}d{}h", hours % 24),
    }
}

/// A message with line breaks and control characters taken out, so that it stays in its line.
fn one_line(message: &str) -> String {
    let plain = message.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.collect::<String>().trim_end().to_owned()
}
