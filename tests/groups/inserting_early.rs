//! `insert` into a group that has been told to start and has not come to its members yet.

use std::pin::pin;

use startstop_core::{Group, GroupError, Member, Runner, StartError, State};

use crate::support::groups::{Act, Journal, built, find, quiet, stopped};
use crate::support::{idle, poll_once, within};

/// A start has been asked for, and nobody has done anything about it.
fn asked(journal: &Journal) -> Runner<Group> {
    let app = built(Group::builder("app").with("a", journal.probe("a").ready_in(3)));
    app.request_start();
    assert_eq!(app.state(), State::Starting);
    app
}

#[tokio::test(start_paused = true)]
async fn it_resolves_when_the_member_is_ready() {
    let journal = Journal::new();
    let app = asked(&journal);
    let x = Member::new(journal.probe("x").ready_in(5)).after(["a"]);
    within(app.service().insert("x", x)).await.unwrap();
    assert!(app.service().get("x").unwrap().is_ready() && app.is_ready());
    assert_eq!(journal.take(), ["+a", "+x"]);
    stopped(&app).await;
}

#[tokio::test]
async fn so_it_does_on_a_runtime_of_one_thread_and_on_one_of_many() {
    for _ in 0..100 {
        let app = Runner::new(Group::builder("app").build().unwrap());
        app.request_start();
        app.service().insert("x", quiet()).await.unwrap();
        assert!(app.service().get("x").unwrap().is_running());
        app.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn if_it_fails_to_start_it_is_taken_off_and_the_group_goes_on() {
    let journal = Journal::new();
    let app = asked(&journal);
    let x = journal.probe("x").job().always(Act::Fail);
    let error = within(app.service().insert("x", x)).await.unwrap_err();
    assert!(
        matches!(error, GroupError::Start(StartError::Failed(_))),
        "{error:?}"
    );
    within(app.wait_for(State::Running)).await;
    assert_eq!(app.service().members(), ["a"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_before_the_start_has_begun_cancels_it() {
    let journal = Journal::new();
    let app = asked(&journal);
    let group = app.service().clone();
    let insertion = group.insert("x", journal.probe("x"));
    let stop = async {
        app.request_stop();
        app.wait_for(State::Stopped).await;
    };
    let (error, ()) = within(async { tokio::join!(biased; insertion, stop) }).await;
    assert!(matches!(error, Err(GroupError::Stopping)), "{error:?}");
    assert_eq!((group.members(), journal.live()), (vec!["a".into()], 0));
    within(app.start()).await.unwrap();
    assert_eq!(journal.take(), ["+a"]);
    stopped(&app).await;
}

#[tokio::test(start_paused = true)]
async fn one_that_is_not_awaited_goes_on_and_a_stop_takes_it_off() {
    let journal = Journal::new();
    for stops in [false, true] {
        let app = asked(&journal);
        {
            let mut insertion = pin!(app.service().insert("x", journal.probe("x")));
            let answer = poll_once(insertion.as_mut()).await;
            assert!(answer.is_none(), "it waits for the start");
        }
        if stops {
            stopped(&app).await;
            assert_eq!(app.service().members(), ["a"]);
        } else {
            within(app.wait_for(State::Running)).await;
            idle().await;
            assert!(app.service().get("x").unwrap().is_running());
            stopped(&app).await;
            assert_eq!(app.service().members(), ["a", "x"]);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_removed_before_the_start_has_begun_does_not_start() {
    let journal = Journal::new();
    let app = asked(&journal);
    let group = app.service().clone();
    let insertion = group.insert("x", journal.probe("x"));
    let (error, removed) =
        within(async { tokio::join!(biased; insertion, group.remove("x")) }).await;
    removed.unwrap();
    assert!(find::<StartError>(&error.unwrap_err()).is_some());
    within(app.wait_for(State::Running)).await;
    assert_eq!(journal.count("+x"), 0);
    stopped(&app).await;
}

#[test]
fn a_runtime_that_ends_before_the_start_has_begun_cancels_it() {
    let journal = Journal::new();
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let app = {
        let _entered = runtime.enter();
        asked(&journal)
    };
    let group = app.service().clone();
    let mut insertion = pin!(group.insert("x", journal.probe("x")));
    let mut task = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(insertion.as_mut().poll(&mut task).is_pending());
    drop(runtime);
    let std::task::Poll::Ready(Err(GroupError::Stopping)) = insertion.poll(&mut task) else {
        panic!("it waits for a start that never comes")
    };
    assert_eq!(group.members(), ["a"]);
}
