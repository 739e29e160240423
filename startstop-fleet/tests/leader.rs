//! A leader on a store in memory: who leads, when it is told, what is released when.

mod ends;
mod handles;
mod restarts;
mod shown;
mod unresponsive;

use std::time::Duration;

use startstop_core::{Context, Exit, Runner, Settings, service_fn};
use startstop_fleet::{Leader, LeaseLost, LeaseStore, Memory, OnOverrun, StopCause, Term, Timing};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::support::{Cable, ROOMY};

/// The word of a led service.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Began(&'static str, u64),
    Ended(&'static str, u64),
}

use Said::{Began, Ended};

type Stage = mpsc::UnboundedReceiver<Said>;

/// A replica whose service says when it begins and ends, and takes `winding` to end.
fn replica<L: LeaseStore>(
    who: &'static str,
    store: L,
    say: &mpsc::UnboundedSender<Said>,
    winding: Duration,
) -> Runner<impl startstop_core::Service + use<L>> {
    Runner::new(leader(who, store, say, winding))
}

fn leader<L: LeaseStore>(
    who: &'static str,
    store: L,
    say: &mpsc::UnboundedSender<Said>,
    winding: Duration,
) -> Leader<impl startstop_core::Service + use<L>, L> {
    let say = say.clone();
    let make = move |term: Term| {
        let say = say.clone();
        service_fn(move |cx: Context| {
            let (say, term) = (say.clone(), term.clone());
            async move {
                say.send(Began(who, term.fence())).ok();
                cx.cancelled().await;
                tokio::time::sleep(winding).await;
                say.send(Ended(who, term.fence())).ok();
            }
        })
    };
    let settings = Settings::new()
        .stop_timeout(Duration::from_secs(4))
        .abort_timeout(Duration::from_secs(1));
    Leader::new("invoices", store, make)
        .timing(ROOMY)
        .settings(settings)
}

async fn said(stage: &mut Stage) -> Said {
    timeout(Duration::from_secs(60), stage.recv())
        .await
        .expect("in a minute")
        .expect("somebody")
}

/// `a` leads until it is stopped, and then `b`.
async fn hands_over(
    a: &Runner<impl startstop_core::Service>,
    b: &Runner<impl startstop_core::Service>,
    stage: &mut Stage,
) {
    a.start().await.unwrap();
    assert_eq!(said(stage).await, Began("a", 1));
    b.start().await.unwrap();
    a.stop().await.unwrap();
    assert_eq!(said(stage).await, Ended("a", 1));
    assert_eq!(said(stage).await, Began("b", 2));
}

#[tokio::test]
async fn one_leads_and_the_next_one_takes_over_when_it_has_ended() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let a = replica("a", store.clone(), &say, Duration::from_millis(100));
    let b = replica("b", store, &say, Duration::ZERO);
    hands_over(&a, &b, &mut stage).await;
    b.stop().await.unwrap();
    assert_eq!(b.wait().await, Exit::Stopped);
}

#[tokio::test]
async fn a_clean_stop_hands_over_long_before_the_lease_is_over() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let timing = Timing {
        lease: Duration::from_secs(3600),
        ..ROOMY
    };
    let a = Runner::new(leader("a", store.clone(), &say, Duration::ZERO).timing(timing));
    let b = Runner::new(leader("b", store, &say, Duration::ZERO).timing(timing));
    hands_over(&a, &b, &mut stage).await;
    b.stop().await.unwrap();
}

#[tokio::test]
async fn a_leader_that_is_cut_off_has_ended_before_another_begins() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let cable = Cable::new(&store);
    let a = replica("a", cable.clone(), &say, Duration::from_millis(300));
    let b = replica("b", store, &say, Duration::ZERO);
    a.start().await.unwrap();
    assert_eq!(said(&mut stage).await, Began("a", 1));
    b.start().await.unwrap();
    cable.cut();
    assert_eq!(said(&mut stage).await, Ended("a", 1));
    assert_eq!(said(&mut stage).await, Began("b", 2));
    cable.mend();
    let lost = a
        .history()
        .entries()
        .iter()
        .find_map(|failure| lost(failure.error()));
    assert_eq!(lost.map(|lost| lost.cause), Some(StopCause::OutOfTouch));
    b.stop().await.unwrap();
    assert_eq!(said(&mut stage).await, Ended("b", 2));
    assert_eq!(said(&mut stage).await, Began("a", 3)); // it has followed again
    a.stop().await.unwrap();
}

#[tokio::test]
async fn a_service_that_does_not_stop_for_a_lost_lease_is_dropped_before_the_term_is_over() {
    struct Dropped(Term, mpsc::UnboundedSender<Duration>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.1.send(self.0.left()).ok();
        }
    }
    let (cable, (say, mut dropped)) = (Cable::new(&Memory::new()), mpsc::unbounded_channel());
    let make = move |term: Term| {
        let say = say.clone();
        service_fn(move |_: Context| {
            let guard = Dropped(term.clone(), say.clone());
            async move {
                std::future::pending::<()>().await;
                drop(guard);
            }
        })
    };
    let settings = Settings::new()
        .stop_timeout(Duration::from_millis(500))
        .abort_timeout(Duration::from_secs(1));
    let deaf = Leader::new("invoices", cable.clone(), make)
        .timing(ROOMY)
        .settings(settings)
        .ready_when_leading()
        .on_overrun(OnOverrun::Report);
    let runner = Runner::new(deaf);
    runner.start().await.unwrap();
    cable.cut();
    let left = timeout(Duration::from_secs(60), dropped.recv()).await;
    let left = left.expect("in a minute").expect("it was dropped");
    assert!(left > Duration::from_secs(1), "{left:?}");
    runner.stop().await.unwrap();
}

