//! One run of what can be replaced.
//!
//! 1. There is always one that is current, and at most one that is to follow it.
//! 2. The old one is stopped only after its successor has become ready.
//! 3. What has ended is no part any more, but the current one.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context as Task, Poll};

use startstop_core::{BoxError, Context, Events, Exit, Service, StartError, State, StopError};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Ask, Numbered, Replaceable, Replaced};

pub(super) struct Run<'a, S: Service> {
    whole: &'a Replaceable<S>,
    cx: Context,
    asked: UnboundedReceiver<Ask>,
    /// The replacement that is under way.
    replacement: Option<Replacement<S>>,
}

type Waited<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A replacement that is under way: whom it is about, who has asked for it, and the end that it waits for.
enum Replacement<S: Service> {
    /// The start of the successor.
    Start(Numbered<S>, Ask, Waited<Result<(), StartError>>),
    /// The end of the old one.
    Stop(Numbered<S>, Ask, Waited<Result<(), StopError>>),
}

/// An event that a run waits for.
enum Happened {
    Asked(Ask),
    /// The successor has started, or not.
    Started(Result<(), StartError>),
    OldStopped(Result<(), StopError>),
    /// To the current one.
    Event,
    Ended,
}

impl<'a, S: Service> Run<'a, S> {
    pub(super) fn new(whole: &'a Replaceable<S>, cx: Context) -> Self {
        Self {
            whole,
            cx,
            asked: whole.listen(),
            replacement: None,
        }
    }

    pub(super) async fn drive(mut self) -> Result<(), BoxError> {
        let first = self.whole.numbered();
        let mut events = first.runner.events();
        if let Err(error) = self.start(&first).await {
            return if self.cx.is_cancelled() {
                Ok(())
            } else {
                Err(error)
            };
        }
        self.cx.ready();
        loop {
            let current = self.whole.numbered();
            match self.next(&current, &mut events).await {
                Happened::Asked(ask) => self.begin(ask),
                Happened::Started(started) => {
                    if self.replaced(started, current) {
                        events = self.whole.current().events();
                    }
                    self.pass_on();
                }
                Happened::OldStopped(stopped) => self.finish(stopped),
                Happened::Event => self.pass_on(),
                Happened::Ended if current.runner.state() == State::Stopped => {
                    return self.end(&current).await;
                }
                // A handle has restarted the service.
                Happened::Ended => {}
            }
        }
    }

    /// Waits for the next thing that happens; an end only comes after what has happened before it. Nobody is asked for while
    /// a replacement is under way.
    async fn next(&mut self, current: &Numbered<S>, events: &mut Events) -> Happened {
        let (asked, replacement) = (&mut self.asked, &mut self.replacement);
        let mut event = pin!(events.next());
        let mut ended = pin!(current.runner.wait_for(State::Stopped));
        poll_fn(|task| {
            if let Some(Poll::Ready(happened)) = replacement
                .as_mut()
                .map(|replacement| replacement.poll(task))
            {
                return Poll::Ready(happened);
            }
            if let Poll::Ready(Some(_)) = event.as_mut().poll(task) {
                return Poll::Ready(Happened::Event);
            }
            if ended.as_mut().poll(task).is_ready() {
                return Poll::Ready(Happened::Ended);
            }
            if replacement.is_some() {
                return Poll::Pending;
            }
            asked
                .poll_recv(task)
                .map(|ask| ask.map_or(Happened::Ended, Happened::Asked))
        })
        .await
    }

    /// This service can do its job whenever the current one can.
    fn pass_on(&self) {
        let current = self.whole.current();
        if current.is_ready() {
            return self.cx.ready();
        }
        let status = current.status();
        match (status.not_ready_reason(), status.state()) {
            (Some(reason), _) => self.cx.not_ready(reason.to_owned()),
            // A draining service says nothing: this one drains as well.
            (None, State::Running) => {}
            (None, state) => self.cx.not_ready(state.to_string()),
        }
    }

    async fn start(&mut self, new: &Numbered<S>) -> Result<(), BoxError> {
        self.cx.attach(new.number.to_string(), &new.runner)?;
        Ok(new.runner.start().await?)
    }

    /// Begins a replacement, or answers why there is none.
    fn begin(&mut self, ask: Ask) {
        if self.cx.is_cancelled() {
            return answer(ask, Ok(Err(StartError::Stopped)));
        }
        let new = match self.whole.next() {
            Ok(new) => new,
            Err(panic) => {
                self.cx.report("the factory of the successor has panicked");
                return answer(ask, Err(panic));
            }
        };
        if self.cx.attach(new.number.to_string(), &new.runner).is_err() {
            // Attaching fails only when the attempt has ended.
            return answer(ask, Ok(Err(StartError::Stopped)));
        }
        let runner = new.runner.clone();
        let start = Box::pin(async move { runner.start().await });
        self.replacement = Some(Replacement::Start(new, ask, start));
    }

    /// The successor has started, and the old one is stopped, or has not, and the old one goes on. Returns whether there is another
    /// current one.
    fn replaced(&mut self, started: Result<(), StartError>, old: Numbered<S>) -> bool {
        let Some(Replacement::Start(new, ask, _)) = self.replacement.take() else {
            return false;
        };
        if let Err(error) = started {
            self.cx.detach(&new.runner);
            answer(ask, Ok(Err(error)));
            return false;
        }
        self.whole.set_current(new);
        let runner = old.runner.clone();
        let stop = Box::pin(async move { runner.stop().await });
        self.replacement = Some(Replacement::Stop(old, ask, stop));
        true
    }

    /// The old one has ended.
    fn finish(&mut self, stopped: Result<(), StopError>) {
        let Some(Replacement::Stop(old, ask, _)) = self.replacement.take() else {
            return;
        };
        if let Err(error) = stopped {
            self.cx.report(error);
        }
        self.cx.detach(&old.runner);
        answer(ask, Ok(Ok(())));
    }

    /// Tells how the current one has ended.
    async fn end(&mut self, current: &Numbered<S>) -> Result<(), BoxError> {
        let exit = current.runner.wait().await;
        match (exit, current.runner.errors_last()) {
            (Exit::Completed | Exit::Stopped, _) => Ok(()),
            _ if self.cx.is_cancelled() => Ok(()),
            (_, Some(failure)) => Err(failure.into()),
            (exit, None) => Err(format!("the current service has ended: {exit}").into()),
        }
    }
}

impl<S: Service> Replacement<S> {
    fn poll(&mut self, task: &mut Task<'_>) -> Poll<Happened> {
        match self {
            Self::Start(_, _, start) => start.as_mut().poll(task).map(Happened::Started),
            Self::Stop(_, _, stop) => stop.as_mut().poll(task).map(Happened::OldStopped),
        }
    }
}

/// Nobody may wait for the answer any more.
fn answer(ask: Ask, replaced: Replaced) {
    drop(ask.send(replaced));
}
