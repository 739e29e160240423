//! The end of a process although something of its service is still there.

use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::aside::{A_SECOND, aside};
use super::handoff::handoff;
use super::on_exit;
use super::stderr::print;
use crate::engine::Node;
use crate::runner::snapshot;

/// Says what is stuck, calls what is to be called at the end, and exits with 1.
pub(super) fn leave(node: &Arc<dyn Node>) -> ! {
    tell_what_is_stuck(Arc::clone(node));
    on_exit::call_all();
    exit(1)
}

/// The service is asked for its parts, which may block as well: then what is known by then is all.
fn tell_what_is_stuck(node: Arc<dyn Node>) {
    let (giver, taker) = handoff();
    aside(move || snapshot::stuck(&*node, |line| giver.give(line)));
    let until = Instant::now() + A_SECOND;
    while let Some(line) = taker.take_until(until) {
        print(|| line);
    }
}

/// Exits, also where one of the last functions or what C has registered for the end blocks, or another thread is inside of that.
pub(super) fn exit(code: u8) -> ! {
    aside(move || {
        thread::sleep(A_SECOND);
        exit_at_once(code);
    });
    on_exit::__leave();
    process::exit(code.into())
}

#[cfg(unix)]
fn exit_at_once(code: u8) {
    signal_hook::low_level::exit(code.into());
}

#[cfg(not(unix))]
fn exit_at_once(_code: u8) {
    process::abort();
}