fn lost(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Option<LeaseLost> {
    error.downcast_ref().cloned()
}

#[tokio::test]
async fn lost_answers_of_renewals_are_no_loss() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let cable = Cable::new(&store);
    let a = replica("a", cable.clone(), &say, Duration::ZERO);
    a.start().await.unwrap();
    assert_eq!(said(&mut stage).await, Began("a", 1));
    for _ in 0..3 {
        let before = store.read("invoices").await.unwrap();
        cable.lose_answers(1);
        // The first renewal does not know of it, the second does.
        for _ in 0..2 {
            let seen = store.read("invoices").await.unwrap();
            store.changed("invoices", seen.version()).await.unwrap();
        }
        assert_ne!(
            store.read("invoices").await.unwrap().version(),
            before.version()
        );
    }
    assert_eq!(
        a.history()
            .entries()
            .iter()
            .filter_map(|failure| lost(failure.error()))
            .count(),
        0
    );
    a.stop().await.unwrap();
    assert_eq!(said(&mut stage).await, Ended("a", 1));
    assert!(store.read("invoices").await.unwrap().is_free());
}

#[tokio::test]
async fn a_record_that_is_deleted_by_hand_ends_the_term_and_the_fence_grows() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let a = Runner::new(leader("a", store.clone(), &say, Duration::ZERO));
    a.start().await.unwrap();
    assert_eq!(said(&mut stage).await, Began("a", 1));
    store.delete("invoices");
    assert_eq!(said(&mut stage).await, Ended("a", 1));
    assert_eq!(said(&mut stage).await, Began("a", 2));
    let lost = a
        .history()
        .entries()
        .iter()
        .find_map(|failure| lost(failure.error()));
    assert_eq!(lost.map(|lost| lost.cause), Some(StopCause::Taken));
    a.stop().await.unwrap();
}

#[tokio::test]
async fn a_leader_that_resigns_hands_over_and_leads_again_later() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let a = Runner::new(leader("a", store.clone(), &say, Duration::ZERO));
    let b = Runner::new(leader("b", store, &say, Duration::ZERO));
    a.start().await.unwrap();
    assert_eq!(said(&mut stage).await, Began("a", 1));
    b.start().await.unwrap();
    a.service().resign();
    assert_eq!(said(&mut stage).await, Ended("a", 1));
    assert_eq!(said(&mut stage).await, Began("b", 2));
    assert!(b.service().is_leading() && !a.service().is_leading());
    b.service().resign();
    assert_eq!(said(&mut stage).await, Ended("b", 2));
    assert_eq!(said(&mut stage).await, Began("a", 3));
    a.stop().await.unwrap();
    b.stop().await.unwrap();
}

#[tokio::test]
async fn a_follower_is_ready_unless_it_wishes_otherwise() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let a = Runner::new(leader("a", store.clone(), &say, Duration::ZERO).ready_when_leading());
    a.start().await.unwrap();
    assert_eq!(said(&mut stage).await, Began("a", 1));
    let b = Runner::new(leader("b", store.clone(), &say, Duration::ZERO));
    b.start().await.unwrap();
    assert!(b.is_ready() && !b.service().is_leading());
    b.stop().await.unwrap();

    let c = Runner::new(leader("c", store, &say, Duration::ZERO).ready_when_leading());
    c.request_start();
    assert!(!c.is_ready());
    a.stop().await.unwrap();
    c.ensure_running().await.unwrap();
    assert!(c.service().is_leading());
    c.stop().await.unwrap();
}

#[tokio::test]
async fn a_leader_can_be_started_again() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let a = replica("a", store, &say, Duration::ZERO);
    for fence in 1..=3 {
        a.start().await.unwrap();
        assert_eq!(said(&mut stage).await, Began("a", fence));
        a.stop().await.unwrap();
        assert_eq!(said(&mut stage).await, Ended("a", fence));
    }
}

#[tokio::test]
async fn a_leader_that_is_ready_when_it_leads_is_not_when_it_has_resigned() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let a = Runner::new(leader("a", store, &say, Duration::ZERO).ready_when_leading());
    a.start().await.unwrap();
    assert_eq!(said(&mut stage).await, Began("a", 1));
    assert!(a.is_ready());
    a.service().resign();
    assert_eq!(said(&mut stage).await, Ended("a", 1));
    a.service()
        .leading()
        .wait_for(|leads| !leads)
        .await
        .unwrap();
    assert!(!a.is_ready());
    a.stop().await.unwrap();
}

#[tokio::test]
async fn a_term_that_was_given_up_is_not_valid() {
    let (send, mut terms) = mpsc::unbounded_channel::<Term>();
    let make = move |term: Term| {
        send.send(term).ok();
        service_fn(async |cx| cx.cancelled().await)
    };
    let a = Runner::new(Leader::new("invoices", Memory::new(), make));
    a.start().await.unwrap();
    let term = terms.recv().await.unwrap();
    assert!(term.is_valid());
    assert!(term.left() <= Timing::default().validity());
    a.stop().await.unwrap();
    assert!(!term.is_valid());
}

/// The line of the front page: the closure of a service may have the work as its only expression.
#[tokio::test]
async fn a_led_service_may_be_a_line() {
    async fn work(cx: Context, fence: u64) {
        assert!(fence > 0);
        cx.cancelled().await;
    }
    let invoices = Leader::new("invoices", Memory::new(), |term: Term| {
        service_fn(move |cx| work(cx, term.fence()))
    });
    let mut leads = invoices.leading();
    let runner = Runner::new(invoices);
    runner.start().await.unwrap();
    leads.wait_for(|leads| *leads).await.unwrap();
    runner.stop().await.unwrap();
}
