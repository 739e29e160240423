//! Runners that are attached again, and those that many tasks attach and detach at once.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use startstop_core::{BoxError, Context, EventKind, Events, Runner, once, service_fn};
use tokio::sync::Barrier;

use crate::support::within;

/// Takes the lines of those below `app`.
fn told(events: &mut Events) -> Vec<String> {
    let all = std::iter::from_fn(|| events.try_next());
    let below = all.filter(|event| event.path() != "app");
    below.map(|event| event.to_string()).collect()
}

fn stopped() -> Runner<impl startstop_core::Service + use<>> {
    Runner::new(once(async |_cx| ()))
}

#[tokio::test(start_paused = true)]
async fn one_that_is_attached_again_under_another_name_goes_under_that() {
    let app = once(async |cx: Context| {
        let part = stopped();
        for name in ["one", "other", "one"] {
            cx.attach(name, &part)?;
            assert!(cx.detach(&part), "it does not run");
            assert!(!cx.detach(&part), "it is no part any more");
        }
        cx.attach("last", &part)?;
        Ok::<(), BoxError>(())
    });
    let settings = startstop_core::Settings::new().name("app");
    let app = Runner::with_settings(app, settings);
    let mut events = app.events();
    within(app.start()).await.unwrap();
    let expected = ["one", "other", "one", "last"]
        .map(|name| ["inserted", "removed"].map(|what| format!("app/{name} {what}")));
    assert_eq!(told(&mut events), expected.concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_tasks_that_take_a_name_at_once_one_has_it() {
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&taken);
    let app = Runner::new(service_fn(move |cx: Context| {
        let (barrier, counted) = (Arc::new(Barrier::new(4)), Arc::clone(&counted));
        async move {
            // One for all, under names of their own, and one each under the same name.
            let shared = stopped();
            for at in 0..4 {
                let (cx, shared) = (cx.clone(), shared.clone());
                let (barrier, counted) = (Arc::clone(&barrier), Arc::clone(&counted));
                cx.clone().spawn(async move {
                    let own = stopped();
                    barrier.wait().await;
                    let names = [
                        cx.attach("same", &own),
                        cx.attach(format!("shared{at}"), &shared),
                    ];
                    let won = names.iter().filter(|result| result.is_ok()).count();
                    counted.fetch_add(won, Ordering::SeqCst);
                });
            }
            cx.join_tasks().await;
            cx.ready();
            cx.cancelled().await;
        }
    }));
    for round in 1..=200 {
        within(app.start()).await.unwrap();
        while app.status().children().len() < 2 || taken.load(Ordering::SeqCst) < 2 * round {
            tokio::task::yield_now().await;
        }
        within(app.stop()).await.unwrap();
        assert_eq!(taken.load(Ordering::SeqCst), 2 * round);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_comes_and_goes_in_many_tasks_is_told_in_order() {
    let app = Runner::new(once(async |cx: Context| {
        let parts = [stopped(), stopped()];
        for at in 0..4_usize {
            let (cx, parts) = (cx.clone(), parts.clone());
            cx.clone().spawn(async move {
                for round in 0..200 {
                    let part = &parts[(at + round) % 2];
                    let _ = cx.attach(format!("s{}", round % 3), part);
                    if round % 5 == 0 {
                        part.request_start();
                    }
                    tokio::task::yield_now().await;
                    cx.detach(part);
                }
            });
        }
    }));
    let mut events = app.events_with_capacity(1_000_000);
    within(app.start()).await.unwrap();
    let mut there = HashSet::new();
    while let Some(event) = events.try_next() {
        let path = event.path().to_owned();
        match event.kind() {
            _ if !path.contains('/') => {}
            EventKind::Inserted => assert!(there.insert(path), "{event} twice"),
            EventKind::Removed => assert!(there.remove(&path), "{event} without"),
            _ => assert!(there.contains(&path), "{event} of none that is there"),
        }
    }
    assert!(there.is_empty(), "{there:?}");
}
