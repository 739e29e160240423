//! The descriptor of s6: one line when the program is ready.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};

/// A descriptor that was inherited, opened once more, since nobody can own a number without `unsafe`.
#[derive(Debug)]
pub(super) struct NotifyFd(File);

impl NotifyFd {
    pub(super) fn open(number: i32) -> Result<Self, String> {
        // Where it is a file that others write to, it overwrites nothing.
        let file = OpenOptions::new()
            .append(true)
            .open(format!("/proc/self/fd/{number}"));
        let cannot = |error| format!("notify: cannot write to the descriptor {number}: {error}");
        file.map(Self).map_err(cannot)
    }

    pub(super) fn tell(mut self) -> io::Result<()> {
        self.0.write_all(b"\n")
    }
}

pub(super) fn number(text: &OsStr) -> Result<i32, String> {
    let number = text
        .to_str()
        .and_then(|text| text.parse().ok())
        .filter(|number| *number >= 0);
    number.ok_or_else(|| {
        format!(
            "notify: STARTSTOP_NOTIFY_FD is no descriptor: {}",
            text.to_string_lossy()
        )
    })
}
