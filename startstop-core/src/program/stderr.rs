//! The lines that the end of a program prints. Nobody may read stderr any more: it may be closed, or a pipe that is full.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use super::aside::within_a_second;
use crate::report::panic::catch_panic;
use crate::report::text::Escaped;

/// Set once a write had to wait for a reader too long: later lines do not wait again.
static IS_UNREAD: AtomicBool = AtomicBool::new(false);

/// Prints a line. The text comes from what the service says of itself, so it may block or panic as well.
pub(super) fn print(text: impl FnOnce() -> String + Send + 'static) {
    if IS_UNREAD.load(Ordering::Relaxed) {
        return;
    }
    let write = || {
        let text =
            catch_panic(text).unwrap_or_else(|panic| Escaped(&panic.to_string()).to_string());
        // In one piece, so that lines of others do not come between.
        io::stderr().write_all(format!("{text}\n").as_bytes())
    };
    if within_a_second(write).is_none() {
        IS_UNREAD.store(true, Ordering::Relaxed);
    }
}
