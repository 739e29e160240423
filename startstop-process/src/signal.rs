//! Signals by their names.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use rustix_libc_wrappers::process::SignalExt;

/// The signals of real time, as glibc has them, which keeps the two numbers below for itself. Service managers and
/// container engines count `SIGRTMIN+3` from the same number.
const REAL_TIME: RangeInclusive<i32> = 34..=64;

/// A signal of the system. One of real time is written as `SIGRTMIN+3`, `SIGRTMAX-1` or by its number.
///
/// # Examples
///
/// ```
/// use startstop_process::Signal;
///
/// assert_eq!("SIGINT".parse(), Ok(Signal::INT));
/// assert_eq!("hup".parse(), Ok(Signal::HUP));
/// assert_eq!("SIGRTMIN+3".parse(), Ok(Signal::real_time(3).unwrap()));
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

    /// Returns the signal of real time that is called `SIGRTMIN+OFFSET`, or `None` if there are not that many.
    /// systemd in a container, say, is told by `SIGRTMIN+3` to power off.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_process::{Process, Signal};
    ///
    /// let power_off = Signal::real_time(3).unwrap();
    /// assert_eq!(power_off.number(), 37);
    /// assert_eq!(Signal::real_time(31), None);
    /// let container = Process::new("/sbin/init").stop_signal(power_off);
    /// ```
    pub fn real_time(offset: u8) -> Option<Self> {
        let number = REAL_TIME.start() + i32::from(offset);
        Some(Self(number)).filter(|signal| REAL_TIME.contains(&number) && signal.raw().is_some())
    }

    /// Returns the signal that the system says has ended a child.
    pub(crate) const fn reported(number: i32) -> Self {
        Self(number)
    }

    /// Returns it for the calls of the system, or `None` where it is one that libc keeps for itself.
    pub(crate) fn raw(self) -> Option<rustix::process::Signal> {
        rustix::process::Signal::from_raw(self.0)
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

/// Accepts `TERM`, `SIGTERM`, `term` and `15`, and of those of real time `SIGRTMIN+3`, `RTMIN+3`, `RTMAX-27` and `37`.
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
        let named = Self::NAMED.iter().find(is_named);
        named
            .map(|(signal, _)| *signal)
            .or_else(|| real_time(short))
            .ok_or_else(unknown)
    }
}

/// Reads `RTMIN`, `RTMIN+3`, `RTMAX` and `RTMAX-27`.
fn real_time(short: &str) -> Option<Signal> {
    let offset = |text: &str, sign: char| match text {
        "" => Some(0),
        text => {
            let digits = text.strip_prefix(sign)?;
            let is_plain = digits.starts_with(|c: char| c.is_ascii_digit());
            digits.parse::<u8>().ok().filter(|_| is_plain)
        }
    };
    if let Some(more) = short.strip_prefix("RTMIN") {
        return Signal::real_time(offset(more, '+')?);
    }
    let less = offset(short.strip_prefix("RTMAX")?, '-')?;
    let last = u8::try_from(REAL_TIME.end() - REAL_TIME.start()).ok()?;
    Signal::real_time(last.checked_sub(less)?)
}

#[cfg(test)]
mod tests {
    use super::Signal;

    #[test]
    fn a_signal_of_real_time_is_named_from_either_end_or_by_its_number() {
        let names = [
            ("SIGRTMIN", 34),
            ("SIGRTMIN+3", 37),
            ("rtmin+3", 37),
            ("RTMIN+30", 64),
            ("SIGRTMAX", 64),
            ("RTMAX-27", 37),
            ("SIGRTMAX-30", 34),
            ("37", 37),
            ("64", 64),
        ];
        for (name, number) in names {
            assert_eq!(name.parse().map(Signal::number), Ok(number), "{name}");
        }
        let none = [
            "RTMIN+31",
            "RTMIN-1",
            "RTMIN+",
            "RTMIN+-1",
            "RTMIN++1",
            "RTMIN3",
            "RTMIN+ 3",
            "RTMAX-31",
            "RTMAX+1",
            "RTMIN+259",
            "RT",
            "32",
            "33",
            "65",
            "0",
            "-1",
        ];
        for name in none {
            assert!(name.parse::<Signal>().is_err(), "{name}");
        }
    }
}
