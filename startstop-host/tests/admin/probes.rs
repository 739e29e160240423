//! The probes as Kubernetes asks them.

use std::future::pending;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use startstop_core::{
    Backoff, Context, Group, Member, OnFailure, Readiness, RestartPolicy, Runner, Service,
    Settings, State, once, service_fn,
};
use startstop_host::Host;
use tokio::sync::{Mutex, Notify};

use super::{Program, shop, until_stopped};
use crate::http::{Stream, ask, get};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn each_part_has_a_line() {
    let disk = async || Err::<(), _>("the disk\nis full");
    let program = Program::run(shop().check("disk", SECOND, disk)).await;
    let addr = program.addr;

    let live = get(addr, "/livez?verbose").await;
    assert_eq!(
        live.body,
        "[+]shop/db ok\n[+]shop/http ok\n[+]runtime ok\nlivez check passed\n"
    );
    let ready = get(addr, "/readyz?verbose").await;
    let lines = "[+]shop/db ok\n[+]shop/http ok\n[-]disk failed: the disk is full\n";
    assert_eq!(
        (ready.status, ready.body),
        (503, format!("{lines}readyz check failed\n"))
    );
    let brief = get(addr, "/readyz").await;
    assert_eq!(
        (brief.status, &*brief.body),
        (503, "disk: the disk is full")
    );
    let healthy = get(addr, "/healthz?verbose&exclude=disk").await;
    let lines = "[+]shop/db ok\n[+]shop/http ok\n[+]disk excluded: ok\n";
    assert_eq!(
        (healthy.status, healthy.body),
        (200, format!("{lines}healthz check passed\n"))
    );
    let unknown = get(addr, "/readyz?exclude=disk2&exclude=disc&exclude=shop%2Fdb").await;
    assert_eq!(unknown.status, 503);
    assert!(unknown.body.starts_with(
        "warn: some health checks cannot be excluded: no matches for \"disc\",\"disk2\"\n"
    ));
    assert_eq!(get(addr, "/startupz").await.body, "ok");
    program.stop().await;
}

