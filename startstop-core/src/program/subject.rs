//! One service as a program: what signals, and verdicts, make of it.
//!
//! The thread that hears the signals calls this. It must go on hearing them, so whatever may run user code (wakers,
//! subscribers, a composite that is asked for its parts) is done aside.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::{sleep_until, timeout};

use super::aside::{A_SECOND, aside, within_a_second};
use super::helpers::{Helper, Helpers, helpers};
use super::leave::leave;
use super::signals::Signal;
use super::stage::{IfStuck, ProgramStage, ProgramStep};
use crate::engine::request::pending::ask;
use crate::engine::request::{self, Caller};
use crate::engine::waiters::Answer;
use crate::engine::{Node, Shared, grace};
use crate::report::error::ReloadError;
use crate::report::state::State;
use crate::report::trace;
use crate::sync::{Empty, spawn_boxed};

/// When a signal has asked for the end, if one has. It outlives the subject.
pub(super) type AskedAt = Arc<OnceLock<Instant>>;

/// A service whose signals are heard.
pub(super) struct Subject {
    node: Arc<dyn Node>,
    /// The runtime of the program.
    on: Handle,
    if_stuck: IfStuck,
    /// The runtime of the thread that hears the signals: where its deadlines are kept.
    clock: OnceLock<Handle>,
    asked_at: AskedAt,
    /// Dropped after the node.
    helper: Helper,
    stage: Mutex<ProgramStage>,
    /// The stop has been asked for.
    stops: Condvar,
}

impl Subject {
    pub(super) fn new(
        node: Arc<dyn Node>,
        on: Handle,
        if_stuck: IfStuck,
        asked_at: &AskedAt,
    ) -> (Arc<Self>, Helpers) {
        let (helper, helpers) = helpers();
        let subject = Arc::new(Self {
            node,
            on,
            if_stuck,
            clock: OnceLock::new(),
            asked_at: Arc::clone(asked_at),
            helper,
            stage: Mutex::default(),
            stops: Condvar::new(),
        });
        (subject, helpers)
    }

    pub(super) fn node(&self) -> &Arc<dyn Node> {
        &self.node
    }

    pub(super) fn if_stuck(&self) -> IfStuck {
        self.if_stuck
    }

    pub(super) fn keep_time_on(&self, clock: Handle) {
        // The thread may have been another one when it was asked for before: never so.
        drop(self.clock.set(clock));
    }

    fn stage(&self) -> MutexGuard<'_, ProgramStage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether a signal has asked for the end.
    pub(super) fn is_asked(&self) -> bool {
        self.stage().is_asked()
    }

    /// Returns whether a signal has asked for the end of what is not there: then there is nothing to start.
    pub(super) fn is_asked_before_start(&self) -> bool {
        let is_stopped = self.state() == State::Stopped;
        let mut stage = self.stage();
        let is_asked = is_stopped && stage.is_asked();
        if is_asked {
            stage.tell();
        }
        is_asked
    }

    /// The service has been started, and hears of what came before that.
    pub(super) fn has_started(self: &Arc<Self>) {
        let step = self.stage().start();
        match step {
            // Here: where the start was made, so that the service is told before it has run.
            ProgramStep::Stop => self.stop(),
            step => self.follow(step),
        }
    }

    /// The program has ended, unless the process is being left: whether it was so.
    pub(super) fn finish(&self) -> bool {
        self.stage().finish()
    }

    /// Leaves the process, unless the program has ended meanwhile.
    pub(super) fn leave(&self) {
        if self.finish() {
            leave(&self.node);
        }
    }

    /// Returns the signal that asked for the end of what had ended already.
    pub(super) fn missed(&self) -> Option<Signal> {
        let exit = self.node.shared().synced().exit;
        self.stage().missed(exit)
    }

    /// Does what a signal asks for; whether there was anybody left to take it.
    pub(super) fn take(self: &Arc<Self>, signal: Signal) -> bool {
        let state = self.state();
        let Some(step) = self.stage().hear(signal, state, self.if_stuck) else {
            return false;
        };
        self.show(signal);
        self.follow(step);
        true
    }

    fn follow(self: &Arc<Self>, step: ProgramStep) {
        let this = Arc::clone(self);
        match step {
            ProgramStep::Nothing => {}
            ProgramStep::Reload => aside(move || this.reload()),
            ProgramStep::Stop => {
                self.limit_stop();
                aside(move || this.stop());
            }
            ProgramStep::Abort => aside(move || this.abort()),
            ProgramStep::Leave => aside(move || this.leave()),
        }
    }

    fn state(&self) -> State {
        self.node.shared().atomic_state.read().state()
    }

