//! The fields of `/status` and `/events` are those of `docs/admin.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use startstop_core::{
    Backoff, Context, Group, RestartPolicy, Runner, Service, Settings, State, once, service_fn,
};
use startstop_host::Host;

use super::{Program, until_stopped};
use crate::http::{Stream, get};

const PAGE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/admin.md"));

/// The rows of the first table after a line; each is what is in backticks in its cells.
fn table(after: &str) -> Vec<Vec<BTreeSet<&'static str>>> {
    let lines = PAGE
        .lines()
        .skip_while(|line| *line != after)
        .skip_while(|line| !line.starts_with("|---"));
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    let cell = |cell: &'static str| cell.split('`').skip(1).step_by(2).collect();
    rows.map(|row| row.split('|').skip(1).map(cell).collect())
        .collect()
}

fn fields(after: &str) -> BTreeSet<&'static str> {
    table(after)
        .into_iter()
        .flat_map(|row| row[0].clone())
        .collect()
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// A service that fails, and takes reloads while it runs.
struct Flaky;

impl Service for Flaky {
    type Error = String;

    async fn run(&self, cx: Context) -> Result<(), String> {
        cx.gauge("fence", 7.0);
        cx.not_ready("as a test");
        cx.ready();
        match cx.run_until_cancelled(cx.reloaded()).await {
            Some(reload) => reload.failed("line 7 is odd"),
            None => return Ok(()),
        }
        Err("connection lost".into())
    }

    fn settings(&self) -> Settings {
        let policy =
            RestartPolicy::on_failure().backoff(Backoff::constant(Duration::from_secs(600)));
        Settings::new()
            .restart(policy)
            .drain(Duration::from_millis(10))
    }
}

#[tokio::test]
async fn a_status_and_a_failure_have_the_fields_that_are_documented() {
    let flaky = Runner::new(Flaky);
    let app = Group::builder("shop")
        .with("db", flaky.clone())
        .build()
        .unwrap();
    let program = Program::run(Host::new(app)).await;
    while flaky.status().gauges().is_empty() {
        tokio::task::yield_now().await;
    }
    let status: Value = serde_json::from_str(&get(program.addr, "/status").await.body).unwrap();
    let gauges = &status["children"][0]["gauges"];
    assert_eq!(gauges, &serde_json::json!([["fence", 7.0]]));
    drop(flaky.reload().await);
    flaky.wait_for(State::Backoff).await;
    let status: Value = serde_json::from_str(&get(program.addr, "/status").await.body).unwrap();
    let db = &status["children"][0];
    assert_eq!(keys(&status), fields("## `/status`"));
    assert_eq!(keys(db), fields("## `/status`"));
    assert_eq!(keys(&db["last_failure"]), fields("### A failure"));
    assert_eq!(keys(&db["next_attempt"]), BTreeSet::from(["secs", "nanos"]));
    assert_eq!(
        keys(&db["since"]),
        BTreeSet::from(["secs_since_epoch", "nanos_since_epoch"])
    );
    program.stop().await;
}

#[tokio::test]
async fn events_have_the_fields_that_are_documented() {
    let (flaky, idle) = (Runner::new(Flaky), until_stopped());
    let app = Group::builder("shop")
        .with("db", flaky.clone())
        .with("http", idle)
        .build()
        .unwrap();
    let program = Program::run(Host::new(app)).await;
    let mut events = Stream::open(program.addr).await;
    let group = program.runner.service();
    group.insert("job", once(async |_cx| ())).await.unwrap();
    group.remove("job").await.unwrap();
    drop(flaky.reload().await);
    flaky.wait_for(State::Backoff).await;
    flaky.start().await.unwrap();
    let stuck = service_fn(async |_cx| std::future::pending::<()>().await);
    let stuck = Runner::with_settings(
        stuck,
        Settings::new().stop_timeout(Duration::from_millis(10)),
    );
    group.insert("stuck", stuck.clone()).await.unwrap();
    drop(stuck.stop().await);
    program.runner.request_stop();

    let common = fields("## `/events`");
    let begin = "| `event` | text | what, as below |";
    let documented: BTreeMap<&str, BTreeSet<&str>> = table(begin)
        .into_iter()
        .map(|row| (*row[0].first().unwrap(), row[1].clone()))
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(event) = events.event(|_| true).await {
        let kind = event["event"].as_str().unwrap().to_owned();
        let more = documented
            .get(&*kind)
            .unwrap_or_else(|| panic!("{kind} is not documented"));
        let known: BTreeSet<&str> = common.union(more).copied().collect();
        assert!(keys(&event).is_subset(&known), "{event}");
        assert!(keys(&event).is_superset(&common), "{event}");
        seen.insert(kind);
    }
    let expected = [
        "starting",
        "ready",
        "draining",
        "stopping",
        "stopped",
        "failed",
        "backoff",
        "aborting",
        "reloading",
        "reloaded",
        "inserted",
        "removed",
    ];
    let missing: Vec<_> = expected
        .into_iter()
        .filter(|kind| !seen.contains(*kind))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    program.end.await.unwrap();
}
