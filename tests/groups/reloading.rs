//! Reload requests to a group while members do not run: whether anybody in it supports them is not known then.

use std::time::Duration;

use startstop_core::{
    Backoff, Context, Group, Member, OnFailure, ReloadError, RestartPolicy, Runner, Service,
    Settings, State, once, service_fn,
};

use crate::support::groups::{built, built_as_it_is, quiet, stopped};
use crate::support::{idle, within};

const PAUSE: Duration = Duration::from_secs(1);

/// Fails when it is told to reload for the first time, and takes all later requests.
fn failing() -> impl Service {
    service_fn(async |cx: Context| {
        while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
            if (cx.cycle(), cx.attempt()) == (1, 1) {
                return Err("the new configuration is wrong");
            }
            reload.done();
        }
        Ok(())
    })
}

fn restarting() -> Runner<impl Service> {
    let policy = RestartPolicy::always().backoff(Backoff::constant(PAUSE));
    Runner::with_settings(failing(), Settings::new().restart(policy))
}

async fn is_stopped(app: &Runner<Group>) {
    let answer = within(app.reload()).await;
    assert!(matches!(answer, Err(ReloadError::Stopped)), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn a_member_that_fails_before_it_answers_and_one_in_backoff_are_not_without_support() {
    let member = restarting();
    let app = built(
        Group::builder("app")
            .with("deaf", quiet())
            .with("web", member.clone()),
    );
    within(app.start()).await.unwrap();
    is_stopped(&app).await;
    assert_eq!(member.state(), State::Backoff);
    is_stopped(&app).await;

    tokio::time::sleep(PAUSE).await;
    idle().await;
    within(app.reload()).await.unwrap();
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn it_is_the_same_in_a_group_in_a_group() {
    let inner = Group::builder("inner").with("web", restarting());
    let app = built(
        Group::builder("app")
            .with("deaf", quiet())
            .with("inner", inner.build().unwrap()),
    );
    within(app.start()).await.unwrap();
    is_stopped(&app).await;
    is_stopped(&app).await;
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_group_that_waits_to_restart_its_members_is_not_without_support() {
    let web = Member::new(failing()).on_failure(OnFailure::RestartAll);
    let app = built_as_it_is(
        Group::builder("app")
            .with("deaf", quiet())
            .with("web", web)
            .backoff(Backoff::constant(PAUSE)),
    );
    within(app.start()).await.unwrap();
    is_stopped(&app).await;
    idle().await;
    assert!(app.is_running() && !app.is_ready());
    is_stopped(&app).await;

    tokio::time::sleep(PAUSE).await;
    idle().await;
    within(app.reload()).await.unwrap();
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn members_that_have_ended_support_nothing() {
    let web = restarting();
    let app = built(
        Group::builder("app")
            .with("deaf", quiet())
            .with("job", once(async |_cx| ()))
            .with("web", web.clone()),
    );
    within(app.start()).await.unwrap();
    within(web.stop()).await.unwrap();
    idle().await;
    let answer = within(app.reload()).await;
    assert!(
        matches!(answer, Err(ReloadError::NotSupported)),
        "{answer:?}"
    );
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn what_others_have_done_is_the_answer() {
    let takes = service_fn(async |cx: Context| {
        while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
            reload.done();
        }
    });
    let app = built(
        Group::builder("app")
            .with("web", restarting())
            .with("takes", takes),
    );
    within(app.start()).await.unwrap();
    for _ in 0..2 {
        within(app.reload()).await.unwrap();
    }
    stopped(&app).await;
}
