//! A runner within a runner that is asked to start while the outer stops: it stays down.

use std::future::pending;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use startstop_core::{
    BoxError, Context, Group, Runner, Service, Settings, StartError, State, WeakRunner,
};
use tokio::sync::Notify;

use crate::support::{Act, Event, Probe, Remote, SECOND, idle, probed, start, stop, within};

async fn running() -> (Runner<Runner<Probe>>, Runner<Probe>, Remote) {
    let (inner, mut probe) = probed(Settings::new());
    let outer = Runner::new(inner.clone());
    outer.start().await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    (outer, inner, probe)
}

fn assert_stopped<S: Service, T: Service>(outer: &Runner<S>, inner: &Runner<T>) {
    let states = (outer.state(), inner.state());
    assert_eq!(states, (State::Stopped, State::Stopped));
}

/// Both have stopped, after one attempt.
fn assert_ended(outer: &Runner<Runner<Probe>>, inner: &Runner<Probe>, probe: &Remote) {
    assert_stopped(outer, inner);
    assert_eq!(probe.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_start_in_its_shutdown_is_cancelled() {
    let (outer, inner, probe) = running().await;
    let again = inner.downgrade();
    probe.on_shutdown(Act::with(move |_| again.upgrade().unwrap().request_start()));
    within(outer.stop()).await.unwrap();
    assert_ended(&outer, &inner, &probe);
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_it_asks_for_itself_is_cancelled() {
    let (outer, inner, probe) = running().await;
    probe.on_shutdown(Act::with(Context::request_restart));
    within(outer.stop()).await.unwrap();
    assert_ended(&outer, &inner, &probe);
}

#[tokio::test(start_paused = true)]
async fn a_start_of_an_inner_runner_meanwhile_learns_that_it_was_stopped() {
    let (outer, inner, probe) = running().await;
    probe.on_cancel(Act::Hang);
    let stopping = stop(&outer).await;
    let starting = start(&inner).await;
    assert!(stopping.is_waiting() && starting.is_waiting());
    probe.tell(Act::Complete);
    stopping.outcome().await.unwrap();
    assert!(matches!(starting.outcome().await, Err(StartError::Stopped)));
    assert_stopped(&outer, &inner);
}

#[tokio::test(start_paused = true)]
async fn an_inner_runner_starts_again_with_the_outer() {
    let (outer, inner, mut probe) = running().await;
    probe.on_shutdown(Act::with(Context::request_restart));
    within(outer.restart()).await.unwrap();
    probe.until(Event::Run(2, 1)).await;
    idle().await;
    assert!(outer.is_running() && inner.is_running());
    within(outer.stop()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_drain_of_the_outer_does_not_keep_it_from_a_restart() {
    let (inner, mut probe) = probed(Settings::new());
    let outer = Runner::with_settings(inner.clone(), Settings::new().drain(SECOND));
    outer.start().await.unwrap();
    probe.until(Event::Run(1, 1)).await;
    let stopping = stop(&outer).await;
    within(inner.restart()).await.unwrap();
    probe.until(Event::Run(2, 1)).await;
    stopping.outcome().await.unwrap();
    assert_stopped(&outer, &inner);
}

/// Hangs, and asks for its own start when its `run` is dropped.
#[derive(Clone, Default)]
struct Undead(Arc<OnceLock<WeakRunner<Undead>>>);

struct Asks<'a>(&'a Undead);

impl Drop for Asks<'_> {
    fn drop(&mut self) {
        self.0.0.get().unwrap().upgrade().unwrap().request_start();
    }
}

impl Service for Undead {
    type Error = BoxError;

    async fn run(&self, _cx: Context) -> Result<(), BoxError> {
        let _asks = Asks(self);
        pending().await
    }
}

fn undead() -> Runner<Undead> {
    let undead = Undead::default();
    let runner = Runner::new(undead.clone());
    undead.0.set(runner.downgrade()).unwrap();
    runner
}

#[tokio::test(start_paused = true)]
async fn a_start_in_the_drop_of_its_run_is_cancelled() {
    let inner = undead();
    let outer = Runner::new(inner.clone());
    outer.start().await.unwrap();
    idle().await;
    within(outer.stop_within(SECOND)).await.unwrap_err();
    assert_stopped(&outer, &inner);
    assert_eq!(inner.status().cycles(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_abort_of_the_outer_is_one_of_the_inner_for_good() {
    let inner = undead();
    let outer = Runner::new(inner.clone());
    outer.start().await.unwrap();
    idle().await;
    within(outer.stop_within(Duration::ZERO)).await.unwrap();
    assert_stopped(&outer, &inner);
    assert_eq!(inner.status().cycles(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_abort_of_a_group_is_one_of_its_members_for_good() {
    let member = undead();
    let app = Runner::new(
        Group::builder("app")
            .with("a", member.clone())
            .build()
            .unwrap(),
    );
    app.start().await.unwrap();
    idle().await;
    within(app.stop_within(Duration::ZERO)).await.unwrap();
    assert_eq!(
        (app.state(), member.state()),
        (State::Stopped, State::Stopped)
    );
    assert_eq!(member.status().cycles(), 1);
}

/// Comes to the `run` of its runner when its `shutdown` is over already.
struct Late {
    inner: Runner<Probe>,
    stopped: Notify,
}

impl Service for Late {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        self.stopped.notified().await;
        self.inner.run(cx).await
    }

    async fn shutdown(&self, cx: Context) -> Result<(), BoxError> {
        let stopped = self.inner.shutdown(cx).await;
        self.stopped.notify_one();
        stopped
    }
}

#[tokio::test(start_paused = true)]
async fn an_inner_runner_stopped_before_it_was_started_is_not_started() {
    let (inner, probe) = probed(Settings::new());
    let outer = Runner::new(Late {
        inner: inner.clone(),
        stopped: Notify::new(),
    });
    outer.start().await.unwrap();
    idle().await;
    within(outer.stop()).await.unwrap();
    assert_stopped(&outer, &inner);
    assert_eq!(probe.runs(), 0);
}
