//! The status of a leader, with the led service as a part, and the cost of a follower.

use std::time::Duration;

use startstop_core::{Backoff, Context, Group, RestartPolicy, Runner, Settings, State, service_fn};
use startstop_fleet::{Leader, LeaseStore, Memory, Term};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::{Began, Ended, leader, replica, said};
use crate::support::{Cable, ROOMY};

#[tokio::test]
async fn the_led_service_is_in_the_status_tree() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let a = replica("a", store, &say, Duration::ZERO);
    a.start().await.unwrap();
    said(&mut stage).await;
    assert_eq!(a.status().children().len(), 1);
    a.stop().await.unwrap();
    assert_eq!(a.status().children().len(), 0);
}

#[tokio::test]
async fn the_status_says_who_leads_with_which_fence() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let a = replica("a", store.clone(), &say, Duration::ZERO);
    a.start().await.unwrap();
    said(&mut stage).await;
    let detail = |runner: &dyn startstop_core::StartStop| {
        runner.status().detail().unwrap_or_default().to_owned()
    };
    let told = detail(&a);
    assert!(
        told.starts_with("leader since 20") && told.contains("Z, fence 1, "),
        "{told}"
    );
    assert!(told.ends_with(" s left"), "{told}");
    let b = replica("b", store, &say, Duration::ZERO);
    b.start().await.unwrap();
    assert!(detail(&b).starts_with("follower of ") && detail(&b).ends_with(", fence 1"));
    let gauges = |runner: &dyn startstop_core::StartStop, name: &str| {
        let status = runner.status();
        status
            .gauges()
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, value)| *value)
    };
    assert_eq!(
        [gauges(&a, "leading"), gauges(&b, "leading")],
        [Some(1.0), Some(0.0)]
    );
    assert_eq!(
        [gauges(&a, "fence"), gauges(&b, "fence")],
        [Some(1.0), Some(1.0)]
    );
    assert!(gauges(&a, "leading_since_seconds") > Some(1e9));
    b.stop().await.unwrap();
    a.stop().await.unwrap();
}

