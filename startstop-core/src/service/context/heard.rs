//! The reports of a service to a context without a runner, and the requests to it there.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;

use super::Reload;
use crate::report::error::ReloadError;
use crate::report::failure::{Failure, KeptError, RawFailure, Record};
use crate::report::path::Path;
use crate::report::state::Phase;
use crate::sync::{CancellationToken, Mutex, MutexGuard, Notify};

/// The reports of a service, and the requests to it.
pub(super) struct Heard {
    said: Mutex<Said>,
    asked: Notify,
    /// The drain; a child of the token of the context.
    pub(super) drain: CancellationToken,
}

/// The reports of a service so far.
#[derive(Default)]
pub(super) struct Said {
    is_ready: bool,
    not_ready: Option<Cow<'static, str>>,
    pub(super) detail: Option<Cow<'static, str>>,
    pub(super) gauges: Vec<(&'static str, f64)>,
    pub(super) checkpoint: Option<&'static str>,
    pub(super) failures: Vec<Failure>,
    pub(super) beats: u64,
    /// It has asked for its own stop.
    pub(super) stops_itself: bool,
    /// The requests to it.
    reloads: VecDeque<Reload>,
    /// The last clone of the context is gone.
    closed: bool,
}

/// The name of a service without a runner.
pub(super) const NAME: &str = "detached";

impl Said {
    pub(super) fn set_ready(&mut self) {
        self.is_ready = true;
        self.not_ready = None;
    }

    pub(super) fn set_not_ready(&mut self, reason: Cow<'static, str>) {
        self.is_ready = false;
        self.not_ready = Some(reason);
    }

    pub(super) fn readiness(&self) -> Result<(), Option<&Cow<'static, str>>> {
        if self.is_ready {
            Ok(())
        } else {
            Err(self.not_ready.as_ref())
        }
    }

    pub(super) fn beat(&mut self) {
        self.beats += 1;
    }

    fn record(&mut self, phase: Phase, fault: RawFailure) -> Failure {
        let failure = Failure::new(Record {
            error: KeptError::Own(fault.error),
            phase,
            cause: fault.cause,
            permanent: fault.permanent,
            task: fault.task,
            checkpoint: self.checkpoint.map(|name| (name, Duration::ZERO)),
            service: NAME.into(),
            path: Path::alone(NAME),
            cycle: 0,
            attempt: 0,
            at: SystemTime::now(),
            uptime: Duration::ZERO,
            limit: None,
            filed: None,
        });
        self.failures.push(failure.clone());
        failure
    }
}

impl Heard {
    pub(super) fn new(drain: CancellationToken) -> Self {
        Self {
            said: Mutex::default(),
            asked: Notify::new(),
            drain,
        }
    }

    pub(super) fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn record(&self, phase: Phase, fault: RawFailure) -> Failure {
        self.said().record(phase, fault)
    }

    /// The service looks for a request.
    pub(super) async fn next_reload(&self) -> Reload {
        loop {
            // It is told of what comes after this line, so nothing gets lost between the look and the wait.
            let asked = self.asked.notified();
            let next = self.said().reloads.pop_front();
            match next {
                Some(reload) => return reload,
                None => asked.await,
            }
        }
    }

    /// Asks the service for a reload and waits for its answer.
    pub(super) async fn reload(&self) -> Result<(), ReloadError> {
        let (answer, answered) = oneshot::channel();
        let reload = Reload::answered_to(move |result| drop(answer.send(result)));
        if let Some(refused) = self.ask(reload) {
            refused.withdraw();
        }
        match answered.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let fault = RawFailure::reported(error);
                Err(ReloadError::Failed(self.record(Phase::Run, fault)))
            }
            Err(_) => Err(ReloadError::Stopped),
        }
    }

    fn ask(&self, reload: Reload) -> Option<Reload> {
        let mut said = self.said();
        if said.closed {
            return Some(reload);
        }
        said.reloads.push_back(reload);
        drop(said);
        self.asked.notify_waiters();
        None
    }

    /// The context is gone: what nobody has looked at is not answered.
    pub(super) fn close(&self) {
        let mut said = self.said();
        said.closed = true;
        let left = std::mem::take(&mut said.reloads);
        drop(said);
        left.into_iter().for_each(Reload::withdraw);
    }
}
