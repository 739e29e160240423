//! The answers of the probes, and the parts that they name.

use std::future::pending;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{
    Backoff, Context, Group, Member, OnFailure, Readiness, RestartPolicy, Runner, Service,
    Settings, State, once, service_fn, service_fn_with,
};
use startstop_host::{Probes, Verdict};
use tokio::sync::Notify;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

fn until_stopped() -> impl Service {
    service_fn(async |cx| cx.cancelled().await)
}

/// Makes a receiver that blocks a thread until the sender is dropped.
fn gate() -> (Sender<()>, Arc<Mutex<Receiver<()>>>) {
    let (release, gate) = std::sync::mpsc::channel();
    (release, Arc::new(Mutex::new(gate)))
}

fn names(verdict: &Verdict) -> Vec<&str> {
    verdict
        .parts()
        .iter()
        .map(|(name, _)| name.as_str())
        .collect()
}

#[tokio::test]
async fn a_whole_that_is_not_ready_is_named_by_its_leaves() {
    let inner = Group::builder("inner")
        .with("db", until_stopped())
        .build()
        .unwrap();
    let app = Group::builder("shop")
        .with("store", inner)
        .with("http", until_stopped());
    let runner = Runner::new(app.build().unwrap());
    let probes = Probes::of(&runner);

    let before = probes.ready().await;
    assert_eq!(before.http_status(), 503);
    runner.start().await.unwrap();
    let started = probes.ready().await;
    assert!(started.ok(), "{started}");
    assert_eq!(
        (started.http_status(), started.to_string().as_str()),
        (200, "ok")
    );
    runner.stop().await.unwrap();
    let after = probes.ready().await;
    assert_eq!(names(&after), ["shop/store/db", "shop/http"]);
    assert!(probes.live().ok());
}

/// Time stands still unless somebody waits for it: nothing is polled.
#[tokio::test(start_paused = true)]
async fn a_program_is_not_ready_from_the_moment_in_which_a_member_fails() {
    let fail = Arc::new(Notify::new());
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(60 * SECOND));
    let db = service_fn_with(Arc::clone(&fail), async |fail, _cx: Context| {
        fail.notified().await;
        Err::<(), _>("connection lost")
    });
    let db = Member::new(db).settings(Settings::new().restart(policy));
    let runner = Runner::new(Group::builder("shop").with("db", db).build().unwrap());
    runner.start().await.unwrap();
    let probes = Probes::of(&runner);
    assert!(probes.ready().await.ok());

    let begin = Instant::now();
    fail.notify_one();
    while probes.ready().await.ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert!(probes.live().ok() && probes.startup().ok());
    runner.stop().await.unwrap();
}

