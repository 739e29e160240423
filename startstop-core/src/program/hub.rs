//! The thread that hears the signals, with a small runtime of its own: so they are heard while every worker is blocked.
//!
//! It is there while a program runs, one for the process. What tokio hands out is kept for the next program, so that a
//! signal between two of them is not lost; after [`run`](crate::run) signals do what they do by default instead.

use std::future::poll_fn;
use std::io;
use std::iter;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context as Task, Poll, Waker, ready};
use std::time::Instant;

use tokio::runtime::{Builder, Handle};

use super::aside::{A_SECOND, aside};
use super::count::TERMINATE_WINDOW;
use super::handoff::{Giver, handoff};
use super::signals::{Signal, Signals, arm_defaults, disarm_defaults};
use super::stage::IfStuck;
use super::subject::Subject;
use super::waited::block_on;
use crate::engine::Shared;
use crate::engine::unresponsive;
use crate::sync::{spawn_boxed, spawn_thread};

/// The programs of the process, and who hears the signals for them. Nothing foreign runs under its lock.
struct Hub {
    subjects: Vec<Arc<Subject>>,
    /// The runtime of the thread, while there is one.
    runtime: Option<Handle>,
    /// Asks the thread to look again.
    waker: Option<Waker>,
    /// The signals of the thread, while there is none.
    signals: Option<Signals>,
    /// The signal that came when the last program had ended already.
    missed: Option<Signal>,
    /// The way of the last program if it is stuck, which decides about signals that come after it as well.
    last: IfStuck,
    terminated_at: Option<Instant>,
}

static HUB: Mutex<Hub> = Mutex::new(Hub {
    subjects: Vec::new(),
    runtime: None,
    waker: None,
    signals: None,
    missed: None,
    last: IfStuck::Stays,
    terminated_at: None,
});

/// The thread has ended.
static ENDED: Condvar = Condvar::new();

fn hub() -> MutexGuard<'static, Hub> {
    HUB.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The same, once a thread that has nothing to hear has ended: a signal that is on its way to it came before the next program. It
/// ends at once, but for what it tells a program at that moment.
fn hub_at_rest() -> MutexGuard<'static, Hub> {
    let is_ending = |hub: &mut Hub| hub.runtime.is_some() && hub.is_over();
    let waited = ENDED.wait_timeout_while(hub(), A_SECOND, is_ending);
    waited.unwrap_or_else(PoisonError::into_inner).0
}

/// A program that hears signals, until this is dropped.
pub(super) struct Listening<'a>(&'a Arc<Subject>);

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        self.0.finish();
        hub().remove(self.0);
    }
}

/// Registers a program for signals, first those that came since the last one.
pub(super) fn listen(subject: &Arc<Subject>) -> io::Result<Listening<'_>> {
    unresponsive::watch(take_unresponsive);
    let mut hub = hub_at_rest();
    let mut came = Vec::from_iter(hub.missed.take());
    let runtime = match hub.runtime.clone() {
        Some(runtime) => runtime,
        None => {
            let (runtime, kept) = spawn(hub.signals.take())?;
            came.extend(kept);
            hub.runtime.insert(runtime).clone()
        }
    };
    disarm_defaults();
    subject.keep_time_on(runtime);
    hub.subjects.push(Arc::clone(subject));
    drop(hub);
    let listening = Listening(subject);
    for signal in came {
        subject.take(signal);
    }
    Ok(listening)
}

/// A service of the process does not yield: the programs see to it that this does not keep the process.
fn take_unresponsive(shared: &Shared) {
    let subjects = hub().subjects.clone();
    for subject in subjects {
        subject.take_unresponsive(shared);
    }
}

impl Hub {
    fn remove(&mut self, subject: &Arc<Subject>) {
        self.subjects.retain(|other| !Arc::ptr_eq(other, subject));
        if !self.subjects.is_empty() {
            return;
        }
        self.last = subject.if_stuck();
        match self.last {
            IfStuck::Stays => self.missed = subject.missed(),
            IfStuck::Exits => self.arm_defaults(),
        }
        self.wake();
    }

    /// Signals do what they do by default from now on, but for the twin of a SIGTERM.
    fn arm_defaults(&self) {
        arm_defaults(Signal::Interrupt);
        let Some(until) = self.twin_until() else {
            return arm_defaults(Signal::Terminate);
        };
        if let Some(runtime) = &self.runtime {
            let wake = async move {
                tokio::time::sleep_until(until.into()).await;
                hub().wake();
            };
            spawn_boxed(runtime, Box::pin(wake));
        }
    }

