//! A service that obeys until it is told otherwise.

use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use startstop_core::{BoxError, Context, Readiness, Service, Settings};
use tokio::sync::mpsc::UnboundedReceiver;

use super::journal::Shared;

/// The probe's own error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is broken")]
pub(crate) struct Broken(pub(crate) String);

/// The acts of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Ready,
    /// Returns `Ok`.
    Complete,
    /// Returns [`Broken`].
    Fail,
}

/// The reaction of a probe to its stop.
#[derive(Clone)]
enum Farewell {
    /// Ends after a while.
    In(Duration),
    /// Returns [`Broken`].
    Fails,
    /// Waits to be told how to end.
    Waits,
    /// Blocks its thread until it is released.
    Blocks(Release),
}

/// Holds a thread until it is released, or for ten seconds, so that a broken test ends too.
pub(crate) type Release = Arc<(Mutex<bool>, Condvar)>;

pub(crate) struct Probe {
    name: String,
    acts: tokio::sync::Mutex<UnboundedReceiver<Act>>,
    shared: Arc<Shared>,
    settings: Settings,
    ready_in: Option<Duration>,
    first: Option<Act>,
    farewell: Farewell,
}

impl Probe {
    pub(super) fn new(name: &str, acts: UnboundedReceiver<Act>, shared: Arc<Shared>) -> Self {
        Self {
            name: name.to_owned(),
            acts: acts.into(),
            shared,
            settings: Settings::new(),
            ready_in: None,
            first: None,
            farewell: Farewell::In(Duration::ZERO),
        }
    }

    pub(crate) fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings.or(self.settings);
        self
    }

    /// It is ready after so many seconds.
    pub(crate) fn ready_in(mut self, seconds: u64) -> Self {
        self.ready_in = Some(Duration::from_secs(seconds));
        self.explicit()
    }

    /// It is ready when it is told so.
    pub(crate) fn explicit(self) -> Self {
        self.settings(Settings::new().readiness(Readiness::Explicit))
    }

    /// It is ready when it has completed.
    pub(crate) fn job(self) -> Self {
        self.settings(Settings::new().readiness(Readiness::Completion))
    }

    /// Every attempt does this first.
    pub(crate) fn always(mut self, act: Act) -> Self {
        self.first = Some(act);
        self
    }

    /// It takes so many seconds to stop.
    pub(crate) fn stops_in(mut self, seconds: u64) -> Self {
        self.farewell = Farewell::In(Duration::from_secs(seconds));
        self
    }

    pub(crate) fn fails_to_stop(mut self) -> Self {
        self.farewell = Farewell::Fails;
        self
    }

    /// Once it is to stop, it waits to be told how to.
    pub(crate) fn lingers(mut self) -> Self {
        self.farewell = Farewell::Waits;
        self
    }

    /// Once it is to stop, it blocks its thread.
    pub(crate) fn blocks(mut self, release: &Release) -> Self {
        self.farewell = Farewell::Blocks(Arc::clone(release));
        self
    }

    fn broken(&self) -> Result<(), BoxError> {
        Err(Broken(self.name.clone()).into())
    }

    async fn live(&self, cx: &Context, acts: &mut UnboundedReceiver<Act>) -> Result<(), BoxError> {
        let mut rising = pin!(tokio::time::sleep(self.ready_in.unwrap_or_default()));
        let mut rises = self.ready_in.is_some();
        let mut first = self.first;
        loop {
            let act = match first.take() {
                Some(act) => act,
                None => tokio::select! {
                    biased;
                    Some(act) = acts.recv() => act,
                    () = cx.cancelled() => return self.leave(acts).await,
                    () = rising.as_mut(), if rises => {
                        rises = false;
                        Act::Ready
                    }
                },
            };
            match act {
                Act::Ready => cx.ready(),
                Act::Complete => return Ok(()),
                Act::Fail => return self.broken(),
            }
        }
    }

    async fn leave(&self, acts: &mut UnboundedReceiver<Act>) -> Result<(), BoxError> {
        self.shared.write('~', &self.name);
        match &self.farewell {
            Farewell::In(Duration::ZERO) => Ok(()),
            Farewell::In(time) => {
                tokio::time::sleep(*time).await;
                Ok(())
            }
            Farewell::Fails => self.broken(),
            Farewell::Waits => match acts.recv().await {
                Some(Act::Fail) => self.broken(),
                _ => Ok(()),
            },
            Farewell::Blocks(release) => {
                block(release);
                Ok(())
            }
        }
    }
}

fn block(release: &Release) {
    let (released, changed) = &**release;
    let released = released.lock().expect("nobody panics under it");
    let limit = Duration::from_secs(10);
    drop(changed.wait_timeout_while(released, limit, |released| !*released));
}

impl Service for Probe {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        let _live = Live::of(self);
        let mut acts = self.acts.lock().await;
        self.live(&cx, &mut acts).await
    }

    fn settings(&self) -> Settings {
        self.settings.clone()
    }
}

/// An attempt, from its entry to when its future is gone.
struct Live<'a>(&'a Probe);

impl<'a> Live<'a> {
    fn of(probe: &'a Probe) -> Self {
        probe.shared.enter(&probe.name);
        Self(probe)
    }
}

impl Drop for Live<'_> {
    fn drop(&mut self) {
        self.0.shared.leave(&self.0.name);
    }
}
