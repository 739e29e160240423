//! A service that was aborted and does not end: its leader neither waits for it for ever nor renews its lease.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{
    Failure, Group, Runner, Service, Settings, StartStop, State, StopError, blocking_fn,
};
use startstop_fleet::{Leader, LeaderError, LeaseStore, Memory, OnOverrun, Shards, Timing};
use tokio::time::timeout;

use crate::support::ROOMY;

/// A thread that stays where it is until the other end of the channel is dropped.
#[derive(Clone, Default)]
struct Stuck(Arc<Mutex<Vec<Sender<()>>>>);

impl Stuck {
    fn service(&self) -> impl Service + use<> {
        let all = self.0.clone();
        blocking_fn(move |cx| {
            let (send, ends) = channel::<()>();
            all.lock().unwrap().push(send);
            cx.ready();
            let _ = ends.recv();
        })
    }

    /// Waits until so many have begun: one that has not is not run when it is stopped.
    async fn began(&self, count: usize) {
        while self.0.lock().unwrap().len() < count {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn let_go(&self) {
        self.0.lock().unwrap().clear();
    }
}

fn short() -> Settings {
    Settings::new()
        .name("run")
        .stop_timeout(Duration::from_millis(200))
        .abort_timeout(Duration::from_millis(100))
}

const TIMING: Timing = Timing {
    lease: Duration::from_secs(4),
    ..ROOMY
};

fn leader(store: &Memory, stuck: &Stuck, settings: Settings) -> Leader<impl Service, Memory> {
    let stuck = stuck.clone();
    Leader::new("invoices", store.clone(), move |_| stuck.service())
        .timing(TIMING)
        .settings(settings)
        .ready_when_leading()
        .on_overrun(OnOverrun::Report)
}

async fn given_up(led: &dyn StartStop) {
    while led.status().unresponsive().is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn overruns(runner: &Runner<impl Service>) -> usize {
    let history = runner.history();
    let errors = history.entries().iter().map(Failure::error);
    let told = errors.filter_map(|error| error.downcast_ref::<LeaderError>());
    told.filter(|error| matches!(error, LeaderError::Overrun { .. }))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_a_service_that_does_not_end() {
    async fn stops<S: Service>(service: S, stuck: &Stuck, path: &str) {
        let runner = Runner::new(service);
        runner.start().await.unwrap();
        stuck.began(1).await;
        let stop = timeout(Duration::from_secs(60), runner.stop()).await;
        let Err(StopError::Unresponsive(left)) = stop.expect("in a minute") else {
            panic!("it has not ended")
        };
        assert!(left.to_string().contains(path), "{left}");
        assert_eq!(runner.state(), State::Stopping);
        stuck.let_go();
    }
    let (store, stuck) = (Memory::new(), Stuck::default());
    stops(leader(&store, &stuck, short()), &stuck, "invoices/run").await;
    let other = leader(&Memory::new(), &stuck, short());
    let group = Group::builder("app").with("invoices", other).build();
    stops(group.unwrap(), &stuck, "app/invoices/run").await;
    assert!(!store.read("invoices").await.unwrap().is_free());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_does_not_wait_for_shards_that_do_not_end() {
    let stuck = Stuck::default();
    let made = stuck.clone();
    let shards = Shards::new("orders", 2, Memory::new(), move |_, _| made.service())
        .timing(ROOMY)
        .settings(short())
        .on_overrun(OnOverrun::Report);
    let runner = Runner::new(shards);
    runner.start().await.unwrap();
    let mut owned = runner.service().owned();
    owned.wait_for(|owned| owned.len() == 2).await.unwrap();
    stuck.began(2).await;
    let stop = timeout(Duration::from_secs(60), runner.stop()).await;
    let stop = stop.expect("in a minute").unwrap_err();
    assert!(matches!(stop, StopError::Unresponsive(_)), "{stop}");
    stuck.let_go();
}

/// Whether it resigns, or its watchdog has found that the service is silent.
#[tokio::test(flavor = "multi_thread")]
async fn another_one_leads_when_the_service_of_one_does_not_end() {
    for resigns in [true, false] {
        let (store, stuck) = (Memory::new(), Stuck::default());
        let settings = short().watchdog(Duration::from_millis(200));
        let settings = if resigns { short() } else { settings };
        let a = Runner::new(leader(&store, &stuck, settings));
        a.start().await.unwrap();
        stuck.began(1).await;
        let led = a.find("invoices/run").expect("it is a part");
        if resigns {
            a.service().resign();
        }
        given_up(&*led).await;
        let idle = |_| startstop_core::service_fn(async |cx| cx.cancelled().await);
        let b = Leader::new("invoices", store, idle)
            .timing(TIMING)
            .ready_when_leading();
        let b = Runner::new(b.settings(short()));
        timeout(Duration::from_secs(60), b.start())
            .await
            .expect("in a minute")
            .unwrap();
        assert!(!a.service().is_leading());
        assert_eq!(overruns(&a), 1);
        assert_eq!(a.state(), State::Running);
        b.stop().await.unwrap();
        stuck.let_go();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_ends_after_all_gives_its_lease_back_and_its_leader_follows() {
    let (store, stuck) = (Memory::new(), Stuck::default());
    let runner = Runner::new(leader(&store, &stuck, short()));
    runner.start().await.unwrap();
    stuck.began(1).await;
    let led = runner.find("invoices/run").expect("it is a part");
    runner.service().resign();
    given_up(&*led).await;
    let held = store.read("invoices").await.unwrap();
    stuck.let_go();
    while !store.read("invoices").await.unwrap().is_free() {
        store.changed("invoices", held.version()).await.unwrap();
    }
    let mut leads = runner.service().leading();
    leads.wait_for(|leads| *leads).await.unwrap();
    assert_eq!(overruns(&runner), 0);
    runner.stop().await.ok();
    stuck.let_go();
}
