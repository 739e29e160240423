//! One run of what can be replaced.
//!
//! 1. There is always one that is current, and at most one that is to follow it.
//! 2. The old one is stopped only after its successor has become ready.
//! 3. What has ended is no part any more, but the current one.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use startstop_core::{BoxError, Context, Events, Exit, Service, StartError, State};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{Ask, Numbered, Replaceable, Replaced};

pub(super) struct Run<'a, S: Service> {
    whole: &'a Replaceable<S>,
    cx: Context,
    asked: UnboundedReceiver<Ask>,
}

/// An event that a run waits for.
enum Happened {
    Asked(Ask),
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
                Happened::Asked(ask) => {
                    let replaced = self.replace(&current).await;
                    if let Ok(Ok(())) = replaced {
                        events = self.whole.current().events();
                    }
                    self.pass_on();
                    drop(ask.send(replaced));
                }
                Happened::Event => self.pass_on(),
                Happened::Ended if current.runner.state() == State::Stopped => {
                    return self.end(&current).await;
                }
                // A handle has restarted the service.
                Happened::Ended => {}
            }
        }
    }

    /// Waits for the next thing that happens; an end only comes after what has happened before it.
    async fn next(&mut self, current: &Numbered<S>, events: &mut Events) -> Happened {
        let asked = &mut self.asked;
        let mut event = pin!(events.next());
        let mut ended = pin!(current.runner.wait_for(State::Stopped));
        poll_fn(|task| {
            if let Poll::Ready(Some(_)) = event.as_mut().poll(task) {
                return Poll::Ready(Happened::Event);
            }
            if ended.as_mut().poll(task).is_ready() {
                return Poll::Ready(Happened::Ended);
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

    async fn start(&self, new: &Numbered<S>) -> Result<(), BoxError> {
        self.cx.attach(new.number.to_string(), &new.runner)?;
        Ok(new.runner.start().await?)
    }

    async fn replace(&self, old: &Numbered<S>) -> Replaced {
        if self.cx.is_cancelled() {
            return Ok(Err(StartError::Stopped));
        }
        match self.whole.next() {
            Ok(new) => Ok(self.replace_by(old, new).await),
            Err(panic) => {
                self.cx.report("the factory of the successor has panicked");
                Err(panic)
            }
        }
    }

    async fn replace_by(&self, old: &Numbered<S>, new: Numbered<S>) -> Result<(), StartError> {
        if self.cx.attach(new.number.to_string(), &new.runner).is_err() {
            // Attaching fails only when the attempt has ended.
            return Err(StartError::Stopped);
        }
        if let Err(error) = new.runner.start().await {
            self.cx.detach(&new.runner);
            return Err(error);
        }
        self.whole.set_current(new);
        if let Err(error) = old.runner.stop().await {
            self.cx.report(error);
        }
        self.cx.detach(&old.runner);
        Ok(())
    }

    /// Tells how the current one has ended.
    async fn end(&self, current: &Numbered<S>) -> Result<(), BoxError> {
        let exit = current.runner.wait().await;
        match (exit, current.runner.errors_last()) {
            (Exit::Completed | Exit::Stopped, _) => Ok(()),
            _ if self.cx.is_cancelled() => Ok(()),
            (_, Some(failure)) => Err(failure.into()),
            (exit, None) => Err(format!("the current service has ended: {exit}").into()),
        }
    }
}