/// Nothing is remembered from one question to the next: who asks for the first time hears what is so.
#[tokio::test(start_paused = true)]
async fn a_first_question_in_a_backoff_of_a_later_cycle_hears_that_it_has_started() {
    let (is_up, fail) = (Arc::new(AtomicBool::new(true)), Arc::new(Notify::new()));
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    let state = (Arc::clone(&is_up), Arc::clone(&fail));
    let db = service_fn_with(state, async |state, cx: Context| {
        if state.0.load(Ordering::Relaxed) {
            cx.ready();
            cx.run_until_cancelled(state.1.notified()).await;
        }
        if cx.is_cancelled() {
            Ok(())
        } else {
            Err("connection lost")
        }
    });
    let settings = Settings::new()
        .readiness(Readiness::Explicit)
        .restart(policy);
    let runner = Runner::with_settings(db, settings);
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    assert!(!Probes::of(&runner).startup().ok(), "the cycle is over");

    runner.start().await.unwrap();
    is_up.store(false, Ordering::Relaxed);
    fail.notify_one();
    // The same holds after attempts that failed before they were ready.
    while runner.status().attempts() < 4 {
        runner.wait_for(State::Backoff).await;
        tokio::time::sleep(SECOND).await;
    }
    let verdict = Probes::of(&runner).startup();
    assert!(verdict.ok(), "{verdict}");
    runner.stop().await.unwrap();

    runner.request_start();
    runner.wait_for(State::Backoff).await;
    let verdict = Probes::of(&runner).startup();
    assert!(!verdict.ok(), "not in this cycle");
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_completed_member_of_a_ready_whole_is_no_reason() {
    let app = Group::builder("shop")
        .with("migrate", once(async |_cx| ()))
        .then("http", until_stopped());
    let runner = Runner::new(app.build().unwrap());
    runner.start().await.unwrap();
    let verdict = Probes::of(&runner).ready().await;
    assert!(verdict.ok(), "{verdict}");
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_service_in_backoff_is_alive_and_not_ready_and_tells_its_failure() {
    let refused = service_fn(async |_cx| Err::<(), _>("connection\nrefused"));
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    let settings = Settings::new()
        .name("db")
        .readiness(Readiness::Explicit)
        .restart(policy);
    let runner = Runner::with_settings(refused, settings);
    runner.request_start();
    runner.wait_for(State::Backoff).await;

    let probes = Probes::of(&runner);
    assert!(probes.live().ok());
    let verdict = probes.ready().await;
    assert_eq!(verdict.to_string(), "db: backoff: connection refused");
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_runner_as_a_service_is_ready_only_while_its_own_service_is() {
    let later = service_fn(async |cx: Context| {
        cx.run_until_cancelled(tokio::time::sleep(SECOND)).await;
        Err::<(), _>("connection lost")
    });
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND));
    let inner = Runner::with_settings(later, Settings::new().name("db").restart(policy));
    let runner = Runner::new(Runner::new(inner.clone()));
    runner.start().await.unwrap();
    let probes = Probes::of(&runner);
    assert!(probes.ready().await.ok());
    for _ in 0..2 {
        inner.wait_for(State::Backoff).await;
        let verdict = probes.ready().await;
        assert_eq!(verdict.to_string(), "db/db/db: backoff: connection lost");
        assert!(probes.startup().ok());
        inner.wait_for(State::Running).await;
        assert!(probes.ready().await.ok());
    }
    // It has failed for its owners as well.
    let _ = runner.stop().await;
}

#[tokio::test(start_paused = true)]
async fn readiness_ends_when_the_drain_begins_and_life_does_not() {
    let settings = Settings::new().drain(SECOND);
    let runner = Runner::with_settings(until_stopped(), settings);
    runner.start().await.unwrap();
    let probes = Probes::of(&runner);
    assert!(probes.ready().await.ok());

    runner.request_stop();
    assert_eq!(probes.ready().await.http_status(), 503);
    assert_eq!(probes.live().http_status(), 200);
    runner.wait_for(State::Stopped).await;
    assert_eq!(probes.live().http_status(), 200);
}

#[tokio::test(start_paused = true)]
async fn checks_that_hang_cost_the_limit_once() {
    let runner = Runner::new(until_stopped());
    runner.start().await.unwrap();
    let hang = || pending::<Result<(), String>>();
    let probes = Probes::of(&runner)
        .check("a", SECOND, hang)
        .check("b", SECOND, hang);
    for _ in 0..2 {
        let begin = Instant::now();
        let verdict = probes.ready().await;
        assert!(
            begin.elapsed() < SECOND + SECOND / 2,
            "{:?}",
            begin.elapsed()
        );
        assert_eq!(names(&verdict), ["a", "b"]);
        assert!(
            verdict.to_string().starts_with("a: no answer within 1s"),
            "{verdict}"
        );
    }
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_check_may_have_no_limit() {
    let runner = Runner::new(until_stopped());
    runner.start().await.unwrap();
    let probes = Probes::of(&runner).check("patient", Duration::MAX, async || {});
    assert!(probes.ready().await.ok());
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_check_ends_at_its_limit_although_nobody_waits_for_it() {
    let runner = Runner::new(until_stopped());
    runner.start().await.unwrap();
    let held = Arc::new(());
    let inside = held.clone();
    let hang = move || {
        let inside = inside.clone();
        async move {
            pending::<()>().await;
            drop(inside);
            Ok::<(), String>(())
        }
    };
    let probes = Probes::of(&runner).check("a", SECOND, hang);
    tokio::time::timeout(SECOND / 10, probes.ready())
        .await
        .unwrap_err();
    tokio::time::sleep(SECOND / 2).await;
    assert_eq!(Arc::strong_count(&held), 3);
    tokio::time::sleep(SECOND).await;
    assert_eq!(Arc::strong_count(&held), 2);
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_check_that_panics_or_fails_says_no_with_its_reason() {
    let runner = Runner::new(until_stopped());
    runner.start().await.unwrap();
    let failing = async || Err::<(), _>(std::io::Error::other("the disk is full"));
    let fine = async || Ok::<(), String>(());
    let panicking = async || -> Result<(), String> { panic!("as a test") };
    let probes = Probes::of(&runner)
        .check("disk", SECOND, failing)
        .check("fine", SECOND, fine)
        .check("bug", SECOND, panicking);
    let verdict = probes.ready().await;
    assert_eq!(verdict.to_string(), "disk: the disk is full\nbug: panicked");
    runner.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_that_blocks_its_thread_is_not_called_beside_itself() {
    let runner = Runner::new(until_stopped());
    runner.start().await.unwrap();
    let calls = Arc::new(AtomicU32::new(0));
    let (release, gate) = gate();
    let ended = Arc::new(Notify::new());
    let (count, blocked, end) = (calls.clone(), gate.clone(), ended.clone());
    let probes = Probes::of(&runner).check("stuck", Duration::from_millis(20), move || {
        let (count, blocked, end) = (count.clone(), blocked.clone(), end.clone());
        async move {
            count.fetch_add(1, Ordering::Relaxed);
            let _ = blocked.lock().unwrap().recv();
            end.notify_one();
            Ok::<(), String>(())
        }
    });
    assert!(probes.ready().await.to_string().contains("no answer"));
    for _ in 0..3 {
        assert!(probes.ready().await.to_string().contains("still blocks"));
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    drop(release);
    ended.notified().await;
    while !probes.ready().await.ok() {
        tokio::task::yield_now().await;
    }
    runner.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn only_an_unresponsive_part_is_not_alive() {
    let (release, blocked) = gate();
    let stuck = service_fn(move |cx| {
        let blocked = blocked.clone();
        async move {
            cx.cancelled().await;
            let _ = blocked.lock().unwrap().recv();
        }
    });
    // So long no program of this process may be blocked from then on, and other tests run some in it.
    let short = Settings::new()
        .stop_timeout(SECOND / 20)
        .abort_timeout(SECOND * 5);
    let member = Member::new(Runner::with_settings(stuck, short)).on_failure(OnFailure::Ignore);
    let app = Group::builder("shop")
        .with("stuck", member)
        .with("http", until_stopped());
    let runner = Runner::new(app.build().unwrap());
    runner.start().await.unwrap();
    let probes = Probes::of(&runner);
    assert!(probes.live().ok());

    let stuck = runner.service().get("stuck").unwrap();
    stuck.stop().await.unwrap_err();
    let verdict = probes.live();
    assert!(
        verdict
            .to_string()
            .starts_with("shop/stuck: unresponsive: "),
        "{verdict}"
    );
    assert_eq!(verdict.http_status(), 503);
    drop(release);
    stuck.wait_for(State::Stopped).await;
    assert!(probes.live().ok());
    // The stop fails because the member failed.
    drop(runner.stop().await);
}

#[tokio::test]
async fn probes_do_not_keep_the_service() {
    let runner = Runner::new(until_stopped());
    let probes = Probes::of(&runner);
    drop(runner);
    assert_eq!(probes.ready().await.to_string(), "service: gone");
    assert!(probes.live().ok());
}
