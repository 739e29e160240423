//! SIGINT, SIGTERM and SIGHUP.

mod ignored;

use std::io;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as Task, Poll};

use tokio::signal::unix::{self, SignalKind};

use super::Signal;

/// The signals that have come since the last reading, or since listening began.
pub(in crate::program) struct Signals(Vec<(Signal, unix::Signal)>);

impl Signals {
    /// Listens from now on; not to what was ignored when the program began, as under `nohup` or in the background of a
    /// shell.
    pub(in crate::program) fn listen() -> io::Result<Self> {
        let mut all = Vec::with_capacity(3);
        for signal in [Signal::Interrupt, Signal::Terminate, Signal::HangUp] {
            if !must_stay_ignored(signal) {
                all.push((signal, unix::signal(kind(signal))?));
            }
        }
        let heard: Vec<Signal> = all.iter().map(|(signal, _)| *signal).collect();
        REGISTERED.call_once(|| heard.into_iter().for_each(register_default));
        Ok(Self(all))
    }

    /// Returns the next one. Each kind is handed out once, however often it has come meanwhile.
    pub(in crate::program) fn poll_next(&mut self, cx: &mut Task<'_>) -> Poll<Signal> {
        let next = self.0.iter_mut().find_map(|(signal, all)| {
            // One at a time: what came beside it is the next.
            all.poll_recv(cx).is_ready().then_some(*signal)
        });
        next.map_or(Poll::Pending, Poll::Ready)
    }
}

fn kind(signal: Signal) -> SignalKind {
    match signal {
        Signal::Interrupt => SignalKind::interrupt(),
        Signal::Terminate => SignalKind::terminate(),
        Signal::HangUp => SignalKind::hangup(),
    }
}

fn must_stay_ignored(signal: Signal) -> bool {
    signal != Signal::Terminate && ignored::is_ignored(kind(signal).as_raw_value())
}

static REGISTERED: Once = Once::new();

/// Switches for the default action of SIGTERM and of the other signals. The handler reads them at any time and in any
/// thread, so that no thread has to be there to answer it.
static TERMINATE_IS_DEFAULT: AtomicBool = AtomicBool::new(false);
static OTHERS_ARE_DEFAULT: AtomicBool = AtomicBool::new(false);

fn register_default(signal: Signal) {
    let switch = match signal {
        Signal::Terminate => &TERMINATE_IS_DEFAULT,
        Signal::Interrupt | Signal::HangUp => &OTHERS_ARE_DEFAULT,
    };
    // Where it cannot be registered tokio could not either, and has said so.
    let _ = signal_hook::flag::register_conditional_default(kind(signal).as_raw_value(), switch);
}

/// Restores what signals do by default: SIGTERM, or the others.
pub(in crate::program) fn arm_defaults(of: Signal) {
    match of {
        Signal::Terminate => TERMINATE_IS_DEFAULT.store(true, Ordering::SeqCst),
        Signal::Interrupt | Signal::HangUp => OTHERS_ARE_DEFAULT.store(true, Ordering::SeqCst),
    }
}

/// Makes all signals be only listened to.
pub(in crate::program) fn disarm_defaults() {
    TERMINATE_IS_DEFAULT.store(false, Ordering::SeqCst);
    OTHERS_ARE_DEFAULT.store(false, Ordering::SeqCst);
}
