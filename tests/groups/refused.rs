//! Members whose start is refused at once.

use startstop_core::{Group, Member, OnFailure, Runner};
use tokio_util::sync::CancellationToken;

use crate::support::groups::{Journal, built, stopped};
use crate::support::{SECOND, within};

#[tokio::test(start_paused = true)]
async fn the_runtime_has_its_turn_between_two_tries() {
    let journal = Journal::new();
    let token = CancellationToken::new();
    let orphan = Runner::new(journal.probe("orphan"));
    within(orphan.start_with(&token)).await.unwrap();
    token.cancel();
    within(orphan.wait()).await;
    let member = Member::new(orphan.clone()).on_failure(OnFailure::RestartMember);
    let app = built(
        Group::builder("app")
            .limit(5_000, SECOND)
            .with("orphan", member),
    );
    app.request_start();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let history = orphan.history();
    let tries = history.evicted() + history.entries().len() as u64;
    assert!((2..1_000).contains(&tries), "{tries}");
    stopped(&app).await;
}
