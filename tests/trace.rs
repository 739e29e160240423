//! The feature `tracing`: a span for each attempt, an event for each step.

mod spans;

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, Once};

use startstop_core::{Runner, Settings, once, service_fn};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, Interest, set_default, set_global_default};
use tracing::{Event, Metadata, Subscriber};

/// Writes down what it is told of startstop, a line each.
#[derive(Clone, Default)]
pub(crate) struct Scribe {
    lines: Arc<Mutex<Vec<String>>>,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.0.insert_str(0, &format!("{value:?}")),
            "after" | "ran" => {}
            name => write!(self.0, " {name}={value:?}").unwrap(),
        }
    }
}

impl Scribe {
    fn write(&self, kind: &str, record: impl FnOnce(&mut Line)) {
        let mut line = Line(String::new());
        record(&mut line);
        self.lines
            .lock()
            .unwrap()
            .push(format!("{kind}: {}", line.0.trim()));
    }

    fn has(&self, line: &str) -> bool {
        self.lines.lock().unwrap().iter().any(|other| other == line)
    }

    /// Makes it the subscriber of this thread until the guard is dropped.
    ///
    /// Whether anybody wants an event is looked up once for all threads, which may be while this one is not heard yet: so there
    /// is always somebody who wants to be asked each time.
    pub(crate) fn listen(&self) -> DefaultGuard {
        be_asked_each_time();
        set_default(self.clone())
    }

    /// All that it has written.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

/// See [`Scribe::listen`].
fn be_asked_each_time() {
    static ASKED: Once = Once::new();
    ASKED.call_once(|| set_global_default(Undecided).expect("nobody else sets one"));
}

/// Wants to be asked of each event, and then wants none.
struct Undecided;

impl Subscriber for Undecided {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn event(&self, _: &Event<'_>) {}
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Subscriber for Scribe {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "startstop"
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.write("span", |line| span.record(line));
        Id::from_u64(1)
    }

    fn event(&self, event: &Event<'_>) {
        self.write("event", |line| event.record(line));
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn a_cycle_is_told_step_by_step() {
    let scribe = Scribe::default();
    let _told = scribe.listen();
    let idle = service_fn(async |cx| cx.cancelled().await);
    let runner = Runner::with_settings(idle, Settings::new().name("http"));
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    for line in [
        r#"event: start service="http" cycle=1 attempt=1"#,
        r#"span: service="http" cycle=1 attempt=1"#,
        r#"event: ready service="http" cycle=1 attempt=1"#,
        r#"event: stop service="http" cycle=1 attempt=1 reason=requested"#,
        r#"event: stopped service="http" cycle=1 attempt=1 exit=stopped"#,
    ] {
        assert!(scribe.has(line), "{line}\n{:#?}", scribe.lines());
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_ends_by_itself_is_told_to_be_ready_once() {
    let scribe = Scribe::default();
    let _told = scribe.listen();
    let short = service_fn(async |_cx| ());
    let runner = Runner::with_settings(short, Settings::new().name("short"));
    runner.start().await.unwrap();
    runner.wait().await;
    let lines = scribe.lines();
    let ready = lines.iter().filter(|line| line.starts_with("event: ready"));
    assert_eq!(ready.count(), 1, "{lines:#?}");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_cycle_that_another_follows_is_told_of_the_one_that_has_ended() {
    let scribe = Scribe::default();
    let _told = scribe.listen();
    let fails = service_fn(async |cx| {
        cx.cancelled().await;
        Err::<(), _>("no such table")
    });
    let runner = Runner::with_settings(fails, Settings::new().name("db"));
    runner.start().await.unwrap();
    runner.restart().await.unwrap();
    let lines = scribe.lines();
    let lines: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    assert_eq!(
        lines,
        [
            r#"start service="db" cycle=1 attempt=1"#,
            r#"ready service="db" cycle=1 attempt=1"#,
            r#"stop service="db" cycle=1 attempt=1 reason=restart"#,
            r#"failure service="db" cycle=1 attempt=1 phase=run cause=Error error=no such table"#,
            r#"stopped service="db" cycle=1 attempt=1 exit=failed"#,
            r#"start service="db" cycle=2 attempt=1"#,
            r#"ready service="db" cycle=2 attempt=1"#,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_and_an_abort_are_told() {
    let scribe = Scribe::default();
    let _told = scribe.listen();
    let job = once(async |_cx| Err::<(), _>("no such table"));
    let job = Runner::with_settings(job, Settings::new().name("job"));
    job.start().await.unwrap_err();
    let hung = service_fn(async |_cx| std::future::pending::<()>().await);
    let hung = Runner::with_settings(hung, Settings::new().name("hung"));
    hung.start().await.unwrap();
    hung.stop().await.unwrap_err();
    let failure = "event: failure service=\"job\" cycle=1 attempt=1 phase=run cause=Error";
    let lines = scribe.lines();
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with(failure) && line.contains("no such table"))
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("event: abort service=\"hung\"")),
        "{lines:#?}"
    );
}
