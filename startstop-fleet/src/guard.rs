//! The overrun guard: a thread that ends the process when a term is over and its service is not.
//!
//! 1. It needs nothing of the runtime, takes no lock that others hold, and waits for no output.
//! 2. It is armed before the service starts, and disarmed only by who has seen the service end.
//! 3. If whoever armed it is gone, it looks at the state of the service at the end of the term.

mod alarm;

use std::io;
use std::process;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use startstop_core::{State, StateWatch};

use self::alarm::Alarm;
use crate::clock;
use crate::term::Term;

/// How long before the end of a term the process begins to exit, at the most.
const EARLY: Duration = Duration::from_millis(50);

/// Returns how long before its end a process begins to exit whose term is valid for so long. A short one would be over at once.
pub(crate) fn early(validity: Duration) -> Duration {
    EARLY.min(validity / 8)
}

/// How often it looks again at a service that has not started although its term is over.
const AGAIN: Duration = Duration::from_millis(20);

const ARMED: u8 = 0;
/// Its owner is gone, and starts nothing more.
const LEFT: u8 = 1;
const DISARMED: u8 = 2;

/// Disarms by [`disarm`](Self::disarm) alone.
#[derive(Debug)]
pub(crate) struct Guard {
    shared: Arc<GuardShared>,
}

#[derive(Debug)]
struct GuardShared {
    alarm: Alarm,
    stage: AtomicU8,
    until: Until,
    early: Duration,
    name: Arc<str>,
}

/// When the term is over for the guard: it outlives a term that is revoked.
#[derive(Debug)]
struct Until(AtomicU64);

impl Until {
    fn get(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Acquire))
    }

    fn set(&self, until: Duration) {
        let nanos = u64::try_from(until.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_max(nanos, Ordering::AcqRel);
    }
}

impl Guard {
    /// Watches over the service behind `states` until so long before the end of the term.
    pub(crate) fn arm(term: &Term, states: StateWatch, early: Duration) -> io::Result<Self> {
        let until = Until(AtomicU64::new(0));
        until.set(term.valid_until());
        let stage = AtomicU8::new(ARMED);
        let shared = GuardShared {
            alarm: Alarm::new()?,
            stage,
            until,
            early,
            name: term.name().into(),
        };
        let shared = Arc::new(shared);
        let guard = Self {
            shared: shared.clone(),
        };
        let thread = thread::Builder::new().name("startstop-guard".to_owned());
        thread.spawn(move || shared.watch(&states))?;
        Ok(guard)
    }

    pub(crate) fn extend(&self, until: Duration) {
        self.shared.until.set(until);
        self.shared.alarm.set(self.shared.due());
    }

    pub(crate) fn disarm(self) {
        self.shared.stage.store(DISARMED, Ordering::Release);
        self.shared.alarm.set(Duration::ZERO);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let stage = &self.shared.stage;
        let _ = stage.compare_exchange(ARMED, LEFT, Ordering::AcqRel, Ordering::Acquire);
    }
}

impl GuardShared {
    fn due(&self) -> Duration {
        self.until.get().saturating_sub(self.early)
    }

    /// How long a process that has woken too late gets to say so.
    fn last_words(&self) -> Duration {
        self.early / 5
    }

    fn watch(&self, states: &StateWatch) {
        loop {
            // Set the alarm before the stage is read, so that a thread that disarms it in between ends the wait.
            self.alarm.set(self.due());
            let stage = self.stage.load(Ordering::Acquire);
            if stage == DISARMED {
                return;
            }
            if clock::now() < self.due() {
                self.alarm.wait();
                continue;
            }
            match (states.get(), stage) {
                (State::Stopped, LEFT) => return,
                // The service has ended and that is about to be told, or it is about to start.
                (State::Stopped, _) => thread::sleep(AGAIN),
                _ => self.exit(),
            }
        }
    }

    /// In order, if there is time; then by force. Children are killed before anything else.
    fn exit(&self) {
        let has_left = leave();
        // Nothing is ever sent: its drop is the event.
        let _ = has_left.recv_timeout(self.last_words());
        let name = self.name.clone();
        let speaker = thread::Builder::new().spawn(move || {
            eprintln!("{name}: the lease is over and the service has not ended: the process exits");
            // On a busy machine it may not have begun yet.
            let _ = has_left.recv();
            process::exit(1);
        });
        let left = self.until.get().saturating_sub(clock::now());
        if speaker.is_ok() {
            thread::sleep(left.max(self.last_words()));
        }
        force();
    }
}

/// Calls what stands for the destructors, which do not run; the channel closes when that is done.
fn leave() -> mpsc::Receiver<()> {
    let (done, is_done) = mpsc::channel::<()>();
    let leaves = move || {
        startstop_core::__leave();
        drop(done);
    };
    // Without a thread nothing is called, and the channel is closed.
    let _ = thread::Builder::new().spawn(leaves);
    is_done
}

/// A kill does nothing to the first process of a container; an abort does.
fn force() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getpid, kill_process};
        let _ = kill_process(getpid(), Signal::KILL);
    }
    process::abort();
}

#[cfg(test)]
mod tests {
    use super::{Duration, EARLY, early};

    #[test]
    fn a_short_term_is_not_over_when_it_begins() {
        let millis = Duration::from_millis;
        let terms = [1, 38, 400, 14_250].map(millis);
        let begins = terms.map(|validity| validity.saturating_sub(early(validity)));
        assert!(
            begins
                .iter()
                .zip(terms)
                .all(|(begins, validity)| *begins >= validity / 8 * 7)
        );
        assert_eq!(early(millis(14_250)), EARLY);
    }
}
