//! Numbers that only the events tell: failures by phase and cause, and how long starts and stops take.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures_core::Stream;
use startstop_core::{Event, EventKind, Events, StartStop};

use super::label::Labelled;

/// How many events may wait until a task counts them, which is late on a busy machine.
const WITH_A_TASK: usize = 1 << 20;

/// How many may wait until somebody looks: they stay in memory until then.
const WITHOUT_A_TASK: usize = 16_384;

/// The upper bounds of the buckets, in seconds.
pub(super) const BOUNDS: [f64; 8] = [0.005, 0.025, 0.1, 0.5, 2.0, 10.0, 30.0, 120.0];

/// The counts of a tree, by paths.
pub(crate) struct Counts(Mutex<State>);

struct State {
    events: Events,
    parts: HashMap<String, PartCounts>,
}

/// The counts of one service.
#[derive(Default)]
pub(crate) struct PartCounts {
    pub(crate) failures: BTreeMap<(String, String), u64>,
    pub(crate) starts: Durations,
    pub(crate) stops: Durations,
    /// Whether the attempt has not been ready yet.
    starting: bool,
    stopping_since: Option<SystemTime>,
}

/// A histogram.
#[derive(Default, Clone)]
pub(crate) struct Durations {
    pub(crate) sum: f64,
    pub(crate) count: u64,
    /// How many fell into each bucket; the last one has no bound.
    pub(crate) buckets: [u64; BOUNDS.len() + 1],
}

impl Counts {
    /// Counts from now on, by a task where there is a runtime, and at the latest when somebody looks.
    pub(crate) fn of(handle: &dyn StartStop) -> Arc<Self> {
        let runtime = tokio::runtime::Handle::try_current().ok();
        let capacity = match runtime {
            Some(_) => WITH_A_TASK,
            None => WITHOUT_A_TASK,
        };
        let counts = Arc::new(Self(Mutex::new(State {
            events: handle.events_with_capacity(capacity),
            parts: HashMap::new(),
        })));
        if let Some(runtime) = runtime {
            runtime.spawn(count(Arc::downgrade(&counts)));
        }
        counts
    }

    /// Hands over the counts of what is there, in its order; those of what is gone are forgotten.
    pub(crate) fn look<T>(
        &self,
        present: &[Labelled<'_>],
        look: impl FnOnce(&[Option<&PartCounts>]) -> T,
    ) -> T {
        let mut state = self.lock();
        while let Some(event) = state.events.try_next() {
            state.count(&event);
        }
        if state.parts.len() > present.len() {
            let present: HashSet<&str> = present.iter().map(Labelled::label).collect();
            state.parts.retain(|path, _| present.contains(&**path));
        }
        let counts = present.iter().map(|status| state.parts.get(status.label()));
        look(&counts.collect::<Vec<_>>())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts as long as somebody may look, and the runner is there.
async fn count(counts: Weak<Counts>) {
    poll_fn(|task| {
        counts
            .upgrade()
            .map_or(Poll::Ready(()), |counts| counts.lock().poll(task))
    })
    .await;
}

impl State {
    fn poll(&mut self, task: &mut Context<'_>) -> Poll<()> {
        loop {
            match Pin::new(&mut self.events).poll_next(task) {
                Poll::Ready(Some(event)) => self.count(&event),
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    fn count(&mut self, event: &Event) {
        if matches!(event.kind(), EventKind::Removed) {
            let below = format!("{}/", event.path());
            self.parts
                .retain(|path, _| path != event.path() && !path.starts_with(&below));
        } else if let Some(part) = self.parts.get_mut(event.path()) {
            part.count(event);
        } else {
            let mut part = PartCounts::default();
            part.count(event);
            self.parts.insert(event.path().to_owned(), part);
        }
    }
}

impl PartCounts {
    fn count(&mut self, event: &Event) {
        match event.kind() {
            EventKind::Starting => {
                self.stopped(event.at());
                self.starting = true;
            }
            EventKind::Ready { after } if self.starting => {
                self.starting = false;
                self.starts.observe(*after);
            }
            EventKind::Stopping(_) => {
                self.stopping_since.get_or_insert(event.at());
            }
            EventKind::Stopped { .. } | EventKind::Backoff { .. } => self.stopped(event.at()),
            EventKind::Failed(failure) => {
                let word = |text: String| text.replace(' ', "_");
                let key = (
                    word(failure.phase().to_string()),
                    word(failure.cause().to_string()),
                );
                *self.failures.entry(key).or_default() += 1;
            }
            _ => {}
        }
    }

    fn stopped(&mut self, at: SystemTime) {
        self.starting = false;
        if let Some(since) = self.stopping_since.take() {
            // The system's clock may have been set back; that counts as no time.
            self.stops
                .observe(at.duration_since(since).unwrap_or_default());
        }
    }
}

impl Durations {
    fn observe(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        self.sum += seconds;
        self.count += 1;
        let bucket = BOUNDS
            .iter()
            .position(|bound| seconds <= *bound)
            .unwrap_or(BOUNDS.len());
        self.buckets[bucket] += 1;
    }
}