    /// Returns until when a SIGTERM would be the same request as the last.
    fn twin_until(&self) -> Option<Instant> {
        let until = self.terminated_at? + TERMINATE_WINDOW;
        (until > Instant::now()).then_some(until)
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            // That of the thread's own runtime.
            waker.wake();
        }
    }

    /// Returns whether the thread has nothing to hear any more.
    fn is_over(&self) -> bool {
        let waits = self.last == IfStuck::Exits && self.twin_until().is_some();
        self.subjects.is_empty() && !waits
    }

    /// Keeps a signal that nobody has taken, unless there are programs by now.
    fn miss(&mut self, signal: Signal) -> Option<Vec<Arc<Subject>>> {
        if !self.subjects.is_empty() {
            return Some(self.subjects.clone());
        }
        if self.last == IfStuck::Stays {
            self.missed = Some(signal);
        }
        None
    }

    fn note(&mut self, signal: Signal) {
        if signal == Signal::Terminate && self.twin_until().is_none() {
            self.terminated_at = Some(Instant::now());
        }
    }
}

type Started = io::Result<(Handle, Vec<Signal>)>;

/// Starts the thread, and waits until it hears: its runtime, and what came since the last one.
fn spawn(kept: Option<Signals>) -> Started {
    let (giver, taker) = handoff();
    let name = "startstop-signals".to_owned();
    spawn_thread(Some(name), Box::new(move || serve(kept, &giver)))?;
    taker
        .take()
        .unwrap_or_else(|| Err(io::Error::other("the thread that hears them has panicked")))
}

fn serve(kept: Option<Signals>, started: &Giver<Started>) {
    let begin = || {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (signals, came) = block_on(&runtime, begin(kept))?;
        Ok((runtime, signals, came))
    };
    match begin() {
        Ok((runtime, signals, came)) => {
            // Who waits for it holds the lock until it has come.
            started.give(Ok((runtime.handle().clone(), came)));
            block_on(&runtime, hear(signals));
        }
        Err(error) => started.give(Err(error)),
    }
}

/// Listens, or goes on listening: then, with what came meanwhile.
async fn begin(kept: Option<Signals>) -> io::Result<(Signals, Vec<Signal>)> {
    let Some(mut signals) = kept else {
        return Ok((Signals::listen()?, Vec::new()));
    };
    // A turn of the runtime, which reads what the handlers have written.
    tokio::task::yield_now().await;
    let came = poll_fn(|cx| {
        let next = || match signals.poll_next(cx) {
            Poll::Ready(signal) => Some(signal),
            Poll::Pending => None,
        };
        Poll::Ready(iter::from_fn(next).collect())
    });
    let came = came.await;
    Ok((signals, came))
}

async fn hear(signals: Signals) {
    let mut signals = Some(signals);
    while let Some((signal, subjects)) = poll_fn(|cx| hear_next(&mut signals, cx)).await {
        let mut next = Some(subjects);
        while let Some(subjects) = next {
            next = if tell(&subjects, signal) {
                None
            } else {
                hub().miss(signal)
            };
            // Aside: it may be all that is left of a service.
            aside(move || drop(subjects));
        }
    }
}

/// Returns whether any of them has taken the signal, and not ended meanwhile.
fn tell(subjects: &[Arc<Subject>], signal: Signal) -> bool {
    let taken: Vec<bool> = subjects
        .iter()
        .map(|subject| subject.take(signal))
        .collect();
    taken.contains(&true)
}

/// The next signal and whom it is for, or `None` at the end of the thread.
fn hear_next(
    signals: &mut Option<Signals>,
    cx: &mut Task<'_>,
) -> Poll<Option<(Signal, Vec<Arc<Subject>>)>> {
    let mut hub = hub();
    if hub.is_over() {
        hub.signals = signals.take();
        hub.runtime = None;
        ENDED.notify_all();
        if hub.last == IfStuck::Exits {
            arm_defaults(Signal::Terminate);
        }
        return Poll::Ready(None);
    }
    hub.waker = Some(cx.waker().clone());
    let Some(signals) = signals else {
        return Poll::Ready(None);
    };
    let signal = ready!(signals.poll_next(cx));
    hub.note(signal);
    Poll::Ready(Some((signal, hub.subjects.clone())))
}
