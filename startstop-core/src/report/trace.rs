//! Events for `tracing`, if the feature is on: collected under the lock, emitted after it, each in the span of its attempt.
//!
//! 1. A subscriber is user code: its panics go no further, whatever it is called for.
//! 2. It is never called under the lock. So a span is made by whoever is the first to enter it.
//! 3. Nothing is kept where nobody listens.

#[cfg(all(feature = "tracing", feature = "signal"))]
pub(crate) use on::signal;
#[cfg(feature = "tracing")]
pub(crate) use on::{AttemptSpan, News, is_traced};

#[cfg(all(not(feature = "tracing"), feature = "signal"))]
pub(crate) use off::signal;
#[cfg(not(feature = "tracing"))]
pub(crate) use off::{AttemptSpan, News, is_traced};

#[cfg(not(feature = "tracing"))]
mod off {
    use crate::report::event::EventKind;

    /// Returns whether anybody may listen.
    pub(crate) const fn is_traced() -> bool {
        false
    }

    /// No news.
    #[derive(Debug, Default)]
    pub(crate) struct News;

    impl News {
        #[allow(clippy::unused_self)]
        pub(crate) fn add(&mut self, _: AttemptSpan, _: (u64, u64), _: EventKind) {}

        #[allow(clippy::unused_self)]
        pub(crate) fn is_empty(&self) -> bool {
            true
        }

        #[allow(clippy::unused_self)]
        pub(crate) fn emit<'a>(self, _service: impl FnOnce() -> &'a str) {}
    }

    #[cfg(feature = "signal")]
    pub(crate) fn signal(_service: &str, _signal: &dyn std::fmt::Display) {}

    /// No span; no unit struct, so that it is made as the other is.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct AttemptSpan(());

    impl AttemptSpan {
        #[allow(clippy::unused_self)]
        pub(crate) fn within<T>(&self, f: impl FnOnce() -> T) -> T {
            f()
        }
    }
}

#[cfg(feature = "tracing")]
mod on {
    use std::sync::{Arc, OnceLock};

    use tracing::Span;
    use tracing::level_filters::LevelFilter;

    use crate::report::event::EventKind;
    use crate::report::panic::{catch_panic, catch_panics};
    use crate::report::path::Path;

    /// Returns whether anybody may listen: one load, so that nothing is paid where nobody does.
    pub(crate) fn is_traced() -> bool {
        LevelFilter::current() != LevelFilter::OFF
    }

    /// The events that are told once the lock is released, each with its cycle and attempt: one change may end a
    /// cycle and begin the next.
    #[derive(Debug, Default)]
    pub(crate) struct News(Vec<(AttemptSpan, (u64, u64), EventKind)>);

    impl News {
        pub(crate) fn add(&mut self, span: AttemptSpan, tag: (u64, u64), event: EventKind) {
            self.0.push((span, tag, event));
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.is_empty()
        }

        pub(crate) fn emit<'a>(self, service: impl FnOnce() -> &'a str) {
            if self.0.is_empty() {
                return;
            }
            let name = service();
            catch_panics(self.0, |(span, tag, event)| {
                let service = span.path().unwrap_or(name);
                span.within(|| tell(&event, service, tag));
            });
        }
    }

    /// A signal that a program has heard.
    #[cfg(feature = "signal")]
    pub(crate) fn signal(service: &str, signal: &dyn std::fmt::Display) {
        tracing::info!(target: "startstop", service, %signal, "signal");
    }

    /// The span of an attempt; its clones are the same span.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct AttemptSpan(Option<Arc<Lazy>>);

    #[derive(Debug)]
    struct Lazy {
        path: Path,
        tag: (u64, u64),
        span: OnceLock<Span>,
    }

    impl Lazy {
        fn span(&self) -> &Span {
            self.span.get_or_init(|| {
                let (service, (cycle, attempt)) = (self.path.as_str(), self.tag);
                // On its own: whoever comes first may be in a span that has nothing to do with the service.
                let span = || {
                    tracing::info_span!(target: "startstop", parent: None, "service", service, cycle, attempt)
                };
                catch_panic(span).unwrap_or_else(|_| Span::none())
            })
        }
    }

    impl Drop for Lazy {
        fn drop(&mut self) {
            let span = self.span.take();
            drop(catch_panic(|| drop(span)));
        }
    }

    impl AttemptSpan {
        pub(crate) fn new(path: Path, tag: (u64, u64)) -> Self {
            Self(Some(Arc::new(Lazy {
                path,
                tag,
                span: OnceLock::new(),
            })))
        }

        /// Returns whether this is the span of any attempt.
        pub(crate) fn is_open(&self) -> bool {
            self.0.is_some()
        }

        /// Returns whether this is the span of the attempt with these numbers.
        pub(crate) fn is_of(&self, tag: (u64, u64)) -> bool {
            self.0.as_ref().is_some_and(|lazy| lazy.tag == tag)
        }

        fn path(&self) -> Option<&str> {
            self.0.as_ref().map(|lazy| lazy.path.as_str())
        }

        /// Calls `f` in the span.
        pub(crate) fn within<T>(&self, f: impl FnOnce() -> T) -> T {
            let span = self.0.as_ref().map(|lazy| lazy.span());
            let _entered = Entered(span.and_then(|span| catch_panic(|| span.enter()).ok()));
            f()
        }
    }

    /// A span that was entered, and is left in the drop.
    struct Entered<'a>(Option<tracing::span::Entered<'a>>);

    impl Drop for Entered<'_> {
        fn drop(&mut self) {
            let entered = self.0.take();
            drop(catch_panic(|| drop(entered)));
        }
    }

    fn tell(event: &EventKind, service: &str, (cycle, attempt): (u64, u64)) {
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
            EventKind::Backoff {
                delay,
                attempt: next,
            } => say!(warn, ?delay, next, "backoff"),
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
