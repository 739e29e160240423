//! Events for `tracing`, if the feature is on: collected under the lock, emitted after it.

#[cfg(all(feature = "tracing", feature = "signal"))]
pub(crate) use on::signal;
#[cfg(feature = "tracing")]
pub(crate) use on::{News, span};

#[cfg(not(feature = "tracing"))]
pub(crate) use off::News;
#[cfg(all(not(feature = "tracing"), feature = "signal"))]
pub(crate) use off::signal;

#[cfg(not(feature = "tracing"))]
mod off {
    use crate::report::event::EventKind;

    /// No news.
    #[derive(Debug, Default)]
    pub(crate) struct News;

    impl News {
        #[allow(clippy::unused_self)]
        pub(crate) fn add(&mut self, _tag: (u64, u64), _event: impl FnOnce() -> EventKind) {}

        #[allow(clippy::unused_self)]
        pub(crate) fn is_empty(&self) -> bool {
            true
        }

        #[allow(clippy::unused_self)]
        pub(crate) fn emit<'a>(self, _service: impl FnOnce() -> &'a str) {}
    }

    #[cfg(feature = "signal")]
    pub(crate) fn signal(_service: &str, _signal: &dyn std::fmt::Display) {}
}

#[cfg(feature = "tracing")]
mod on {
    use crate::report::event::EventKind;
    use crate::report::panic::each_fenced;

    /// What is to be told once the lock is released, each with its cycle and attempt: one change may end a
    /// cycle and begin the next.
    #[derive(Debug, Default)]
    pub(crate) struct News(Vec<((u64, u64), EventKind)>);

    impl News {
        pub(crate) fn add(&mut self, tag: (u64, u64), event: impl FnOnce() -> EventKind) {
            self.0.push((tag, event()));
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.is_empty()
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

    /// A signal that a program has heard.
    #[cfg(feature = "signal")]
    pub(crate) fn signal(service: &str, signal: &dyn std::fmt::Display) {
        tracing::info!(target: "startstop", service, %signal, "signal");
    }

    /// The span of an attempt.
    pub(crate) fn span(service: &str, cycle: u64, attempt: u64) -> tracing::Span {
        tracing::info_span!(target: "startstop", "service", service, cycle, attempt)
    }

    fn tell(event: &EventKind, service: &str, cycle: u64, attempt: u64) {
        macro_rules! say {
            ($level:ident, $($rest:tt)*) => {
                tracing::$level!(target: "startstop", service, cycle, attempt, $($rest)*)
            };
        }
        match event {
            EventKind::Starting => say!(info, "start"),
            EventKind::Ready { after } => say!(info, ?after, "ready"),
            EventKind::NotReady(reason) => say!(warn, %reason, "not ready"),
            EventKind::Draining => say!(info, "drain"),
            EventKind::Stopping(reason) => say!(info, %reason, "stop"),
            EventKind::Stopped { exit, ran } => say!(info, %exit, ?ran, "stopped"),
            EventKind::Failed(failure) => {
                let error = failure.error() as &(dyn std::error::Error + 'static);
                let (cause, phase) = (failure.cause(), failure.phase());
                say!(error, %phase, ?cause, error, "failure");
            }
            EventKind::Backoff { delay, attempt: next } => say!(warn, ?delay, next, "backoff"),
            EventKind::Aborting => say!(warn, "abort"),
            EventKind::Unresponsive(stuck) => say!(error, %stuck, "unresponsive"),
            EventKind::Reloading => say!(info, "reload"),
            EventKind::Reloaded(Ok(())) => say!(info, "reloaded"),
            EventKind::Reloaded(Err(error)) => {
                let error = error as &(dyn std::error::Error + 'static);
                say!(warn, error, "not reloaded");
            }
            EventKind::Inserted => say!(info, "inserted"),
            EventKind::Removed => say!(info, "removed"),
            EventKind::Missed(_) => {}
        }
    }
}
