//! Whether a group is ready at this moment, and what it tells of that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use startstop_core::{
    Backoff, Context, EventKind, Events, Group, Member, OnFailure, Readiness, RestartPolicy,
    Runner, Settings, service_fn,
};

use crate::support::groups::{
    Act, Journal, begin, built, on, one, outcome, start, started, started_as_it_is, stopped,
};
use crate::support::{SECOND, idle};

/// The events of the group's own readiness.
fn told(events: &mut Events) -> Vec<String> {
    let own = std::iter::from_fn(|| events.try_next()).filter(|event| event.path() == "app");
    own.filter_map(|event| match event.kind() {
        EventKind::Ready { .. } => Some("ready".to_owned()),
        EventKind::NotReady(reason) => Some(format!("not ready: {reason}")),
        _ => None,
    })
    .collect()
}

/// Source: NOFireAI/ravel 1728, thepartly/pgroles 225.
#[tokio::test(start_paused = true)]
async fn a_group_is_not_ready_while_its_database_is_away() {
    let db = service_fn(async |cx: Context| {
        if cx.attempt() == 1 {
            cx.ready();
            tokio::time::sleep(SECOND).await;
        }
        Err::<(), _>("away")
    });
    let policy = RestartPolicy::on_failure()
        .backoff(Backoff::constant(5 * SECOND))
        .forever();
    let settings = Settings::new()
        .readiness(Readiness::Explicit)
        .restart(policy);
    let app = started(
        Group::builder("app")
            .with("db", Member::new(db).settings(settings))
            .then("http", service_fn(async |cx| cx.cancelled().await)),
    )
    .await;
    assert!(app.is_ready());
    tokio::time::sleep(30 * SECOND).await;
    assert!(app.is_running() && !app.is_ready(), "{}", app.status());
    assert_eq!(app.status().not_ready_reason(), Some("db"));
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn the_readiness_of_a_group_follows_what_a_member_says_of_itself() {
    let says = Arc::new(AtomicBool::new(true));
    let heard = Arc::clone(&says);
    let db = service_fn(move |cx: Context| {
        let heard = Arc::clone(&heard);
        async move {
            while !cx.is_cancelled() {
                if heard.load(Ordering::SeqCst) {
                    cx.ready();
                } else {
                    cx.not_ready("no leader");
                }
                drop(tokio::time::timeout(SECOND, cx.cancelled()).await);
            }
        }
    });
    let app = started(
        Group::builder("app")
            .with("db", db)
            .with("other", crate::support::groups::quiet()),
    )
    .await;
    let mut events = app.events();
    assert!(app.is_ready());
    says.store(false, Ordering::SeqCst);
    tokio::time::sleep(2 * SECOND).await;
    assert!(app.is_running() && !app.is_ready());
    says.store(true, Ordering::SeqCst);
    tokio::time::sleep(2 * SECOND).await;
    assert!(app.is_ready());
    assert_eq!(told(&mut events), ["not ready: db", "ready"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_by_the_group_takes_it_back_until_all_are_ready_again() {
    let journal = Journal::new();
    let app = started_as_it_is(
        Group::builder("app")
            .backoff(Backoff::constant(10 * SECOND))
            .with("a", on(OnFailure::RestartDependents, journal.probe("a")))
            .then("b", journal.probe("b").ready_in(3)),
    )
    .await;
    let mut events = app.events();
    journal.tell("a", Act::Fail);
    idle().await;
    assert!(!app.is_ready());
    assert_eq!(app.status().not_ready_reason(), Some("a, b"));
    tokio::time::sleep(12 * SECOND).await;
    assert_eq!(app.status().not_ready_reason(), Some("b"));
    tokio::time::sleep(2 * SECOND).await;
    assert!(app.is_ready());
    assert_eq!(
        told(&mut events),
        ["not ready: a, b", "ready"],
        "{}",
        app.status()
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn settled_members_do_not_count() {
    let journal = Journal::new();
    let app = started(
        Group::builder("app")
            .with("a", journal.probe("a"))
            .with("hand", journal.probe("hand").stops_in(3))
            .with("ignored", on(OnFailure::Ignore, journal.probe("ignored")))
            .with("job", journal.probe("job")),
    )
    .await;
    journal.tell("ignored", Act::Fail);
    journal.tell("job", Act::Complete);
    idle().await;
    assert!(app.is_ready(), "{}", app.status());
    let hand = app.service().get("hand").unwrap();
    let call = begin(async move { hand.stop().await }).await;
    assert!(!app.is_ready(), "it stops, and is not settled yet");
    outcome(call).await.unwrap();
    idle().await;
    assert!(app.is_ready());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_is_inserted_counts_once_it_has_been_ready() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let call = crate::support::groups::insert(&app, "b", journal.probe("b").explicit()).await;
    assert!(app.is_ready(), "it is on its way");
    journal.tell("b", Act::Ready);
    outcome(call).await.unwrap();
    assert!(app.is_ready());
    app.service().get("b").unwrap().request_restart();
    idle().await;
    assert!(!app.is_ready(), "it counts now");
    stopped(&app).await;
}

/// A start resolves when all have been ready once, though one is not any more.
#[tokio::test(start_paused = true)]
async fn a_start_is_answered_where_one_that_was_ready_is_down_again() {
    let journal = Journal::new();
    let slow = RestartPolicy::on_failure().backoff(Backoff::constant(60 * SECOND));
    let a = journal.probe("a").settings(Settings::new().restart(slow));
    let app = built(
        Group::builder("app")
            .with("a", a)
            .with("b", journal.probe("b").ready_in(5)),
    );
    let mut events = app.events();
    let call = start(&app).await;
    journal.tell("a", Act::Fail);
    outcome(call).await.unwrap();
    assert!(app.is_running() && !app.is_ready());
    tokio::time::sleep(60 * SECOND).await;
    assert!(app.is_ready());
    assert_eq!(told(&mut events), ["not ready: a", "ready"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_in_a_group_hands_it_on() {
    let journal = Journal::new();
    let slow = RestartPolicy::on_failure().backoff(Backoff::constant(5 * SECOND));
    let db = journal.probe("db").settings(Settings::new().restart(slow));
    let inner = Group::builder("inner").with("db", db).build().unwrap();
    let app = started(Group::builder("app").with("inner", inner)).await;
    journal.tell("db", Act::Fail);
    idle().await;
    assert!(!app.is_ready());
    assert_eq!(app.status().not_ready_reason(), Some("inner"));
    tokio::time::sleep(6 * SECOND).await;
    assert!(app.is_ready());
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn of_many_that_are_not_ready_some_are_named_and_the_others_counted() {
    let (tell, told) = tokio::sync::watch::channel(0);
    let wavers = |i: usize| {
        let told = told.clone();
        service_fn(move |cx: Context| {
            let mut told = told.clone();
            async move {
                cx.ready();
                let _ = told.wait_for(|count| i < *count).await;
                cx.not_ready("tired");
                cx.cancelled().await;
            }
        })
    };
    let builder = (0..19).fold(Group::builder("app"), |builder, i| {
        builder.with(format!("m{i}"), wavers(i))
    });
    let app = started(builder).await;
    for (count, end) in [(16, ", m14, m15"), (19, ", m15 and 3 more")] {
        tell.send(count).unwrap();
        idle().await;
        let status = app.status();
        let reason = status.not_ready_reason().expect("they are tired");
        assert!(reason.starts_with("m0, m1, "), "{reason}");
        assert!(reason.ends_with(end), "{reason}");
    }
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn of_many_that_start_some_are_named_and_the_others_counted() {
    let builder = (0..19).fold(Group::builder("app"), |builder, i| {
        let starts = service_fn(async |cx: Context| cx.cancelled().await);
        let explicit = Settings::new().readiness(Readiness::Explicit);
        builder.with(format!("m{i}"), Member::new(starts).settings(explicit))
    });
    let app = Runner::new(builder.build().unwrap());
    app.request_start();
    idle().await;
    let status = app.status();
    let reason = status.not_ready_reason().expect("they start");
    assert!(reason.starts_with("m0, m1, "), "{reason}");
    assert!(reason.ends_with(", m15 and 3 more"), "{reason}");
    stopped(&app).await;
}