    fn show(&self, signal: Signal) {
        if cfg!(feature = "tracing") {
            self.aside_with_node(move |node| trace::signal(node.shared().name(), &signal));
        }
    }

    /// Does some work with the service on a thread of its own, which lets go of it before it counts as done.
    fn aside_with_node(&self, work: impl FnOnce(&dyn Node) + Send + 'static) {
        let (node, helper) = (Arc::clone(&self.node), self.helper.clone());
        aside(move || {
            work(&*node);
            drop(node);
            drop(helper);
        });
    }

    fn stop(&self) {
        request::keep_down(&self.node);
        request::stop(&self.node, None, Caller::No);
        self.stage().stop();
        self.stops.notify_all();
    }

    /// Not before the stop, which may be on its way on another thread: an abort calls no `shutdown`.
    fn abort(&self) {
        let is_open = |stage: &mut ProgramStage| !stage.is_stopping();
        drop(
            self.stops
                .wait_timeout_while(self.stage(), A_SECOND, is_open),
        );
        request::stop(&self.node, Some(Duration::ZERO), Caller::No);
    }

    /// Sees to it that the process is left, at the latest, a second after the stop should have ended.
    fn limit_stop(self: &Arc<Self>) {
        if self.if_stuck == IfStuck::Stays {
            return;
        }
        let asked = Instant::now();
        // Only the first signal comes here.
        let _ = self.asked_at.set(asked);
        let (told, tells) = oneshot::channel();
        self.aside_with_node(move |node| {
            let _ = told.send(grace::span(node).total());
        });
        let (this, own) = (Arc::downgrade(self), own_grace(self.node.shared()));
        self.keep(Box::pin(async move {
            let grace = timeout(A_SECOND, tells).await;
            let grace = grace.ok().and_then(Result::ok).unwrap_or(own);
            if let Some(end) = asked.checked_add(grace.saturating_add(A_SECOND)) {
                sleep_until(end.into()).await;
                leave_weak(&this);
            }
        }));
    }

    /// Leaves the process unless a worker is found that is free.
    fn limit_block(self: &Arc<Self>, limit: Duration) {
        let is_free = self.on.spawn(Empty { ends: true });
        let this = Arc::downgrade(self);
        self.keep(Box::pin(async move {
            if timeout(limit.max(A_MOMENT), is_free).await.is_err() {
                leave_weak(&this);
            }
        }));
    }

    fn keep(&self, deadline: Pin<Box<dyn Future<Output = ()> + Send>>) {
        if let Some(clock) = self.clock.get() {
            spawn_boxed(clock, deadline);
        }
    }

    /// Some service of the process does not yield.
    pub(super) fn take_unresponsive(self: &Arc<Self>, shared: &Shared) {
        if self.if_stuck == IfStuck::Stays {
            return;
        }
        if std::ptr::eq(shared, self.node.shared()) {
            let this = Arc::clone(self);
            aside(move || this.leave());
        } else {
            self.limit_block(shared.settings.abort_timeout());
        }
    }

    /// Asks for a reload and waits for its answer; where nobody reloads, a hang-up is a termination.
    fn reload(self: &Arc<Self>) {
        if !self.stage().ask_for_reload() {
            // Who waits already learns whether there is anybody who reloads.
            request::reload(&self.node, Caller::No);
            return;
        }
        let Some(clock) = self.clock.get() else {
            return;
        };
        let reload = |wanted: Caller<'_>| request::reload(&self.node, wanted);
        let result = clock.block_on(ask(&self.node, reload, Answer::reload));
        self.stage().is_answered();
        if let Err(ReloadError::NotSupported) = result {
            let state = self.state();
            let step = self.stage().not_reloaded(state, self.if_stuck);
            if step != ProgramStep::Nothing {
                self.show(Signal::Terminate);
            }
            self.follow(step);
        }
    }
}

/// A worker that is free needs this long to run an empty task on a busy machine.
const A_MOMENT: Duration = Duration::from_millis(100);

fn leave_weak(subject: &Weak<Subject>) {
    if let Some(subject) = subject.upgrade() {
        aside(move || subject.leave());
    }
}

/// Returns how long a stop may take. Nothing of the service is kept by whom it asks in vain.
pub(super) fn grace_of(node: &Arc<dyn Node>) -> Duration {
    let asked = Arc::clone(node);
    let grace = within_a_second(move || grace::span(&*asked).total());
    grace
        .and_then(Result::ok)
        .unwrap_or_else(|| own_grace(node.shared()))
}

/// Returns how long a stop of a service alone may take.
fn own_grace(shared: &Shared) -> Duration {
    let settings = &shared.settings;
    let stop = settings
        .stop_timeout()
        .saturating_add(settings.abort_timeout());
    settings
        .own_drain()
        .unwrap_or_default()
        .saturating_add(stop)
}
