//! `/status` and `/events`.

use std::fmt;
use std::time::Duration;

use serde_json::Value;
use startstop_core::{Backoff, Group, RestartPolicy, Runner, Settings, State, service_fn};
#[cfg(feature = "metrics")]
use startstop_core::{Context, service_fn_with};
use startstop_host::Host;

use super::{Program, shop};
use crate::http::{Stream, ask, get};

#[tokio::test]
async fn the_status_is_that_of_the_service() {
    let program = Program::run(shop()).await;
    let answer = get(program.addr, "/status").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let told: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(
        (&told["path"], &told["state"]),
        (&"shop".into(), &"running".into())
    );
    assert_eq!(told["children"][1]["path"], "shop/http");
    assert_eq!(ask(program.addr, "POST", "/status", "").await.status, 405);
    program.stop().await;
}

/// An error whose text is a mistake.
#[derive(Debug)]
struct Wordless;

impl fmt::Display for Wordless {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no words")
    }
}

impl std::error::Error for Wordless {}

#[tokio::test]
async fn an_error_whose_text_panics_costs_no_answer() {
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(Duration::from_secs(600)));
    let service = service_fn(async |_cx| Err::<(), _>(Wordless));
    let flaky = Runner::with_settings(service, Settings::new().restart(policy));
    let app = Group::builder("shop").with("db", flaky.clone()).build();
    let program = Program::begin(Host::new(app.unwrap()));
    flaky.wait_for(State::Backoff).await;
    let text = "its text panicked";
    let status = get(program.addr, "/status").await;
    let told: Value = serde_json::from_str(&status.body).unwrap();
    let failure = &told["children"][0]["last_failure"];
    assert_eq!(failure["errors"], serde_json::json!([text]));
    let ready = get(program.addr, "/readyz").await;
    assert_eq!(
        (ready.status, &*ready.body),
        (503, &*format!("shop/db: backoff: {text}"))
    );
    assert!(get(program.addr, "/").await.body.contains(text));
    program.stop().await;
}

#[tokio::test]
async fn events_come_as_they_happen_and_the_stream_ends_with_the_program() {
    let program = Program::run(shop()).await;
    let mut events = Stream::open(program.addr).await;
    program
        .runner
        .find("shop/db")
        .unwrap()
        .restart()
        .await
        .unwrap();
    for kind in ["stopping", "stopped", "starting", "ready"] {
        let event = events
            .event(|event| event["path"] == "shop/db" && event["event"] == kind)
            .await;
        assert_eq!(
            event.unwrap()["cycle"],
            if kind.starts_with("stop") { 1 } else { 2 }
        );
    }
    program.runner.request_stop();
    let last = events
        .event(|event| event["path"] == "shop" && event["event"] == "stopped")
        .await;
    assert_eq!(last.unwrap()["exit"], "stopped");
    let mut end = String::new();
    while let Some(line) = events.line().await {
        assert!(!line.starts_with("data: "), "{line}");
        end.push_str(&line);
    }
    assert!(end.ends_with('0'), "the last chunk is empty: {end}");
    assert_eq!(program.runner.state(), State::Stopped);
    program.end.await.unwrap();
}

#[tokio::test]
async fn there_are_at_most_64_streams_of_events() {
    let program = Program::run(shop()).await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(Stream::open(program.addr).await);
    }
    assert_eq!(get(program.addr, "/events").await.status, 503);
    open.pop();
    // The stream counts until the server has seen that its client is gone.
    program
        .runner
        .find("shop/db")
        .unwrap()
        .restart()
        .await
        .unwrap();
    loop {
        let head = ask(program.addr, "HEAD", "/events", "").await;
        if head.status == 200 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    program.stop().await;
}

#[cfg(feature = "metrics")]
#[tokio::test]
async fn metrics_are_in_the_format_that_is_accepted() {
    let program = Program::run(shop()).await;
    let plain = get(program.addr, "/metrics").await;
    assert_eq!(
        plain.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert!(
        plain.body.contains("startstop_ready{path=\"shop/db\"} 1\n"),
        "{}",
        plain.body
    );
    let accept = "accept: application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1\r\n";
    let open = ask(program.addr, "GET", "/metrics", accept).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.header("content-type"), Some(kind));
    assert!(open.body.ends_with("# EOF\n"));
    program.stop().await;
}

/// More than a reader of the events may miss: they are counted as they happen, on the thread of the host.
#[cfg(feature = "metrics")]
#[tokio::test]
async fn events_are_counted_although_nobody_scrapes() {
    const BATCHES: usize = 8;
    const EACH: usize = 5_000;
    let (ask, asked) = tokio::sync::mpsc::channel::<()>(1);
    let asked = tokio::sync::Mutex::new(asked);
    let service = service_fn_with(asked, async |asked, cx: Context| {
        let mut asked = asked.lock().await;
        while let Some(Some(())) = cx.run_until_cancelled(asked.recv()).await {
            (0..EACH).for_each(|_| cx.report("odd"));
        }
    });
    let host = Host::new(service);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (addr, runner) = (listener.local_addr().unwrap(), host.runner());
    // The program has a runtime of its own, as most have.
    let program = std::thread::spawn(move || host.admin_on(listener).main());
    runner.wait_for(State::Running).await;
    for batch in 1..=BATCHES {
        ask.send(()).await.unwrap();
        while runner.status().failures() < (batch * EACH) as u64 {
            tokio::task::yield_now().await;
        }
        // An answer means that everything before it has been counted.
        assert_eq!(get(addr, "/livez").await.status, 200);
    }
    let text = get(addr, "/metrics").await.body;
    let total = format!("phase=\"run\",cause=\"reported\"}} {}\n", BATCHES * EACH);
    assert!(text.contains(&total), "{text}");
    runner.request_stop();
    program.join().unwrap();
}
