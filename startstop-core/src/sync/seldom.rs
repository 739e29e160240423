//! Threads and tasks that are spawned seldom: each kind in a box, since what std and tokio spawn is compiled anew for each type.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::thread::Builder;

use tokio::runtime::Handle;

use super::spawn_on;

/// Spawns a thread that nobody joins.
pub(crate) fn spawn_thread(name: Option<String>, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    let thread = match name {
        Some(name) => Builder::new().name(name),
        None => Builder::new(),
    };
    thread.spawn(work).map(drop)
}

/// Spawns a task that nobody joins.
pub(crate) fn spawn_boxed(on: &Handle, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
    drop(spawn_on(on, future));
}
