//! The niceness of a child.
//!
//! On Linux each thread has its own, and a child begins with that of the thread that has spawned it. So a thread takes it on
//! beforehand, with the rights of this process: a child of another user could not lower its own.

use std::io;
use std::thread;

use rustix::process::{getpriority_process, setpriority_process};

/// Calls a function on a thread that is nicer by so much. The error is that of the thread.
pub(super) fn nicer<T: Send>(by: i32, call: impl FnOnce() -> T + Send) -> io::Result<T> {
    let on_the_thread = || {
        let niceness = getpriority_process(None)?.saturating_add(by);
        setpriority_process(None, niceness.clamp(-20, 19))?;
        Ok(call())
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("startstop-spawn".into());
        let ended = thread.spawn_scoped(scope, on_the_thread)?.join();
        ended.unwrap_or_else(|_| Err(io::Error::other("the thread that spawns has panicked")))
    })
}
