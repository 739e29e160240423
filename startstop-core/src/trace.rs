//! Events for `tracing`, if the feature is on: collected under the lock, emitted after it.

#[cfg(feature = "tracing")]
pub(crate) use on::{News, span};

#[cfg(not(feature = "tracing"))]
pub(crate) use off::News;

use std::time::Duration;

use crate::failure::Failure;
use crate::state::Exit;

/// One thing to tell.
#[derive(Debug)]
#[cfg_attr(not(feature = "tracing"), allow(dead_code))]
pub(crate) enum Event {
    Start,
    Ready,
    StopRequested,
    Stopped(Exit, Duration),
    Failure(Failure),
    Abort,
    Unresponsive,
}

#[cfg(not(feature = "tracing"))]
mod off {
    /// No news.
    #[derive(Debug, Default)]
    pub(crate) struct News;

    impl News {
        #[allow(clippy::unused_self)]
        pub(crate) fn add(&mut self, _tag: (u64, u64), _event: impl FnOnce() -> super::Event) {}

        #[allow(clippy::unused_self)]
        pub(crate) fn emit<'a>(self, _service: impl FnOnce() -> &'a str) {}
    }
}

#[cfg(feature = "tracing")]
mod on {
    use super::Event;
    use crate::panic::each_fenced;

    /// What is to be told once the lock is released, each with its cycle and attempt: one change may end a
    /// cycle and begin the next.
    #[derive(Debug, Default)]
    pub(crate) struct News(Vec<((u64, u64), Event)>);

    impl News {
        pub(crate) fn add(&mut self, tag: (u64, u64), event: impl FnOnce() -> Event) {
            self.0.push((tag, event()));
        }

        pub(crate) fn emit<'a>(self, service: impl FnOnce() -> &'a str) {
            if self.0.is_empty() {
                return;
            }
            let service = service();
            // A subscriber is foreign code.
            each_fenced(self.0, |((cycle, attempt), event)| tell(&event, service, cycle, attempt));
        }
    }

    /// The span of an attempt.
    pub(crate) fn span(service: &str, cycle: u64, attempt: u64) -> tracing::Span {
        tracing::info_span!(target: "startstop", "service", service, cycle, attempt)
    }

    fn tell(event: &Event, service: &str, cycle: u64, attempt: u64) {
        match event {
            Event::Start => tracing::info!(target: "startstop", service, cycle, attempt, "start"),
            Event::Ready => tracing::info!(target: "startstop", service, cycle, attempt, "ready"),
            Event::StopRequested => {
                tracing::info!(target: "startstop", service, cycle, attempt, "stop requested");
            }
            Event::Stopped(exit, uptime) => {
                tracing::info!(
                    target: "startstop", service, cycle, attempt, %exit, ?uptime, "stopped"
                );
            }
            Event::Failure(failure) => {
                let error = failure.error() as &(dyn std::error::Error + 'static);
                let cause = failure.cause();
                let phase = failure.phase();
                tracing::error!(
                    target: "startstop", service, cycle, attempt, %phase, ?cause, error, "failure"
                );
            }
            Event::Abort => tracing::warn!(target: "startstop", service, cycle, attempt, "abort"),
            Event::Unresponsive => {
                tracing::error!(target: "startstop", service, cycle, attempt, "unresponsive");
            }
        }
    }
}
