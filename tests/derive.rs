//! Derived services at work: which method is called when, what becomes of errors, and what is set.

#![allow(
    clippy::unused_async,
    reason = "a method is async for its service, not for itself"
)]

mod composition;
mod lints;

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{
    BoxError, Context, Exit, Phase, Readiness, Runner, Service, Settings, service_methods,
};
use thiserror::Error;
use tokio::sync::Notify;

/// Everything that happened, in order.
#[derive(Debug, Clone, Default)]
struct Events(Arc<Mutex<Vec<&'static str>>>);

impl Events {
    fn emit(&self, event: &'static str) {
        self.0.lock().unwrap().push(event);
    }

    fn taken(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[derive(Debug, PartialEq, Error)]
#[error("out of {0}")]
struct Out(&'static str);

#[derive(Debug, Default, Service)]
#[service(start = serve, stop = close)]
struct Plain {
    events: Events,
    leave: Notify,
}

impl Plain {
    async fn serve(&self) {
        self.events.emit("serve");
        self.leave.notified().await;
        self.events.emit("served");
    }

    async fn close(&self) {
        self.events.emit("close");
        self.leave.notify_one();
    }
}

#[derive(Debug, Default, Service)]
#[service(start = serve, stop = close, error = Out)]
struct WithContext(Events);

impl WithContext {
    async fn serve(&self, cx: Context) -> Result<(), Out> {
        cx.cancelled().await;
        self.0.emit("served");
        Ok(())
    }

    async fn close(&self, cx: Context) -> Result<(), Out> {
        assert!(!cx.is_cancelled());
        self.0.emit("close");
        Err(Out("time"))
    }
}

#[derive(Debug, Default, Service)]
#[service(start = run, stop = shutdown)]
struct SameNames(Events);

impl SameNames {
    async fn run(&self, cx: Context) {
        cx.cancelled().await;
        self.0.emit("own run");
    }

    async fn shutdown(&self) {
        self.0.emit("own shutdown");
    }
}

#[derive(Debug, Default, Service)]
struct SameNamesMarked(Events);

#[service_methods]
impl SameNamesMarked {
    #[start]
    async fn run(&self, cx: Context) {
        cx.cancelled().await;
        self.0.emit("own run");
    }

    #[stop]
    async fn shutdown(&self) {
        self.0.emit("own shutdown");
    }
}

#[derive(Debug, Default, Service)]
struct Marked(Events);

#[service_methods]
impl Marked {
    #[start]
    async fn serve(&self, cx: Context) -> Result<(), BoxError> {
        cx.cancelled().await;
        self.0.emit("served");
        Ok(())
    }

    #[stop]
    async fn close(&self) {
        self.0.emit("close");
    }
}

#[derive(Debug, Service)]
#[service(start = serve)]
enum Failing {
    Typed,
    Text,
    Panic,
}

impl Failing {
    async fn serve(&self) -> Result<(), BoxError> {
        match self {
            Self::Typed => Err(Out("memory").into()),
            Self::Text => Err("no reason".into()),
            Self::Panic => panic!("out of cheese"),
        }
    }
}

#[derive(Debug, Service)]
#[service(start = serve)]
struct Erased;

impl Erased {
    async fn serve(&self) -> Result<(), Out> {
        Err(Out("disk"))
    }
}

#[derive(Debug, Service)]
#[service(name = "cache", stop_timeout = "1500ms", readiness = completion, bound = "T: Unit")]
struct Generic<'a, T, const N: usize>([&'a str; N], T);

trait Unit: Debug + Send + Sync + 'static {}

impl Unit for () {}

#[service_methods(bound = "T: Unit")]
impl<T: Unit, const N: usize> Generic<'_, T, N> {
    #[start]
    async fn fill(&self) -> Result<(), String> {
        Err(format!("{} {:?}", self.0.concat(), self.1))
    }
}

#[derive(Debug, Service)]
#[service(start = serve)]
struct Unset;

impl Unset {
    async fn serve(&self) {}
}

#[derive(Debug, Service)]
struct NoStop;

#[service_methods]
impl NoStop {
    #[start]
    async fn serve(&self) {}
}

async fn started<S: Service>(service: S) -> Runner<S> {
    let runner = Runner::new(service);
    runner.start().await.unwrap();
    runner
}

#[tokio::test(start_paused = true)]
async fn methods_without_a_context_are_called() {
    let events = Events::default();
    let runner = started(Plain {
        events: events.clone(),
        ..Plain::default()
    })
    .await;
    runner.stop().await.unwrap();
    assert_eq!(events.taken(), ["serve", "close", "served"]);
    assert_eq!(runner.wait().await, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn methods_with_a_context_are_called_and_their_errors_keep_their_type() {
    let events = Events::default();
    let runner = started(WithContext(events.clone())).await;
    runner.stop().await.unwrap_err();
    let mut seen = events.taken();
    seen.sort_unstable();
    assert_eq!(seen, ["close", "served"]);
    let failure = runner.errors_last().unwrap();
    assert_eq!(failure.phase(), Phase::Shutdown);
    assert_eq!(failure.error().downcast_ref(), Some(&Out("time")));
    let _: Result<(), Out> = WithContext::default()
        .shutdown(Context::detached(token()))
        .await;
}

#[tokio::test(start_paused = true)]
async fn marked_methods_are_called() {
    let events = Events::default();
    let runner = started(Marked(events.clone())).await;
    runner.stop().await.unwrap();
    let mut seen = events.taken();
    seen.sort_unstable();
    assert_eq!(seen, ["close", "served"]);
    assert_eq!(runner.name(), "Marked");
}

#[tokio::test(start_paused = true)]
async fn boxed_errors_are_found_again() {
    for (service, message) in [
        (Failing::Typed, "out of memory"),
        (Failing::Text, "no reason"),
        (Failing::Panic, "out of cheese"),
    ] {
        let is_typed = matches!(service, Failing::Typed);
        let failure = failure_of(service).await;
        assert_eq!(failure.error().is::<Out>(), is_typed);
        assert!(failure.error().to_string().contains(message));
    }
    assert_eq!(
        failure_of(Erased).await.error().downcast_ref(),
        Some(&Out("disk"))
    );
}

#[tokio::test(start_paused = true)]
async fn generic_types_keep_their_settings_and_errors() {
    let service = Generic(["a", "b"], ());
    let settings = service.settings();
    assert_eq!(settings.get_name(), Some("cache"));
    assert_eq!(
        settings.get_stop_timeout(),
        Some(Duration::from_millis(1500))
    );
    assert_eq!(settings.get_readiness(), Some(Readiness::Completion));
    let failure = failure_of(service).await;
    assert_eq!(failure.error().to_string(), "ab ()");
    assert_eq!(failure.service(), "cache");
}

#[test]
fn unset_settings_of_a_derived_service_fall_back() {
    let settings = format!("{:?}", Unset.settings());
    assert_eq!(settings, format!("{:?}", Settings::new()));
    assert_eq!(Runner::new(Unset).name(), "Unset");
}

#[test]
fn a_missing_stop_method_costs_nothing() {
    assert_eq!(size_of_val(&Unset.shutdown(Context::detached(token()))), 0);
    assert_eq!(size_of_val(&NoStop.shutdown(Context::detached(token()))), 0);
}

async fn failure_of<S: Service>(service: S) -> startstop_core::Failure {
    let runner = Runner::new(service);
    let _ = runner.start().await;
    runner.wait().await;
    runner.errors_last().unwrap()
}

fn token() -> tokio_util::sync::CancellationToken {
    tokio_util::sync::CancellationToken::new()
}

#[tokio::test(start_paused = true)]
async fn methods_named_as_those_of_the_trait_are_called() {
    async fn cycle<S: Service>(service: S, events: Events) {
        let runner = Runner::new(service);
        runner.start().await.unwrap();
        tokio::task::yield_now().await;
        runner.stop().await.unwrap();
        let mut seen = events.taken();
        seen.sort_unstable();
        assert_eq!(seen, ["own run", "own shutdown"]);
    }
    let events = Events::default();
    cycle(SameNames(events.clone()), events.clone()).await;
    cycle(SameNamesMarked(events.clone()), events).await;
}