#[tokio::test]
async fn they_answer_to_get_and_head_alone_and_nobody_keeps_them() {
    let program = Program::run(shop()).await;
    for path in ["/livez", "/readyz", "/startupz", "/healthz"] {
        let head = ask(program.addr, "HEAD", path, "").await;
        assert_eq!((head.status, &*head.body), (200, ""));
        assert_eq!(head.header("cache-control"), Some("no-store"));
        assert_eq!(
            head.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        for method in ["POST", "PUT", "DELETE"] {
            let refused = ask(program.addr, method, path, "").await;
            let allowed = refused.header("allow").map(str::to_ascii_uppercase);
            assert_eq!(
                (refused.status, allowed.as_deref()),
                (405, Some("GET,HEAD")),
                "{method} {path}"
            );
            assert_eq!(refused.header("cache-control"), Some("no-store"));
            assert_eq!(refused.header("content-type"), head.header("content-type"));
        }
    }
    assert_eq!(get(program.addr, "/nothing").await.status, 404);
    program.stop().await;
}

#[tokio::test]
async fn while_it_starts_it_is_alive_and_neither_ready_nor_started() {
    let go = Arc::new(Notify::new());
    let gate = go.clone();
    let slow = service_fn(move |cx: startstop_core::Context| {
        let gate = gate.clone();
        async move {
            gate.notified().await;
            cx.ready();
            cx.cancelled().await;
        }
    });
    let member = Runner::with_settings(slow, Settings::new().readiness(Readiness::Explicit));
    let app = Group::builder("shop")
        .with("db", until_stopped())
        .with("slow", member);
    let program = Program::begin(Host::new(app.build().unwrap()));
    while program.runner.state() != State::Starting {
        tokio::task::yield_now().await;
    }
    while get(program.addr, "/readyz").await.body != "shop/slow: starting" {}
    assert_eq!(get(program.addr, "/startupz").await.status, 503);
    assert_eq!(get(program.addr, "/livez").await.status, 200);
    go.notify_one();
    program.runner.wait_for(State::Running).await;
    assert_eq!(get(program.addr, "/startupz").await.status, 200);
    program.stop().await;
}

/// A service that fails when it is told to.
struct Flaky(Arc<Notify>);

impl Service for Flaky {
    type Error = String;

    async fn run(&self, _cx: Context) -> Result<(), String> {
        self.0.notified().await;
        Err("connection lost".into())
    }

    fn settings(&self) -> Settings {
        let policy = RestartPolicy::on_failure().backoff(Backoff::constant(SECOND * 600));
        Settings::new().name("db").restart(policy)
    }
}

#[tokio::test]
async fn once_it_has_started_a_backoff_does_not_take_that_back() {
    let fail = Arc::new(Notify::new());
    let program = Program::run(Host::new(Flaky(fail.clone()))).await;
    fail.notify_one();
    program.runner.wait_for(State::Backoff).await;
    let ready = get(program.addr, "/readyz").await;
    assert_eq!(ready.body, "db: backoff: connection lost");
    assert_eq!(get(program.addr, "/livez").await.status, 200);
    assert_eq!(get(program.addr, "/startupz").await.status, 200);
    program.stop().await;
}

#[tokio::test]
async fn a_member_in_backoff_is_named_by_its_path() {
    let fail = Arc::new(Notify::new());
    let db = Runner::new(Flaky(fail.clone()));
    let app = Group::builder("shop")
        .with("db", db.clone())
        .with("http", until_stopped());
    let program = Program::run(Host::new(app.build().unwrap())).await;
    assert_eq!(get(program.addr, "/readyz").await.body, "ok");
    fail.notify_one();
    db.wait_for(State::Backoff).await;
    assert_eq!(
        get(program.addr, "/readyz").await.body,
        "shop/db: backoff: connection lost"
    );
    assert_eq!(get(program.addr, "/livez").await.status, 200);
    program.stop().await;
}

#[tokio::test]
async fn a_drain_is_not_ready_at_once_and_alive_to_the_end() {
    let settings = Settings::new().drain(SECOND * 600);
    let http = Runner::with_settings(until_stopped(), settings);
    let app = Group::builder("shop")
        .with("http", http.clone())
        .build()
        .unwrap();
    let program = Program::run(Host::new(app)).await;
    let mut events = Stream::open(program.addr).await;
    program.runner.request_stop();
    events
        .event(|event| event["event"] == "draining")
        .await
        .unwrap();
    let ready = get(program.addr, "/readyz").await;
    assert_eq!(
        (ready.status, ready.body.trim_end()),
        (503, "shop/http: draining")
    );
    assert_eq!(get(program.addr, "/livez").await.status, 200);
    let ended = tokio::spawn(async move { program.runner.stop_within(SECOND / 10).await });
    let last = events
        .event(|event| event["path"] == "shop" && event["event"] == "stopped")
        .await;
    assert!(
        last.is_some(),
        "the port answers until the last part has ended"
    );
    drop(ended.await);
}

#[tokio::test]
async fn a_member_that_failed_and_is_ignored_does_not_count() {
    let bad =
        Member::new(once(async |_cx| Err::<(), _>("no such table"))).on_failure(OnFailure::Ignore);
    let app = Group::builder("shop")
        .with("migrate", bad)
        .with("http", until_stopped());
    let program = Program::run(Host::new(app.build().unwrap())).await;
    let ready = get(program.addr, "/readyz?verbose").await;
    assert_eq!(
        ready.body,
        "[+]shop/migrate ok\n[+]shop/http ok\nreadyz check passed\n"
    );
    program.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_runtime_that_is_blocked_is_seen_from_outside() {
    let program = Program::run(shop()).await;
    let addr = program.addr;
    let (release, blocked) = mpsc::channel::<()>();
    let blocked = Arc::new(std::sync::Mutex::new(blocked));
    // Block both workers; the test itself runs on a thread of its own.
    for _ in 0..2 {
        let blocked = blocked.clone();
        tokio::spawn(async move { blocked.lock().unwrap().recv() });
    }
    let answer = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            assert_eq!(
                get(addr, "/status").await.status,
                200,
                "it is on a thread of its own"
            );
            loop {
                let live = get(addr, "/livez").await;
                if live.status == 503 {
                    return live.body;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        })
    });
    let answer = answer.join().unwrap();
    assert!(
        answer.starts_with("runtime: has run no task for"),
        "{answer}"
    );
    drop(release);
    while get(addr, "/livez").await.status != 200 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    program.stop().await;
}

#[tokio::test]
async fn a_check_runs_where_the_service_does_and_costs_its_limit_once() {
    let thread = Arc::new(Mutex::new(None));
    let seen = thread.clone();
    let here = move || {
        let seen = seen.clone();
        async move { *seen.lock().await = Some(std::thread::current().id()) }
    };
    let hang = || pending::<()>();
    let limit = Duration::from_millis(200);
    let host = shop()
        .check("here", SECOND, here)
        .check("a", limit, hang)
        .check("b", limit, hang);
    let program = Program::run(host).await;
    let ready = get(program.addr, "/readyz").await;
    assert_eq!(
        ready.body,
        "a: no answer within 200ms\nb: no answer within 200ms"
    );
    assert_eq!(*thread.lock().await, Some(std::thread::current().id()));
    program.stop().await;
}
