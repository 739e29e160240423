//! How a thread is spawned: for all kinds of work in one place, since what std spawns is compiled anew for each.

use std::io;
use std::thread::Builder;

/// Spawns a thread that nobody joins.
pub(crate) fn spawn_thread(name: Option<String>, work: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    let thread = match name {
        Some(name) => Builder::new().name(name),
        None => Builder::new(),
    };
    thread.spawn(work).map(drop)
}
