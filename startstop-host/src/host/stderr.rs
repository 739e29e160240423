//! Lines on stderr, which nobody may read: it may be closed, or a pipe that is full. A thread writes them while there are any, so that a
//! part that tells something never waits, and a program that says why it does not start waits for a second at the most.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long to wait for lines to be written.
const MOMENT: Duration = Duration::from_secs(1);
/// The most lines that wait for a reader: later ones are lost.
const MOST: usize = 64;

static LINES: Mutex<LinesToTell> = Mutex::new(LinesToTell {
    waiting: VecDeque::new(),
    is_writing: false,
    is_unread: false,
});
/// Notified when no line is left.
static WRITTEN: Condvar = Condvar::new();

struct LinesToTell {
    waiting: VecDeque<String>,
    /// Whether a thread writes.
    is_writing: bool,
    /// Whether somebody has waited in vain, and no line was written since.
    is_unread: bool,
}

/// Prints to stderr, and waits for that a second at the most.
pub(crate) fn tell(line: &str) {
    tell_aside(line);
    flush();
}

/// Prints to stderr without waiting.
pub(crate) fn tell_aside(line: &str) {
    let mut lines = lock();
    if lines.waiting.len() == MOST {
        return;
    }
    lines.waiting.push_back(format!("startstop-host: {line}\n"));
    if std::mem::replace(&mut lines.is_writing, true) {
        return;
    }
    drop(lines);
    let thread = thread::Builder::new().name("startstop-stderr".into());
    if thread.spawn(write).is_err() {
        write();
    }
}

/// Waits until all lines are written, for a second at the most; not again before the next one is written.
pub(super) fn flush() {
    let lines = lock();
    if lines.is_unread {
        return;
    }
    let waited = WRITTEN.wait_timeout_while(lines, MOMENT, |lines| lines.is_writing);
    let (mut lines, waited) = waited.unwrap_or_else(PoisonError::into_inner);
    lines.is_unread |= waited.timed_out();
}

/// Writes until no line is left.
fn write() {
    loop {
        let mut lines = lock();
        let Some(line) = lines.waiting.pop_front() else {
            lines.is_writing = false;
            WRITTEN.notify_all();
            return;
        };
        drop(lines);
        // One write, so that lines of others do not come between.
        drop(io::stderr().write_all(line.as_bytes()));
        lock().is_unread = false;
    }
}

fn lock() -> MutexGuard<'static, LinesToTell> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}
