//! Messages that go out in one datagram, as the manager reads them.

use std::fmt;
use std::time::Duration;

use sd_notify::NotifyState;

use crate::verdict::one_line;

/// How much time is asked for.
const EXTENSION: Duration = Duration::from_secs(10);
/// The most bytes of a status: systemd takes 4,096 for a whole datagram.
const LONGEST: usize = 1024;

/// Messages that go out in one datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Datagram(pub(super) Vec<Message>);

/// One thing that is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    Ready,
    Reloading,
    Stopping,
    Status(String),
    Errno(i32),
    Extend,
    Watchdog,
    #[cfg(feature = "handover")]
    MainPid(u32),
}

impl Datagram {
    /// Makes the datagram of a program that does not come up.
    pub(super) fn failed(reason: &str, number: i32) -> Self {
        Self(vec![Message::Status(clip(reason)), Message::Errno(number)])
    }

    #[cfg(feature = "handover")]
    pub(super) fn main_pid(pid: u32) -> Self {
        // A heartbeat goes along, because the manager has not heard the new process yet.
        Self(vec![Message::MainPid(pid), Message::Watchdog])
    }

    pub(super) fn watchdog() -> Self {
        Self(vec![Message::Watchdog])
    }

    pub(super) fn is_ready(&self) -> bool {
        self.0.contains(&Message::Ready)
    }

    /// Returns whether the manager would take the program for something else without it. What is lost of the others, the next one
    /// makes up for.
    pub(super) fn is_vital(&self) -> bool {
        let makes_up = |message: &Message| {
            matches!(
                message,
                Message::Status(_) | Message::Extend | Message::Watchdog
            )
        };
        !self.0.iter().all(makes_up)
    }
}

impl fmt::Display for Datagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|message| message.write(f))
    }
}

impl Message {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self {
            Self::Ready => NotifyState::Ready,
            Self::Reloading => return reloading(f),
            Self::Stopping => NotifyState::Stopping,
            Self::Status(line) => NotifyState::Status(line),
            Self::Errno(number) => NotifyState::Errno(number.unsigned_abs()),
            Self::Extend => NotifyState::ExtendTimeoutUsec(
                u32::try_from(EXTENSION.as_micros()).unwrap_or(u32::MAX),
            ),
            Self::Watchdog => NotifyState::Watchdog,
            #[cfg(feature = "handover")]
            Self::MainPid(pid) => NotifyState::MainPid(*pid),
        };
        writeln!(f, "{state}")
    }
}

/// With the time, from which the manager tells that an answer is one to its own request.
fn reloading(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "{}", NotifyState::Reloading)?;
    match NotifyState::monotonic_usec_now() {
        Ok(now) => writeln!(f, "{now}"),
        Err(_) => Ok(()),
    }
}

/// One line, for what follows a line end would be an assignment of its own, and not too long.
pub(super) fn clip(text: &str) -> String {
    let mut line = one_line(text);
    if line.len() > LONGEST {
        let end = (0..=LONGEST)
            .rev()
            .find(|at| line.is_char_boundary(*at))
            .unwrap_or(0);
        line.truncate(end);
        line.push('…');
    }
    line
}
