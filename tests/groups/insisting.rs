//! Members that ask for another cycle whenever they are told to end.

use std::sync::{Arc, OnceLock};

use startstop_core::{Context, Group, Member, OnFailure, Service, StartStop, State, service_fn};

use crate::support::groups::{Act, Journal, on, started, stopped};
use crate::support::{idle, within};

/// A service that asks for another cycle whenever it is told to end, by its context or by its handle.
fn insists(by_handle: Arc<OnceLock<Arc<dyn StartStop>>>) -> impl Service {
    service_fn(move |cx: Context| {
        let handle = by_handle.get().cloned();
        async move {
            cx.cancelled().await;
            let Some(handle) = handle else {
                return cx.request_restart();
            };
            drop(handle.start().await);
        }
    })
}

/// Else neither would ever be over.
#[tokio::test(start_paused = true)]
async fn a_member_that_insists_on_another_cycle_has_none_in_a_stop_or_a_removal() {
    for by_handle in [false, true] {
        let handle = Arc::new(OnceLock::new());
        let journal = Journal::new();
        let builder = Group::builder("app").with("b", journal.probe("b"));
        let app = started(builder.with("a", insists(Arc::clone(&handle)))).await;
        let a = app.service().get("a").unwrap();
        if by_handle {
            drop(handle.set(Arc::clone(&a)));
            // From its next cycle on it knows its handle.
            within(a.restart()).await.unwrap();
            idle().await;
        }
        let cycles = a.status().cycles();
        let stop = within(app.stop()).await;
        // It waits for itself, and so it is late.
        assert_eq!(stop.is_err(), by_handle, "{stop:?}");
        assert_eq!((app.state(), a.status().cycles()), (State::Stopped, cycles));

        within(app.start()).await.unwrap();
        idle().await;
        let removed = within(app.service().remove("a")).await;
        assert_eq!(removed.is_err(), by_handle, "{removed:?}");
        assert_eq!(
            (a.state(), a.status().cycles()),
            (State::Stopped, cycles + 1)
        );
        stopped(&app).await;
    }
}

/// The group took it down again for ever, and never came to the end of its restart.
#[tokio::test(start_paused = true)]
async fn a_member_that_insists_on_another_cycle_waits_for_the_restart_that_takes_it_down() {
    let insists = || insists(Arc::default());
    let journal = Journal::new();
    let fails = on(OnFailure::RestartAll, journal.probe("a"));
    let builder = Group::builder("app").with("a", fails);
    let builder = builder.with("b", insists());
    let bound = Member::new(insists()).bound_to(["a"]);
    let app = started(builder.with("c", bound)).await;
    let cycles = |name| app.service().get(name).unwrap().status().cycles();
    journal.tell("a", Act::Fail);
    within(app.service().get("c").unwrap().wait()).await;
    within(app.service().get("c").unwrap().wait_for(State::Running)).await;
    idle().await;
    assert_eq!((cycles("b"), cycles("c")), (2, 2));

    within(app.service().get("a").unwrap().restart())
        .await
        .unwrap();
    idle().await;
    assert_eq!((cycles("b"), cycles("c")), (2, 3));
    stopped(&app).await;
}

/// A start by its handle takes it out of the restart, or of what it is bound to, though the stop that it answers is none it has seen
/// the end of: the group told it again for ever.
#[tokio::test(start_paused = true)]
async fn a_member_that_starts_itself_by_its_handle_whenever_it_is_told_to_end_is_taken_out() {
    for on_failure in [OnFailure::RestartDependents, OnFailure::RestartAll] {
        let journal = Journal::new();
        let handle: Arc<OnceLock<Arc<dyn StartStop>>> = Arc::default();
        let own = Arc::clone(&handle);
        let starts_itself = service_fn(async |cx| cx.cancelled().await).on_shutdown(move |_| {
            own.get().unwrap().request_start();
            std::future::ready(())
        });
        let member = Member::new(starts_itself).bound_to(["a"]);
        let fails = on(on_failure, journal.probe("a"));
        let builder = Group::builder("app").with("a", fails).with("b", member);
        let app = started(builder.then("c", journal.probe("c"))).await;
        let b = app.service().get("b").unwrap();
        assert!(handle.set(Arc::clone(&b)).is_ok());
        journal.take();
        journal.tell("a", Act::Fail);
        journal.until("+c").await;
        assert_eq!(journal.moves(), ["-a", "-c", "+a", "+c"]);
        assert_eq!((b.status().cycles(), b.state()), (2, State::Running));

        within(app.service().get("a").unwrap().restart())
            .await
            .unwrap();
        idle().await;
        assert_eq!((b.status().cycles(), b.state()), (3, State::Running));
        stopped(&app).await;
        assert_eq!(b.status().cycles(), 3);
    }
}
