//! Groups that are dropped: their members are as well, whatever one of them does.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use startstop_core::{
    Context, Group, GroupBuilder, GroupError, PanicError, Readiness, Runner, Service, Settings,
    service_fn, service_fn_with,
};

use crate::support::groups::{Journal, find, one, started, stopped};
use crate::support::{idle, within};

/// A value that a member holds as long as it is there.
type Held = Arc<()>;

fn holding(held: &Held) -> impl Service {
    service_fn_with(Arc::clone(held), async |_held, cx| cx.cancelled().await)
}

fn builder(held: &Held) -> GroupBuilder {
    let inner = Group::builder("inner")
        .with("below", holding(held))
        .build()
        .unwrap();
    Group::builder("app")
        .with("a", holding(held))
        .with("inner", inner)
        .with("b", holding(held))
}

#[test]
fn groups_are_dropped_one_after_the_other() {
    let held = Held::default();
    for _ in 0..3 {
        let group = builder(&held).build().unwrap();
        assert_eq!(Arc::strong_count(&held), 4);
        drop(group);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        resume_unwind(Box::new("dropped"));
    }
}

fn explosive() -> impl Service {
    let bomb = Bomb;
    service_fn(move |_: Context| {
        let _ = &bomb;
        async {}
    })
}

#[test]
fn a_member_that_panics_when_it_is_dropped_keeps_no_other() {
    for _ in 0..2 {
        let held = Held::default();
        let first = Group::builder("first")
            .with("bomb", explosive())
            .then("a", holding(&held));
        let last = builder(&held).with("bomb", explosive());
        for group in [first, last] {
            let group = group.build().unwrap();
            let dropped = catch_unwind(AssertUnwindSafe(|| drop(group)));
            assert_eq!(dropped.unwrap_err().downcast_ref(), Some(&"dropped"));
        }
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

thread_local! {
    static FIRST: RefCell<Option<Group>> = const { RefCell::new(None) };
    static LAST: RefCell<Option<Group>> = const { RefCell::new(None) };
}

/// Two, for what else a thread keeps ends between them, in whatever order that is.
#[test]
fn groups_that_a_thread_keeps_are_dropped_with_it() {
    let held = Held::default();
    let kept = Arc::clone(&held);
    let thread = thread::spawn(move || {
        let group = || builder(&kept).build().ok();
        FIRST.set(group());
        drop(group());
        LAST.set(group());
    });
    thread.join().expect("it ends well");
    assert_eq!(Arc::strong_count(&held), 1);
}

/// The panic of the bomb is on record, and the group goes on.
async fn survives(app: &Runner<Group>) {
    idle().await;
    assert!(app.is_running());
    assert_eq!(app.service().members(), ["a"]);
    let failure = app.errors_last().expect("the panic is recorded");
    assert_eq!(
        find::<PanicError>(&failure).map(PanicError::message),
        Some("dropped")
    );
    stopped(app).await;
}

#[tokio::test(start_paused = true)]
async fn the_group_goes_on_when_a_removed_member_panics_in_its_drop() {
    let journal = Journal::new();
    let builder = Group::builder("app").with("a", journal.probe("a"));
    let app = started(builder.with("x", explosive())).await;
    idle().await;
    within(app.service().remove("x")).await.unwrap();
    survives(&app).await;
}

#[tokio::test(start_paused = true)]
async fn the_group_goes_on_when_a_member_that_did_not_start_panics_in_its_drop() {
    let journal = Journal::new();
    let app = one(&journal).await;
    let broken = service_fn_with(Bomb, async |_bomb, _cx| Err::<(), &str>("broken"));
    let late = Settings::new().readiness(Readiness::Completion);
    let error = within(
        app.service()
            .insert("x", Runner::with_settings(broken, late)),
    )
    .await;
    assert!(matches!(error, Err(GroupError::Start(_))), "{error:?}");
    survives(&app).await;
}
