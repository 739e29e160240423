//! A runner of a runner is ready only while the inner service is.

use std::sync::Arc;
use std::time::Duration;

use startstop_core::{
    Backoff, Context, EventKind, Events, Group, Readiness, RestartPolicy, Runner, Service,
    Settings, State,
};
use tokio_util::sync::CancellationToken;

use crate::support::{Act, Event, Probe, Remote, SECOND, idle, probed, start, stop, until, within};

type Nested = (Runner<Runner<Probe>>, Runner<Probe>, Remote);

fn restarted() -> Settings {
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    Settings::new().name("db").restart(policy)
}

async fn running(settings: Settings) -> Nested {
    let (inner, mut probe) = probed(settings);
    let outer = Runner::new(inner.clone());
    outer.start().await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    (outer, inner, probe)
}

/// The readiness that a stream has told of the runner that it is of.
fn told(events: &mut Events) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(event) = events.try_next() {
        match event.kind() {
            EventKind::Ready { after } if event.path() == "db" => {
                told.push(format!("ready after {after:?}"));
            }
            EventKind::NotReady(reason) if event.path() == "db" => {
                told.push(format!("not ready: {reason}"));
            }
            _ => {}
        }
    }
    told
}

#[tokio::test(start_paused = true)]
async fn it_is_not_ready_in_the_backoff_of_the_inner() {
    let (inner, mut probe) = probed(restarted());
    let outer = Runner::new(Runner::new(inner.clone()));
    let mut events = outer.events();
    outer.start().await.unwrap();
    for attempt in 1..4 {
        probe.until(Event::Run(1, attempt)).await;
        assert!(outer.is_ready() && outer.service().is_ready());
        probe.tell(Act::Fail("connection lost"));
        inner.wait_for(State::Backoff).await;
        assert!(outer.is_running() && outer.service().is_running());
        assert!(!outer.is_ready() && !outer.service().is_ready());
        assert_eq!(outer.status().not_ready_reason(), Some("db"));
        outer.ensure_running().await.unwrap(); // It has started, and stays so.
    }
    inner.wait_for(State::Running).await;
    assert!(outer.is_ready());
    assert_eq!(outer.status().not_ready_reason(), None);
    let down = ["not ready: db", "ready after 1s"];
    let expected: Vec<&str> = ["ready after 0ns"]
        .into_iter()
        .chain([down, down, down].into_iter().flatten())
        .collect();
    assert_eq!(told(&mut events), expected);
    outer.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_takes_its_readiness_back_with_the_inner() {
    let (outer, inner, probe) = running(Settings::new()).await;
    for _ in 0..2 {
        probe.tell(Act::with(|cx| cx.not_ready("the disk is full")));
        idle().await;
        assert!(!inner.is_ready() && !outer.is_ready());
        assert!(outer.is_running());
        probe.tell(Act::Ready);
        idle().await;
        assert!(inner.is_ready() && outer.is_ready());
    }
    outer.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_is_ready_for_a_moment_only_has_started() {
    let (inner, probe) = probed(Settings::new().readiness(Readiness::Explicit));
    let outer = Runner::new(inner.clone());
    let starting = start(&outer).await;
    probe.tell(Act::with(|cx| {
        cx.ready();
        cx.not_ready("not any more");
    }));
    starting.outcome().await.unwrap();
    assert!(outer.is_running() && !outer.is_ready());
    probe.tell(Act::Ready);
    idle().await;
    assert!(outer.is_ready());
    outer.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_that_was_ready_and_failed_at_once_has_started_and_is_not_ready() {
    let (inner, mut probe) = probed(restarted());
    probe.tell(Act::Fail("at once"));
    let outer = Runner::new(inner.clone());
    outer.start().await.unwrap();
    inner.wait_for(State::Backoff).await;
    assert!(outer.is_running() && !outer.is_ready());
    probe.until(Event::Run(1, 2)).await;
    assert!(outer.is_ready());
    outer.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn it_is_not_ready_while_the_inner_is_restarted_or_drains() {
    let (outer, inner, mut probe) = running(Settings::new().drain(SECOND).name("db")).await;
    let mut events = outer.events();
    inner.request_restart();
    idle().await;
    assert_eq!(inner.state(), State::Stopping);
    assert!(outer.is_running() && !outer.is_ready());
    probe.until(Event::Run(2, 1)).await;
    assert!(outer.is_ready());
    assert_eq!(told(&mut events), ["not ready: db", "ready after 1s"]);

    // One that is stopped by its handle ends the outer.
    let stopping = stop(&inner).await;
    assert!(outer.is_running() && !outer.is_ready());
    stopping.outcome().await.unwrap();
    assert!(within(outer.wait()).await.is_success());
    assert_eq!(told(&mut events), ["not ready: db"]);
}

#[tokio::test(start_paused = true)]
async fn its_own_stop_tells_nothing_of_its_readiness() {
    for settings in [Settings::new(), Settings::new().drain(SECOND)] {
        let (outer, _inner, _probe) = running(settings.name("db")).await;
        let mut events = outer.events();
        outer.stop().await.unwrap();
        assert!(!outer.is_ready());
        assert!(told(&mut events).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_backoff_of_the_inner_is_clean() {
    let (outer, inner, probe) = running(restarted()).await;
    probe.tell(Act::Fail("connection lost"));
    inner.wait_for(State::Backoff).await;
    // It has failed for its owner as well.
    let _ = within(outer.stop()).await;
    assert_eq!(
        (outer.state(), inner.state()),
        (State::Stopped, State::Stopped)
    );
    outer.start().await.unwrap();
    assert!(outer.is_ready());
    assert_eq!(outer.status().not_ready_reason(), None);
    outer.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_inner_that_goes_on_by_itself_is_none_of_an_outer_that_has_ended() {
    for timeout in [Duration::MAX, Duration::ZERO] {
        let (outer, inner, mut probe) = running(Settings::new()).await;
        outer.stop_within(timeout).await.unwrap();
        inner.start().await.unwrap();
        probe.until(Event::Run(2, 1)).await;
        probe.tell(Act::with(|cx| cx.not_ready("later")));
        idle().await;
        assert!(!inner.is_ready());
        assert_eq!(outer.state(), State::Stopped);
        assert_eq!(outer.status().not_ready_reason(), None);
        inner.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_shared_by_two_is_shown_by_both() {
    let (one, inner, mut probe) = running(restarted()).await;
    let other = Runner::new(inner.clone());
    other.start().await.unwrap();
    probe.tell(Act::Fail("connection lost"));
    inner.wait_for(State::Backoff).await;
    assert!(!one.is_ready() && !other.is_ready());
    probe.until(Event::Run(1, 2)).await;
    assert!(one.is_ready() && other.is_ready());
    one.stop().await.unwrap();
    within(other.wait()).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_over_it_follows() {
    let (inner, probe) = probed(restarted());
    let member = Runner::new(Runner::new(inner.clone()));
    let app = Group::builder("app").with("store", member.clone());
    let app = Runner::new(app.build().unwrap());
    let boxed = Runner::new(app.clone().boxed());
    boxed.start().await.unwrap();
    assert!(app.is_ready() && boxed.is_ready());
    probe.tell(Act::Fail("connection lost"));
    inner.wait_for(State::Backoff).await;
    idle().await;
    assert!(app.is_running() && !app.is_ready() && !boxed.is_ready());
    assert_eq!(app.status().not_ready_reason(), Some("store"));
    inner.wait_for(State::Running).await;
    idle().await;
    assert!(app.is_ready() && boxed.is_ready());
    boxed.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_probe_sees_it_too() {
    let (inner, probe) = probed(restarted());
    let token = CancellationToken::new();
    let (cx, seen) = Context::probed(token.clone());
    let running = {
        let inner = inner.clone();
        tokio::spawn(async move { inner.run(cx).await })
    };
    idle().await;
    assert!(seen.is_ready());
    probe.tell(Act::Fail("connection lost"));
    inner.wait_for(State::Backoff).await;
    assert!(!seen.is_ready());
    assert_eq!(seen.not_ready_reason().as_deref(), Some("db"));
    inner.wait_for(State::Running).await;
    assert!(seen.is_ready());
    token.cancel();
    within(running).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_probe_sees_whether_a_group_is_ready() {
    let (member, probe) = probed(Settings::new());
    let group = Group::builder("app").with("db", member.clone());
    let group = group.build().unwrap();
    let token = CancellationToken::new();
    let (cx, seen) = Context::probed(token.clone());
    let running = tokio::spawn(async move { group.run(cx).await });
    idle().await;
    assert!(seen.is_ready());
    probe.tell(Act::with(|cx| cx.not_ready("away")));
    idle().await;
    assert!(!seen.is_ready());
    assert_eq!(seen.not_ready_reason().as_deref(), Some("db"));
    token.cancel();
    within(running).await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn thousands_of_them_in_one_another_follow() {
    let (inner, probe) = probed(Settings::new());
    let mut outer = Runner::new(inner.clone().boxed());
    for _ in 0..2_000 {
        outer = Runner::new(outer.boxed());
    }
    outer.start().await.unwrap();
    assert!(outer.is_ready());
    for reason in ["one", "other"] {
        probe.tell(Act::with(move |cx| cx.not_ready(reason)));
        idle().await;
        assert!(!outer.is_ready());
        probe.tell(Act::Ready);
        idle().await;
        assert!(outer.is_ready());
    }
    outer.stop().await.unwrap();
}

/// A service whose value is counted.
struct Counted(Arc<()>, Runner<Probe>);

impl Service for Counted {
    type Error = startstop_core::BoxError;

    async fn run(&self, cx: Context) -> Result<(), Self::Error> {
        std::hint::black_box(&self.0);
        self.1.run(cx).await
    }

    async fn shutdown(&self, cx: Context) -> Result<(), Self::Error> {
        self.1.shutdown(cx).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_shown_last_is_what_is_and_the_value_of_the_outer_is_free_at_its_end() {
    for round in 0_u32..200 {
        let (inner, probe) = probed(Settings::new());
        let value = Arc::new(());
        let outer = Runner::new(Counted(Arc::clone(&value), inner.clone()));
        outer.start().await.unwrap();
        probe.tell(Act::with(move |cx| {
            for task in 0..4 {
                let cx = cx.clone();
                tokio::spawn(async move {
                    for turn in 0..16 + round % 3 {
                        if (turn + task) % 2 == 0 {
                            cx.ready();
                        } else {
                            cx.not_ready("busy");
                        }
                    }
                });
            }
        }));
        if round % 2 == 0 {
            until(|| Arc::strong_count(&value) == 2).await;
            until(|| outer.is_ready() == inner.is_ready()).await;
        }
        within(outer.stop()).await.unwrap();
        drop(outer);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn it_is_not_ready_once_the_inner_is_silent_also_where_no_worker_is_free() {
    // Long enough that it blocks before it counts as silent, also on a busy machine.
    let settings = Settings::new().watchdog(2 * SECOND);
    let (inner, mut probe) = probed(settings);
    let outer = Runner::new(Runner::new(inner.clone()));
    within(outer.start()).await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    probe.tell(Act::Block);
    within(until(|| inner.state() == State::Stopping)).await;
    within(until(|| !outer.is_ready())).await;
    assert!(outer.is_running());
    probe.release();
    within(outer.wait_for(State::Stopped)).await;
}
