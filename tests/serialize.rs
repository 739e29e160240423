//! The feature `serde`: what statuses and failures look like to others.

use serde_json::{Value, json};
use startstop_core::{
    Cause, Exit, Group, Permanent, Phase, Runner, State, StopReason, once, service_fn,
};

fn value(of: impl serde::Serialize) -> Value {
    serde_json::to_value(of).unwrap()
}

/// The words of some values, in one line.
fn words<T: serde::Serialize>(all: impl IntoIterator<Item = T>) -> String {
    let words = all.into_iter().map(value);
    let words: Vec<String> = words
        .map(|word| word.as_str().unwrap().to_owned())
        .collect();
    words.join(" ")
}

#[test]
fn serialized_words_stay_as_they_are() {
    use State::{Backoff, Running, Starting, Stopped, Stopping};
    assert_eq!(
        words([Stopped, Starting, Running, Stopping, Backoff]),
        "stopped starting running stopping backoff"
    );
    let exits = [
        Exit::Completed,
        Exit::Stopped,
        Exit::Failed,
        Exit::Aborted,
        Exit::Unresponsive,
    ];
    assert_eq!(
        words(exits),
        "completed stopped failed aborted unresponsive"
    );
    let phases = [Phase::Run, Phase::Shutdown, Phase::Task];
    assert_eq!(words(phases), "run shutdown task");
    let causes = [
        Cause::Error,
        Cause::Panic,
        Cause::TimedOut,
        Cause::Unresponsive,
        Cause::Aborted,
        Cause::NotReady,
        Cause::Completed,
        Cause::Reported,
    ];
    let said = "error panic timed_out unresponsive aborted not_ready completed reported";
    assert_eq!(words(causes), said);
    let reasons = [
        StopReason::Requested,
        StopReason::Restart,
        StopReason::Parent,
        StopReason::Group,
        StopReason::Own,
        StopReason::Completed,
        StopReason::Failed,
        StopReason::StartTimedOut,
        StopReason::Watchdog,
        StopReason::RuntimeEnded,
        StopReason::Abandoned,
    ];
    let said = "requested restart parent group own completed failed start_timed_out watchdog \
                runtime_ended abandoned";
    assert_eq!(words(reasons), said);
}

#[tokio::test(start_paused = true)]
async fn numbers_of_a_service_are_pairs_which_are_left_out_where_there_are_none() {
    let service = service_fn(async |cx| {
        cx.gauge("queued", 3.0);
        cx.gauge("ratio", f64::NAN);
        cx.cancelled().await;
    });
    let runner = Runner::new(service);
    assert_eq!(value(runner.status()).get("gauges"), None);
    runner.start().await.unwrap();
    crate::support::idle().await;
    let gauges = value(runner.status())["gauges"].take();
    assert_eq!(gauges, json!([["queued", 3.0], ["ratio", null]]));
    runner.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failure_tells_its_error_and_what_caused_it() {
    let job = Runner::new(once(async |_cx| {
        let cause = std::io::Error::other("disk full");
        Err::<(), _>(anyhow::Error::from(cause).context("cannot write"))
    }));
    job.start().await.unwrap_err();
    let failure = value(job.errors_last().unwrap());
    assert_eq!(failure["phase"], "run");
    assert_eq!(failure["cause"], "error");
    assert_eq!(
        (&failure["cycle"], &failure["attempt"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(failure["errors"], json!(["cannot write", "disk full"]));
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_is_not_its_own_cause() {
    let job = Runner::new(once(async |_cx| {
        let cause = anyhow::Error::from(std::io::Error::other("disk full")).context("cannot write");
        Err::<(), _>(Permanent::new(cause))
    }));
    let error = job.start().await.unwrap_err();
    assert_eq!(
        value(job.errors_last().unwrap())["errors"],
        json!(["cannot write", "disk full"])
    );
    let lines = ["cannot write", "disk full"].map(|cause| format!("\n  caused by: {cause}"));
    assert_eq!(format!("{error:?}"), format!("{error}{}", lines.concat()));
}

#[tokio::test(start_paused = true)]
async fn a_serialized_status_is_a_tree() {
    let idle = service_fn(async |cx| cx.cancelled().await);
    let app = Runner::new(Group::builder("app").with("http", idle).build().unwrap());
    app.start().await.unwrap();
    let status = value(app.status());
    assert_eq!(
        (&status["name"], &status["state"]),
        (&json!("app"), &json!("running"))
    );
    assert_eq!(status["children"][0]["name"], "http");
    assert_eq!(status["children"][0]["last_failure"], Value::Null);
    app.stop().await.unwrap();
}
