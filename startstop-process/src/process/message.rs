//! The messages of a child by `sd_notify`.

use std::time::Duration;

/// One assignment of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    Ready,
    Reloading,
    Stopping,
    Alive,
    Trigger,
    Status(String),
    Errno(i32),
    Extend(Duration),
}

impl Notice {
    /// Reads a message: an assignment a line. What is not known is skipped.
    pub(super) fn all_of(text: &str) -> Vec<Self> {
        text.lines().filter_map(Self::parse).collect()
    }

    fn parse(line: &str) -> Option<Self> {
        Some(match line.split_once('=')? {
            ("READY", "1") => Self::Ready,
            ("RELOADING", "1") => Self::Reloading,
            ("STOPPING", "1") => Self::Stopping,
            ("WATCHDOG", "1") => Self::Alive,
            ("WATCHDOG", "trigger") => Self::Trigger,
            ("STATUS", text) => Self::Status(text.to_owned()),
            ("ERRNO", number) => Self::Errno(number.parse().ok()?),
            ("EXTEND_TIMEOUT_USEC", n) => Self::Extend(Duration::from_micros(n.parse().ok()?)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Notice};

    #[test]
    fn each_line_is_an_assignment_and_unknown_ones_are_skipped() {
        let text =
            "STATUS=a=b c\nREADY=1\nFDSTORE=1\nEXTEND_TIMEOUT_USEC=1500000\nERRNO=2\nnonsense";
        let expected = [
            Notice::Status("a=b c".to_owned()),
            Notice::Ready,
            Notice::Extend(Duration::from_millis(1500)),
            Notice::Errno(2),
        ];
        assert_eq!(Notice::all_of(text), expected);
        assert_eq!(
            Notice::all_of("READY=0\nERRNO=x\nEXTEND_TIMEOUT_USEC=-1"),
            []
        );
        let others = [
            Notice::Reloading,
            Notice::Stopping,
            Notice::Alive,
            Notice::Trigger,
        ];
        assert_eq!(
            Notice::all_of("RELOADING=1\nSTOPPING=1\nWATCHDOG=1\nWATCHDOG=trigger"),
            others
        );
    }
}
