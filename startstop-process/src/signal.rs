//! Signals by their names.

use std::fmt;
use std::str::FromStr;

/// A signal of the system. One of real time has no name here: an error can tell that it has ended a child, and it
/// cannot be sent.
///
/// # Examples
///
/// ```
/// use startstop_process::Signal;
///
/// assert_eq!("SIGINT".parse(), Ok(Signal::INT));
/// assert_eq!("hup".parse(), Ok(Signal::HUP));
/// assert_eq!(Signal::TERM.to_string(), "SIGTERM");
/// assert_eq!(Signal::TERM.number(), 15);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signal(i32);

macro_rules! signals {
    ($($name:ident: $text:literal),* $(,)?) => {
        impl Signal {
            $(
                #[doc = concat!("SIG", stringify!($name), ": ", $text, ".")]
                pub const $name: Self = Self(rustix::process::Signal::$name.as_raw());
            )*

            const NAMED: &[(Self, &str)] = &[$((Self::$name, concat!("SIG", stringify!($name)))),*];
        }
    };
}

signals! {
    HUP: "the terminal is gone, or read the configuration again",
    INT: "Ctrl-C",
    QUIT: "quit, for many a graceful end",
    ILL: "an illegal instruction",
    TRAP: "a breakpoint",
    ABORT: "an abort",
    BUS: "a bus error",
    FPE: "an arithmetic error",
    KILL: "ends a process that cannot refuse",
    USR1: "what the program makes of it",
    SEGV: "a bad address",
    USR2: "what the program makes of it",
    PIPE: "nobody reads the pipe",
    ALARM: "a timer",
    TERM: "end, please",
    CHILD: "a child has ended",
    CONT: "go on",
    STOP: "stops a process that cannot refuse",
    TSTP: "Ctrl-Z",
    TTIN: "reads from a terminal in the background",
    TTOU: "writes to a terminal in the background",
    URG: "urgent data",
    XCPU: "too much processor time",
    XFSZ: "too large a file",
    VTALARM: "a virtual timer",
    PROF: "a profiling timer",
    WINCH: "the window has another size",
    IO: "input or output is possible",
    POWER: "the power fails",
    SYS: "a bad system call",
}

impl Signal {
    /// Returns the number that the system has for it.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(startstop_process::Signal::KILL.number(), 9);
    /// ```
    pub const fn number(self) -> i32 {
        self.0
    }

    /// Returns the signal that the system says has ended a child.
    pub(crate) const fn reported(number: i32) -> Self {
        Self(number)
    }

    /// Returns it for the calls of the system, or `None` where it has no name.
    pub(crate) const fn raw(self) -> Option<rustix::process::Signal> {
        rustix::process::Signal::from_named_raw(self.0)
    }

    /// Returns its bit in the sets of `/proc/PID/status`.
    pub(crate) const fn bit(self) -> u64 {
        1 << (self.number() - 1)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::NAMED.iter().find(|(signal, _)| signal == self);
        match named {
            Some((Self::ABORT, _)) => f.write_str("SIGABRT"),
            Some((Self::ALARM, _)) => f.write_str("SIGALRM"),
            Some((Self::CHILD, _)) => f.write_str("SIGCHLD"),
            Some((Self::VTALARM, _)) => f.write_str("SIGVTALRM"),
            Some((Self::POWER, _)) => f.write_str("SIGPWR"),
            Some((_, name)) => f.write_str(name),
            None => write!(f, "signal {}", self.number()),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that names no signal.
///
/// # Examples
///
/// ```
/// let error = "SIGNAL".parse::<startstop_process::Signal>().unwrap_err();
/// assert_eq!(error.to_string(), "no signal is called `SIGNAL`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no signal is called `{0}`")]
pub struct ParseSignalError(String);

/// Accepts `TERM`, `SIGTERM`, `term` and `15`.
impl FromStr for Signal {
    type Err = ParseSignalError;

    fn from_str(text: &str) -> Result<Self, ParseSignalError> {
        let unknown = || ParseSignalError(text.to_owned());
        if let Ok(number) = text.parse() {
            let named = Some(Self(number)).filter(|signal| signal.raw().is_some());
            return named.ok_or_else(unknown);
        }
        let upper = text.to_ascii_uppercase();
        let short = upper.strip_prefix("SIG").unwrap_or(&upper);
        let is_named = |(signal, name): &&(Self, &str)| {
            name[3..] == *short || signal.to_string()[3..] == *short
        };
        Self::NAMED
            .iter()
            .find(is_named)
            .map(|(signal, _)| *signal)
            .ok_or_else(unknown)
    }
}
