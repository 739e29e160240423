//! Events are in the span of their attempt, and a subscriber that panics harms nobody.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{
    Backoff, Context, Group, RestartPolicy, Runner, Settings, blocking_fn, service_fn,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{set_default, with_default};
use tracing::{Event, Metadata, Subscriber, info};

use crate::support::{SECOND, idle, within};

thread_local! {
    static ENTERED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Writes down each event with the span that it is told in.
#[derive(Clone, Default)]
struct Nesting {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    spans: Vec<String>,
    closed: Vec<u64>,
    lines: Vec<String>,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.0.insert_str(0, &format!("{value:?}")),
            "service" | "cycle" | "attempt" => write!(self.0, " {value:?}").unwrap(),
            _ => {}
        }
    }
}

impl Nesting {
    fn has(&self, line: &str) -> bool {
        self.state
            .lock()
            .unwrap()
            .lines
            .iter()
            .any(|other| other == line)
    }

    #[track_caller]
    fn assert_has(&self, line: &str) {
        assert!(
            self.has(line),
            "{line}\n{:#?}",
            self.state.lock().unwrap().lines
        );
    }
}

impl Subscriber for Nesting {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        ["startstop", "app"].contains(&metadata.target())
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(String::new());
        span.record(&mut line);
        let mut state = self.state.lock().unwrap();
        state.spans.push(line.0.trim().to_owned());
        Id::from_u64(state.spans.len() as u64)
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        let span = ENTERED.with_borrow(|entered| entered.last().copied());
        let mut state = self.state.lock().unwrap();
        let span = span.map_or("nothing".to_owned(), |id| {
            state.spans[usize::try_from(id).unwrap() - 1].clone()
        });
        let event = line.0.split(" \"").next().unwrap_or_default().to_owned();
        state.lines.push(format!("{event} in {span}"));
    }

    fn enter(&self, id: &Id) {
        ENTERED.with_borrow_mut(|entered| entered.push(id.into_u64()));
    }

    fn exit(&self, _: &Id) {
        ENTERED.with_borrow_mut(std::vec::Vec::pop);
    }

    fn try_close(&self, id: Id) -> bool {
        self.state.lock().unwrap().closed.push(id.into_u64());
        true
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn each_step_is_told_in_the_span_of_its_attempt() {
    super::be_asked_each_time();
    let nesting = Nesting::default();
    let _told = set_default(nesting.clone());
    let service = service_fn(async |cx: Context| {
        info!(target: "app", "in run");
        cx.spawn(async { info!(target: "app", "in a task") });
        if cx.attempt() == 1 {
            return Err("broken");
        }
        cx.reloaded().await.done();
        cx.not_ready("full");
        cx.cancelled().await;
        Ok(())
    })
    .on_shutdown(async |_cx| {
        info!(target: "app", "in shutdown");
        tokio::time::sleep(SECOND).await;
        info!(target: "app", "later in shutdown");
    });
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    let settings = Settings::new().restart(policy).drain(SECOND);
    let group =
        Group::builder("app").with("db", Runner::with_settings(service, settings.name("db")));
    let app = Runner::new(group.build().unwrap());
    app.start().await.unwrap();
    tokio::time::sleep(3 * SECOND).await;
    app.reload().await.unwrap();
    idle().await;
    app.stop().await.unwrap();
    for line in [
        "start in \"app/db\" 1 1",
        "ready in \"app/db\" 1 1",
        "in run in \"app/db\" 1 1",
        "in a task in \"app/db\" 1 1",
        "failure in \"app/db\" 1 1",
        "backoff in \"app/db\" 1 1",
        "start in \"app/db\" 1 2",
        "in run in \"app/db\" 1 2",
        "in a task in \"app/db\" 1 2",
        "reload in \"app/db\" 1 2",
        "reloaded in \"app/db\" 1 2",
        "not ready in \"app/db\" 1 2",
        "stop in \"app/db\" 1 2",
        "in shutdown in \"app/db\" 1 2",
        "later in shutdown in \"app/db\" 1 2",
        "stopped in \"app/db\" 1 2",
        "drain in \"app/db\" 1 2",
        "stopped in \"app\" 1 1",
    ] {
        nesting.assert_has(line);
    }
    let state = nesting.state.lock().unwrap();
    assert_eq!(
        state.spans,
        ["\"app\" 1 1", "\"app/db\" 1 1", "\"app/db\" 1 2"]
    );
    let mut closed = state.closed.clone();
    closed.sort_unstable();
    closed.dedup();
    assert_eq!(closed, [1, 2, 3], "each span is closed with its attempt");
}

#[tokio::test]
async fn a_thread_of_its_own_is_in_the_span_too() {
    super::be_asked_each_time();
    let nesting = Nesting::default();
    let told = nesting.clone();
    let (seen, was_seen) = std::sync::mpsc::channel();
    let _told = set_default(nesting.clone());
    let service = blocking_fn(move |cx| {
        // A thread has a subscriber of its own.
        with_default(told.clone(), || info!(target: "app", "on the thread"));
        seen.send(()).unwrap();
        while !cx.cancelled_blocking(Duration::MAX) {}
    });
    let runner = Runner::with_settings(service, Settings::new().name("poller"));
    runner.start().await.unwrap();
    tokio::task::spawn_blocking(move || was_seen.recv().unwrap())
        .await
        .unwrap();
    nesting.assert_has("on the thread in \"poller\" 1 1");
    within(runner.stop()).await.unwrap();
}

/// Panics where it is told to.
struct Bad(&'static str);

impl Bad {
    fn at(&self, place: &str) {
        assert!(self.0 != place, "disk full");
    }
}

impl Subscriber for Bad {
    fn enabled(&self, of: &Metadata<'_>) -> bool {
        of.target() == "startstop"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        self.at("new_span");
        Id::from_u64(1)
    }

    fn event(&self, _: &Event<'_>) {
        self.at("event");
    }

    fn enter(&self, _: &Id) {
        self.at("enter");
    }

    fn exit(&self, _: &Id) {
        self.at("exit");
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.at("clone_span");
        id.clone()
    }

    fn try_close(&self, _: Id) -> bool {
        self.at("try_close");
        true
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
}

#[test]
fn a_subscriber_that_panics_harms_no_service() {
    super::be_asked_each_time();
    for place in [
        "event",
        "new_span",
        "enter",
        "exit",
        "clone_span",
        "try_close",
    ] {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        with_default(Bad(place), || {
            runtime.block_on(async {
                let runner = Runner::new(
                    service_fn(async |cx: Context| {
                        cx.spawn({
                            let cx = cx.clone();
                            async move { cx.cancelled().await }
                        });
                        cx.cancelled().await;
                    })
                    .on_shutdown(async |_cx| tokio::task::yield_now().await),
                );
                for _ in 0..2 {
                    within(runner.start()).await.unwrap();
                    idle().await;
                    assert!(runner.is_running(), "{place}: {:?}", runner.errors_list());
                    within(runner.stop()).await.unwrap();
                    assert!(
                        runner.errors_list().is_empty(),
                        "{place}: {:?}",
                        runner.errors_list()
                    );
                }
            });
        });
    }
}
