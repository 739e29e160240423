//! No lock is held where code of the user runs, wakers and destructors: it may ask anything of the group that it hears of.

use std::error::Error;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Poll, Wake, Waker};

use startstop_core::{
    Context, Group, GroupError, Runner, Service, Settings, StartError, service_fn,
};

use crate::support::{idle, one_thread, watched, within};

/// Asks the group for its members when it is woken.
struct AsksFor(Group);

impl Wake for AsksFor {
    fn wake(self: Arc<Self>) {
        drop(self.0.members());
    }
}

fn asking(group: &Group) -> Waker {
    Arc::new(AsksFor(group.clone())).into()
}

fn quiet() -> impl Service {
    service_fn(async |cx| cx.cancelled().await)
}

fn empty() -> (Group, Runner<Group>) {
    let group = Group::builder("app").build().expect("no members");
    (group.clone(), Runner::new(group))
}

#[test]
fn a_reader_of_the_events_of_a_group_is_woken_by_an_insertion_without_its_lock() {
    watched(|| {
        let (group, app) = empty();
        let mut events = app.events();
        let mut next = pin!(events.next());
        let waker = asking(&group);
        assert!(
            next.as_mut()
                .poll(&mut Task::from_waker(&waker))
                .is_pending()
        );
        let inserted = pin!(group.insert("a", quiet())).poll(&mut Task::from_waker(Waker::noop()));
        assert!(matches!(inserted, Poll::Ready(Ok(()))));
    });
}

#[test]
fn who_inserts_into_a_group_that_has_not_begun_is_told_of_the_removal_without_its_lock() {
    watched(|| {
        let runtime = one_thread();
        let _inside = runtime.enter();
        let (group, app) = empty();
        app.request_start();
        let waker = asking(&group);
        let mut inserted = pin!(group.insert("a", quiet()));
        assert!(
            inserted
                .as_mut()
                .poll(&mut Task::from_waker(&waker))
                .is_pending()
        );
        let removed = pin!(group.remove("a")).poll(&mut Task::from_waker(Waker::noop()));
        assert!(matches!(removed, Poll::Ready(Ok(()))));
        let Poll::Ready(inserted) = inserted.poll(&mut Task::from_waker(Waker::noop())) else {
            panic!("it is answered");
        };
        assert!(matches!(
            inserted,
            Err(GroupError::Start(StartError::Stopped))
        ));
    });
}

/// An error that asks for the status of a runner when it is dropped.
struct Asks(Arc<Mutex<Option<Runner<Group>>>>);

impl fmt::Debug for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asks")
    }
}

impl fmt::Display for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("asks")
    }
}

impl Error for Asks {}

impl Drop for Asks {
    fn drop(&mut self) {
        let app = self.0.lock().expect("nothing panics").take();
        if let Some(app) = app {
            drop(app.status());
        }
    }
}

/// The member has no failure of its own any more when the group hears of it, and nobody waits for the answer of the group.
#[test]
fn the_failure_of_a_reload_that_nobody_keeps_is_dropped_without_a_lock() {
    watched(|| {
        let asked = Arc::new(Mutex::new(None));
        let asks = Arc::clone(&asked);
        let member = service_fn(move |cx: Context| {
            let asks = Arc::clone(&asks);
            async move {
                if cx.cycle() == 1 {
                    cx.reloaded().await.failed(Asks(asks));
                    cx.request_restart();
                } else {
                    cx.cancelled().await;
                }
            }
        });
        let member = Runner::with_settings(member, Settings::new().history_capacity(0));
        let group = Group::builder("app").with("a", member.clone());
        let app = Runner::new(group.build().expect("one member"));
        *asked.lock().expect("nothing panics") = Some(app.clone());
        one_thread().block_on(within(async {
            app.start().await.expect("it starts");
            app.request_reload();
            idle().await;
            assert!(
                asked.lock().expect("nothing panics").is_none(),
                "it was dropped"
            );
            assert_eq!(member.status().cycles(), 2);
            app.stop().await.expect("it stops");
        }));
    });
}