/// It does not follow itself while it waits for others to lead.
#[tokio::test]
async fn nobody_leads_when_a_term_has_ended_that_could_not_be_given_back() {
    let (cable, (say, mut stage)) = (Cable::new(&Memory::new()), mpsc::unbounded_channel());
    let a = Runner::new(leader("a", cable.clone(), &say, Duration::ZERO));
    a.start().await.unwrap();
    said(&mut stage).await;
    cable.demote();
    a.service().resign();
    assert_eq!(said(&mut stage).await, Ended("a", 1));
    let shown = || a.status().detail().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for _ in 0..100 {
        let now = shown();
        if !now.starts_with("leader since") && all.last() != Some(&now) {
            all.push(now);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(all, ["nobody leads"]);
    let held = cable.store.read("invoices").await.unwrap();
    assert!(!held.is_free(), "it runs out");
    let fence = a
        .status()
        .gauges()
        .iter()
        .find(|(name, _)| *name == "fence")
        .unwrap()
        .1;
    assert_eq!(fence.to_bits(), 0.0_f64.to_bits());
    a.stop().await.unwrap();
}

/// A group with a leader whose service says what it is asked.
#[tokio::test]
async fn a_led_service_drains_reloads_is_found_and_tells_with_its_leader() {
    let (say, mut heard) = mpsc::unbounded_channel::<&'static str>();
    let make = move |_: Term| {
        let say = say.clone();
        service_fn(move |cx: Context| {
            let say = say.clone();
            async move {
                cx.reloaded().await.done();
                say.send("reloaded").ok();
                cx.draining().await;
                say.send("draining").ok();
                cx.cancelled().await;
                say.send("cancelled").ok();
            }
        })
    };
    let settings = Settings::new()
        .name("run")
        .drain(Duration::from_millis(50))
        .stop_timeout(Duration::from_secs(4))
        .abort_timeout(Duration::from_secs(1));
    let leader = Leader::new("invoices", Memory::new(), make)
        .timing(ROOMY)
        .settings(settings);
    let mut leads = leader.leading();
    let app = Group::builder("app")
        .with("invoices", leader.ready_when_leading())
        .build()
        .unwrap();
    let app = Runner::new(app);
    let mut events = app.events();
    app.start().await.unwrap();
    leads.wait_for(|leads| *leads).await.unwrap();

    let led = app.find("app/invoices/run").expect("it is a part");
    led.wait_for(State::Running).await;
    while app.reload().await.is_err() {
        tokio::task::yield_now().await; // it does not listen yet
    }
    assert_eq!(heard.recv().await, Some("reloaded"));
    app.stop().await.unwrap();
    assert_eq!(heard.recv().await, Some("draining"));
    assert_eq!(heard.recv().await, Some("cancelled"));
    let mut told = Vec::new();
    while let Some(event) = events.try_next() {
        if event.path() == "app/invoices/run" {
            told.push(event.kind().to_string());
        }
    }
    assert!(
        told.iter().any(|kind| kind.contains("draining")),
        "{told:?}"
    );
    assert!(
        app.find("app/invoices/run").is_none(),
        "it is no part any more"
    );
}

/// Elsewhere a SIGHUP would be a termination.
#[tokio::test]
async fn a_reload_where_there_is_nothing_to_reload_is_done() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let a = replica("a", store.clone(), &say, Duration::ZERO);
    a.start().await.unwrap();
    said(&mut stage).await;
    let b = replica("b", store, &say, Duration::ZERO);
    b.start().await.unwrap();
    for (who, it) in [
        ("the leader, of a service that has none", &a),
        ("a follower", &b),
    ] {
        assert!(it.reload().await.is_ok(), "{who}");
    }
    b.stop().await.unwrap();
    a.stop().await.unwrap();
}

#[tokio::test]
async fn a_follower_is_told_and_does_not_ask() {
    let (store, (say, mut stage)) = (Memory::new(), mpsc::unbounded_channel());
    let a = replica("a", store.clone(), &say, Duration::ZERO);
    a.start().await.unwrap();
    assert_eq!(said(&mut stage).await, Began("a", 1));
    let cable = Cable::new(&store);
    let b = replica("b", cable.clone(), &say, Duration::ZERO);
    b.start().await.unwrap();
    let calls = cable.calls();
    for _ in 0..10 {
        let seen = store.read("invoices").await.unwrap();
        store.changed("invoices", seen.version()).await.unwrap(); // a renewal of the other one
    }
    assert_eq!(cable.calls(), calls);
    a.stop().await.unwrap();
    assert_eq!(said(&mut stage).await, Ended("a", 1));
    assert_eq!(said(&mut stage).await, Began("b", 2));
    assert_eq!(cable.calls(), calls + 1, "one take");
    b.stop().await.unwrap();
}

#[tokio::test]
async fn the_grace_period_is_that_of_what_is_led_and_of_the_release() {
    let runner = Runner::new(leader(
        "a",
        Memory::new(),
        &mpsc::unbounded_channel().0,
        Duration::ZERO,
    ));
    let grace = Duration::from_secs(5) + ROOMY.call_limit() * 2;
    assert_eq!(runner.grace_period(), grace);
    let mut leads = runner.service().leading();
    runner.start().await.unwrap();
    leads.wait_for(|leads| *leads).await.unwrap();
    assert_eq!(runner.grace_period(), grace);
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_leader_that_is_ready_when_it_leads_is_not_while_its_service_is_not() {
    let (fail, fails) = watch::channel(false);
    let make = move |_: Term| {
        let fails = fails.clone();
        service_fn(move |cx: Context| {
            let mut fails = fails.clone();
            async move {
                match cx.run_until_cancelled(fails.wait_for(|fail| *fail)).await {
                    Some(_) => Err("no luck"),
                    None => Ok(()),
                }
            }
        })
    };
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(Duration::from_millis(50)));
    let settings = Settings::new().restart(policy.forever());
    let leader = Leader::new("api", Memory::new(), make).settings(settings);
    let runner = Runner::new(leader.ready_when_leading());
    runner.start().await.unwrap();
    let mut events = runner.events();
    let mut turns = async |ready: bool| {
        while runner.is_ready() != ready {
            timeout(Duration::from_secs(60), events.next())
                .await
                .expect("in a minute");
        }
    };
    for _ in 0..2 {
        turns(true).await;
        fail.send_replace(true);
        turns(false).await;
        assert!(runner.service().is_leading());
        fail.send_replace(false);
    }
    turns(true).await;
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_leader_without_that_wish_is_ready_whatever_its_service_does() {
    let fails = |_| service_fn(async |_cx| Err::<(), _>("no luck"));
    let policy = RestartPolicy::on_failure().backoff(Backoff::constant(Duration::from_secs(3600)));
    let leader = Leader::new("api", Memory::new(), fails);
    let runner = Runner::new(leader.settings(Settings::new().restart(policy)));
    let mut events = runner.events();
    runner.start().await.unwrap();
    let rests = || {
        let status = runner.status();
        status.children()[..]
            .iter()
            .any(|led| led.state() == State::Backoff)
    };
    while !rests() {
        timeout(Duration::from_secs(60), events.next())
            .await
            .expect("in a minute");
    }
    assert!(runner.is_ready() && runner.service().is_leading());
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_store_that_takes_no_writes_is_told_of_once() {
    let (cable, (say, mut stage)) = (Cable::new(&Memory::new()), mpsc::unbounded_channel());
    let a = replica("a", cable.clone(), &say, Duration::ZERO);
    cable.demote();
    a.start().await.unwrap();
    for outage in 1..=2 {
        let asked = cable.calls();
        // It reads, and tries to take, again and again.
        while cable.calls() < asked + 10 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let told = a.errors_list();
        let told = told.iter().map(|failure| failure.error().to_string());
        let told = told
            .filter(|text| text == "the store of the lease fails")
            .count();
        assert_eq!(told, outage);
        cable.promote();
        assert_eq!(said(&mut stage).await, Began("a", outage as u64));
        cable.demote();
        assert_eq!(said(&mut stage).await, Ended("a", outage as u64));
    }
    a.stop().await.unwrap();
}
