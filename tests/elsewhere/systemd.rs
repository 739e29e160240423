//! Units of systemd.

use startstop_core::{
    Backoff, Group, Member, OnFailure, Readiness, RestartPolicy, Runner, Settings, Slot, State,
    once, service_fn,
};
use tokio::time::Instant;

use crate::support::groups::{Journal, built, stopped};
use crate::support::{Broken, SECOND, assert_took, idle, within};

/// A unit that requires one that fails at first is not started when `Restart=` brings that up: systemd 18856.
#[tokio::test(start_paused = true)]
async fn a_member_waits_for_a_dependency_that_fails_at_first_however_it_comes_back() {
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(5 * SECOND));
    for (policy, on_failure) in [
        (policy, OnFailure::StopGroup),
        (RestartPolicy::never(), OnFailure::RestartMember),
    ] {
        let journal = Journal::new();
        let begun = Instant::now();
        let db = service_fn(move |cx| async move {
            if begun.elapsed() < 10 * SECOND {
                return Err(Broken("not there yet"));
            }
            cx.ready();
            cx.cancelled().await;
            Ok(())
        });
        let settings = Settings::new()
            .readiness(Readiness::Explicit)
            .restart(policy);
        let db = Member::new(db).settings(settings).on_failure(on_failure);
        let app = Group::builder("app")
            .backoff(Backoff::constant(5 * SECOND))
            .with("db", db)
            .then("http", journal.probe("http"));
        let app = Runner::new(app.build().unwrap());
        app.request_start();
        idle().await;
        assert_eq!(app.state(), State::Starting);
        assert_eq!(journal.take(), [""; 0]);
        within(app.ensure_running()).await.unwrap();
        assert_took(begun, 10 * SECOND);
        assert_eq!(journal.take(), ["+http"]);
        stopped(&app).await;
    }
}

/// `Wants=` with `After=`, where the wanted one fails: it is not waited for.
#[tokio::test(start_paused = true)]
async fn a_member_takes_what_it_wants_if_it_is_there_and_starts_without_it() {
    let slot = Slot::<u32>::new();
    let wanted = slot.clone();
    let (tell, mut found) = tokio::sync::mpsc::unbounded_channel();
    let http = service_fn(move |cx| {
        let _ = tell.send(wanted.get());
        async move { cx.cancelled().await }
    });
    let cache = once(async |_cx| Err::<(), _>(Broken("no cache")));
    let app = built(
        Group::builder("app")
            .with("cache", Member::new(cache).on_failure(OnFailure::Ignore))
            .with("http", http),
    );
    within(app.start()).await.unwrap();
    assert_eq!(found.recv().await, Some(None));
    assert!(app.is_ready());
    stopped(&app).await;
}
