//! Groups that are dropped: their members are as well, whatever one of them does.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use startstop_core::{Context, Group, GroupBuilder, Service, service_fn, service_fn_with};

/// What a member holds as long as it is there.
type Held = Arc<()>;

fn holding(held: &Held) -> impl Service {
    service_fn_with(Arc::clone(held), async |_held, cx| cx.cancelled().await)
}

fn builder(held: &Held) -> GroupBuilder {
    let inner = Group::builder("inner").with("below", holding(held)).build().unwrap();
    Group::builder("app").with("a", holding(held)).with("inner", inner).with("b", holding(held))
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
        let first = Group::builder("first").with("bomb", explosive()).then("a", holding(&held));
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
