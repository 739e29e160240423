//! The feature `serde`: what statuses and failures look like to others.

use serde_json::{Value, json};
use startstop_core::{Exit, Group, Permanent, Runner, State, once, service_fn};

fn value(of: impl serde::Serialize) -> Value {
    serde_json::to_value(of).unwrap()
}

#[test]
fn serialized_words_are_in_lower_case() {
    assert_eq!(value(State::Backoff), json!("backoff"));
    assert_eq!(value(Exit::Completed), json!("completed"));
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
