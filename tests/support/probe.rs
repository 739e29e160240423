//! The probe and its remote control.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use startstop_core::{BoxError, Context, Service};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Act, Latch, within};

/// The events of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// `run` was entered: cycle and attempt.
    Run(u64, u64),
    /// `run` has seen the cancellation.
    Cancelled,
    /// The future of `run` is gone.
    RunEnded,
    Shutdown,
    /// The future of `shutdown` is gone.
    ShutdownEnded,
    /// A task was entered.
    Task,
    /// The future of a task is gone.
    TaskEnded,
}

#[derive(Debug, Default)]
struct Shared {
    latch: Latch,
    runs: AtomicUsize,
    live: AtomicUsize,
    overlapped: AtomicBool,
}

/// A service that obeys until it is told otherwise: it waits for the cancellation and ends.
pub(crate) struct Probe {
    shared: Arc<Shared>,
    events: UnboundedSender<Event>,
    acts: tokio::sync::Mutex<UnboundedReceiver<Act>>,
    on_cancel: Arc<Mutex<Act>>,
    on_shutdown: Arc<Mutex<Act>>,
}

/// The other end of a probe. Its drop checks that never two attempts ran at once.
pub(crate) struct Remote {
    shared: Arc<Shared>,
    events: UnboundedReceiver<Event>,
    seen: Vec<Event>,
    acts: UnboundedSender<Act>,
    on_cancel: Arc<Mutex<Act>>,
    on_shutdown: Arc<Mutex<Act>>,
}

impl Probe {
    pub(crate) fn new() -> (Self, Remote) {
        let (events, seen) = unbounded_channel();
        let (tell, acts) = unbounded_channel();
        let probe = Self {
            shared: Arc::default(),
            events,
            acts: acts.into(),
            on_cancel: Arc::new(Mutex::new(Act::Complete)),
            on_shutdown: Arc::new(Mutex::new(Act::Complete)),
        };
        let remote = Remote {
            shared: Arc::clone(&probe.shared),
            events: seen,
            seen: Vec::new(),
            acts: tell,
            on_cancel: Arc::clone(&probe.on_cancel),
            on_shutdown: Arc::clone(&probe.on_shutdown),
        };
        (probe, remote)
    }

    fn emit(&self, event: Event) {
        // Errors are ignored: a test that has seen enough drops its remote.
        let _ = self.events.send(event);
    }

    fn emits_when_dropped(&self, event: Event) -> OnDrop<impl FnMut() + Send + use<>> {
        let events = self.events.clone();
        OnDrop(move || {
            let _ = events.send(event);
        })
    }

    fn counted(&self) -> OnDrop<impl FnMut() + Send + use<>> {
        let shared = Arc::clone(&self.shared);
        shared.runs.fetch_add(1, Ordering::SeqCst);
        if shared.live.fetch_add(1, Ordering::SeqCst) > 0 {
            shared.overlapped.store(true, Ordering::SeqCst);
        }
        OnDrop(move || {
            shared.live.fetch_sub(1, Ordering::SeqCst);
        })
    }

    /// Does what does not end it, and passes on what does.
    fn perform(&self, act: &Act, cx: &Context) -> Option<Result<(), BoxError>> {
        match act {
            Act::Ready => cx.ready(),
            Act::Block => self.shared.latch.block(),
            Act::Release => self.shared.latch.release(),
            Act::Spawn(act) => self.spawn(act, cx),
            Act::With(f) => f(cx),
            _ => return act.end(),
        }
        None
    }

    fn spawn(&self, act: &Act, cx: &Context) {
        let ended = self.emits_when_dropped(Event::TaskEnded);
        let (shared, events) = (Arc::clone(&self.shared), self.events.clone());
        let (act, inner) = (act.clone(), cx.clone());
        cx.spawn(async move {
            let _ended = ended;
            let _ = events.send(Event::Task);
            match act {
                Act::Hang => std::future::pending().await,
                Act::Block => shared.latch.block(),
                _ => {}
            }
            if let Some(end) = act.end() {
                return end;
            }
            inner.cancelled().await;
            Ok(())
        });
    }
}

impl Service for Probe {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        let _ended = self.emits_when_dropped(Event::RunEnded);
        let _counted = self.counted();
        self.emit(Event::Run(cx.cycle(), cx.attempt()));
        let mut acts = self.acts.lock().await;
        let mut deaf = false;
        loop {
            let act = tokio::select! {
                biased;
                Some(act) = acts.recv() => act,
                () = cx.cancelled(), if !deaf => {
                    self.emit(Event::Cancelled);
                    deaf = true;
                    self.on_cancel.lock().unwrap().clone()
                }
            };
            deaf |= matches!(act, Act::Hang);
            if let Some(end) = self.perform(&act, &cx) {
                return end;
            }
        }
    }

    async fn shutdown(&self, cx: Context) -> Result<(), BoxError> {
        let _ended = self.emits_when_dropped(Event::ShutdownEnded);
        self.emit(Event::Shutdown);
        let act = self.on_shutdown.lock().unwrap().clone();
        if matches!(act, Act::Hang) {
            std::future::pending::<()>().await;
        }
        self.perform(&act, &cx).unwrap_or(Ok(()))
    }
}

impl Remote {
    /// Tells the attempt that runs, or else the next one.
    pub(crate) fn tell(&self, act: Act) {
        self.acts
            .send(act)
            .unwrap_or_else(|_| panic!("the probe is gone"));
    }

    /// Sets the act of every attempt after it has seen the cancellation.
    pub(crate) fn on_cancel(&self, act: Act) {
        *self.on_cancel.lock().unwrap() = act;
    }

    /// Sets the act of every `shutdown`.
    pub(crate) fn on_shutdown(&self, act: Act) {
        *self.on_shutdown.lock().unwrap() = act;
    }

    /// Releases what blocks its thread, now and from now on.
    pub(crate) fn release(&self) {
        self.shared.latch.release();
    }

    /// How often `run` was entered.
    pub(crate) fn runs(&self) -> usize {
        self.shared.runs.load(Ordering::SeqCst)
    }

    /// Whether nothing of `run` is alive.
    pub(crate) fn is_quiet(&self) -> bool {
        self.shared.live.load(Ordering::SeqCst) == 0
    }

    pub(crate) async fn next(&mut self) -> Event {
        let event = within(self.events.recv()).await.expect("the probe is gone");
        self.seen.push(event);
        event
    }

    /// Waits for an event and passes over others.
    pub(crate) async fn until(&mut self, event: Event) {
        while self.next().await != event {}
    }

    /// All that has happened so far.
    pub(crate) fn seen(&mut self) -> &[Event] {
        while let Ok(event) = self.events.try_recv() {
            self.seen.push(event);
        }
        &self.seen
    }

    /// How often this has happened so far.
    pub(crate) fn count(&mut self, event: Event) -> usize {
        self.seen().iter().filter(|seen| **seen == event).count()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // After a failed test the runtime could not end otherwise.
        self.release();
        if !std::thread::panicking() {
            assert!(
                !self.shared.overlapped.load(Ordering::SeqCst),
                "two attempts at once"
            );
        }
    }
}

struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
