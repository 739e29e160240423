//! A journal of what happens to the members of a test, line by line.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use super::probe::{Act, Probe};
use crate::support::within;

/// `+a`: its `run` was entered; `~a`: it is told to stop; `-a`: the future of its `run` is gone.
pub(crate) struct Journal {
    shared: Arc<Shared>,
}

#[derive(Default)]
pub(super) struct Shared {
    inner: Mutex<Inner>,
    written: Notify,
}

#[derive(Default)]
struct Inner {
    lines: Vec<(String, Instant)>,
    taken: usize,
    live: HashMap<String, usize>,
    doubled: Vec<String>,
    acts: HashMap<String, UnboundedSender<Act>>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self {
            shared: Arc::default(),
        }
    }

    /// A service that writes here under this name.
    pub(crate) fn probe(&self, name: &str) -> Probe {
        let (tell, acts): (_, UnboundedReceiver<Act>) = unbounded_channel();
        self.shared.inner().acts.insert(name.to_owned(), tell);
        Probe::new(name, acts, Arc::clone(&self.shared))
    }

    /// Tells the attempt that runs, or else the next one.
    pub(crate) fn tell(&self, name: &str, act: Act) {
        let inner = self.shared.inner();
        let sent = inner
            .acts
            .get(name)
            .expect("there is such a probe")
            .send(act);
        drop(inner);
        sent.unwrap_or_else(|_| panic!("the probe {name} is gone"));
    }

    /// The lines written since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        let mut inner = self.shared.inner();
        let taken = inner.taken;
        inner.taken = inner.lines.len();
        inner.lines[taken..]
            .iter()
            .map(|(line, _)| line.clone())
            .collect()
    }

    /// The starts and ends written since the last call, without the lines of members that were told to stop.
    pub(crate) fn moves(&self) -> Vec<String> {
        self.take()
            .into_iter()
            .filter(|line| !line.starts_with('~'))
            .collect()
    }

    pub(crate) fn count(&self, line: &str) -> usize {
        self.shared
            .inner()
            .lines
            .iter()
            .filter(|(written, _)| written == line)
            .count()
    }

    /// How many attempts run now.
    pub(crate) fn live(&self) -> usize {
        self.shared.inner().live.values().sum()
    }

    /// Seconds from then to when this was written last.
    #[track_caller]
    pub(crate) fn seconds(&self, since: Instant, line: &str) -> u64 {
        // Timers tick in milliseconds and may be late by one.
        (self.after(since, line) + Duration::from_millis(500)).as_secs()
    }

    /// The same in tenths of a second.
    #[track_caller]
    pub(crate) fn tenths(&self, since: Instant, line: &str) -> u128 {
        (self.after(since, line).as_millis() + 50) / 100
    }

    /// The time from then to when this was written last.
    #[track_caller]
    fn after(&self, since: Instant, line: &str) -> Duration {
        let inner = self.shared.inner();
        let found = inner
            .lines
            .iter()
            .rev()
            .find(|(written, _)| written == line);
        let (_, at) = found.unwrap_or_else(|| panic!("{line} was not written"));
        at.duration_since(since)
    }

    /// Waits until this is written among what was not taken yet.
    pub(crate) async fn until(&self, line: &str) {
        within(async {
            loop {
                let mut written = pin!(self.shared.written.notified());
                // Registered before the look, so that nothing in between is missed.
                written.as_mut().enable();
                if self.has(line) {
                    return;
                }
                written.await;
            }
        })
        .await;
    }

    fn has(&self, line: &str) -> bool {
        let inner = self.shared.inner();
        inner.lines[inner.taken..]
            .iter()
            .any(|(written, _)| written == line)
    }
}

impl Shared {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nobody panics under it")
    }

    pub(super) fn write(&self, mark: char, name: &str) {
        let mut inner = self.inner();
        inner.lines.push((format!("{mark}{name}"), Instant::now()));
        drop(inner);
        self.written.notify_waiters();
    }

    pub(super) fn enter(&self, name: &str) {
        let mut inner = self.inner();
        let live = inner.live.entry(name.to_owned()).or_default();
        *live += 1;
        if *live > 1 {
            inner.doubled.push(name.to_owned());
        }
        drop(inner);
        self.write('+', name);
    }

    pub(super) fn leave(&self, name: &str) {
        *self.inner().live.get_mut(name).expect("it was entered") -= 1;
        self.write('-', name);
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let doubled = std::mem::take(&mut self.shared.inner().doubled);
            assert_eq!(doubled, Vec::<String>::new(), "two attempts at once");
        }
    }
}
