//! The niceness of a child.
//!
//! On Linux each thread has its own, and a child begins with that of the thread that has spawned it. So a thread takes it on
//! beforehand, with the rights of this process: a child of another user could not lower its own. The thread stays as long
//! as the child, since to the system it is the parent: a child may have asked for a signal at its end (`PR_SET_PDEATHSIG`).

use std::convert::Infallible;
use std::io;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use rustix::process::{getpriority_process, setpriority_process};

/// Its drop ends the thread.
#[derive(Debug)]
pub(crate) struct Spawner {
    _stays: Sender<Infallible>,
}

/// Calls a function on a thread that is nicer by so much. The error is that of the thread.
pub(crate) fn nicer<T: Send + 'static>(
    by: i32,
    call: impl FnOnce() -> T + Send + 'static,
) -> io::Result<(T, Spawner)> {
    let (told, called) = channel();
    let (stays, ended) = channel();
    let on_the_thread = move || {
        if told.send(take_on(by).map(|()| call())).is_ok() {
            // Nothing is ever sent; the drop of the other side is the event.
            let _ = ended.recv();
        }
    };
    let thread = thread::Builder::new().name("startstop-spawn".into());
    thread.spawn(on_the_thread)?;
    let called = called.recv().map_err(io::Error::other)??;
    Ok((called, Spawner { _stays: stays }))
}

/// Changes the niceness of this thread.
fn take_on(by: i32) -> io::Result<()> {
    let niceness = getpriority_process(None)?.saturating_add(by);
    Ok(setpriority_process(None, niceness.clamp(-20, 19))?)
}
