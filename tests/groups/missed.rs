//! What has happened to a member before its group looked, and may be over by then.

use startstop_core::{Group, OnFailure, Runner};

use super::support::{Act, Journal, built, idle, on, outcome, start, stopped, within};

/// `c` comes after `a` and `b`; `a` was ready and has been begun anew, `b` is not ready yet.
async fn begun_anew(journal: &Journal, anew: impl AsyncFnOnce(&Runner<Group>)) {
    let app = built(
        Group::builder("app")
            .with("a", on(OnFailure::Ignore, journal.probe("a").explicit()))
            .with("b", journal.probe("b").explicit())
            .with("c", on(OnFailure::Ignore, journal.probe("c")).after(["a", "b"])),
    );
    let call = start(&app).await;
    journal.tell("a", Act::Ready);
    idle().await;
    anew(&app).await;
    journal.until("+a").await;
    journal.tell("a", Act::Fail);
    idle().await;
    journal.tell("b", Act::Ready);
    outcome(call).await.unwrap();
    assert_eq!((journal.count("+a"), journal.count("+c")), (2, 0));
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn that_it_was_ready_once_does_not_count_after_a_stop_and_a_start_by_hand() {
    let journal = Journal::new();
    begun_anew(&journal, async |app| {
        let a = app.service().get("a").unwrap();
        within(a.stop()).await.unwrap();
        idle().await;
        journal.take();
        a.request_start();
    })
    .await;
}
