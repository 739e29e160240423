//! A handle of the led service that is kept beyond its term starts nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use startstop_core::{
    Context, Exit, Readiness, Runner, Service, Settings, StartError, StartStop, State, service_fn,
};
use startstop_fleet::{Leader, LeaseStore, Memory, Term, TermOver};
use tokio::time::timeout;

use crate::support::ROOMY;

/// How often the service was run and shut down, and how many of it work now.
#[derive(Default)]
struct Count {
    runs: AtomicUsize,
    shutdowns: AtomicUsize,
    now: AtomicUsize,
    invalid: AtomicUsize,
    beside: AtomicUsize,
}

fn replica(store: &Memory, count: &Arc<Count>) -> Runner<Leader<impl Service, Memory>> {
    let count = count.clone();
    let make = move |term: Term| {
        let (count, down) = (count.clone(), count.clone());
        let run = service_fn(move |cx: Context| {
            let (count, term) = (count.clone(), term.clone());
            async move {
                count.runs.fetch_add(1, Ordering::SeqCst);
                let others = count.now.fetch_add(1, Ordering::SeqCst);
                count.beside.fetch_add(others, Ordering::SeqCst);
                let invalid = usize::from(!term.is_valid());
                count.invalid.fetch_add(invalid, Ordering::SeqCst);
                cx.ready();
                cx.cancelled().await;
                tokio::task::yield_now().await;
                count.now.fetch_sub(1, Ordering::SeqCst);
            }
        });
        run.on_shutdown(move |_cx| {
            let down = down.clone();
            async move {
                down.shutdowns.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    let settings = Settings::new()
        .name("run")
        .readiness(Readiness::Explicit)
        .shutdown_always(true)
        .stop_timeout(Duration::from_secs(4))
        .abort_timeout(Duration::from_secs(1));
    let leader = Leader::new("invoices", store.clone(), make)
        .timing(ROOMY)
        .settings(settings)
        .ready_when_leading();
    Runner::new(leader)
}

fn led(runner: &Runner<impl Service>) -> Arc<dyn StartStop> {
    runner.find("invoices/run").expect("it is a part")
}

/// Starts it in each way, in vain.
async fn starts_nothing(kept: &dyn StartStop, fence: u64) {
    for error in [
        kept.start().await.unwrap_err(),
        kept.restart().await.unwrap_err(),
        kept.ensure_running().await.unwrap_err(),
    ] {
        let StartError::Failed(failure) = error else {
            panic!("{error:?}")
        };
        let words = format!(
            "the term of \"invoices\" is over (fence {fence}): only who holds the lease runs its service"
        );
        assert_eq!(failure.error().to_string(), words);
        let over = failure.find::<TermOver>().unwrap();
        assert_eq!((&*over.name, over.fence), ("invoices", fence));
    }
    kept.request_start();
    assert_eq!(kept.wait().await, Exit::Failed);
}

#[tokio::test]
async fn a_handle_that_is_kept_beyond_the_term_starts_nothing() {
    let (store, count) = (Memory::new(), Arc::new(Count::default()));
    let runner = replica(&store, &count);
    let ends: [fn(&Runner<Leader<_, Memory>>); 2] = [
        |runner| runner.service().resign(),
        |runner| runner.request_stop(),
    ];
    let counts = || [&count.runs, &count.shutdowns].map(|count| count.load(Ordering::SeqCst));
    for end in ends {
        runner.start().await.unwrap();
        let kept = led(&runner);
        let fence = store.read("invoices").await.unwrap().fence();
        end(&runner);
        kept.wait_for(State::Stopped).await;
        let mut leads = runner.service().leading();
        leads.wait_for(|leads| !leads).await.unwrap();
        let before = counts();
        starts_nothing(&*kept, fence).await;
        assert_eq!(counts(), before);
        runner.stop().await.unwrap();
        assert!(store.read("invoices").await.unwrap().is_free());
    }
}

#[tokio::test]
async fn a_handle_starts_nothing_when_its_leader_was_aborted() {
    let (store, count) = (Memory::new(), Arc::new(Count::default()));
    let runner = replica(&store, &count);
    runner.start().await.unwrap();
    let kept = led(&runner);
    let held = store.read("invoices").await.unwrap();
    runner.stop_within(Duration::ZERO).await.ok();
    kept.wait_for(State::Stopped).await;
    starts_nothing(&*kept, held.fence()).await;
    assert_eq!(count.runs.load(Ordering::SeqCst), 1);
    assert!(
        !store.read("invoices").await.unwrap().is_free(),
        "it runs out"
    );
}

/// Somebody starts and restarts all led services that ever were, while two replicas take turns.
#[tokio::test(flavor = "multi_thread")]
async fn handles_that_are_used_at_any_moment_run_nothing_beside_the_leader() {
    let (store, count) = (Memory::new(), Arc::new(Count::default()));
    let replicas = [replica(&store, &count), replica(&store, &count)];
    let (send, mut kept) = tokio::sync::mpsc::unbounded_channel::<Arc<dyn StartStop>>();
    let meddler = tokio::spawn(async move {
        let mut all = Vec::new();
        loop {
            tokio::task::yield_now().await;
            while let Ok(handle) = kept.try_recv() {
                all.push(handle);
            }
            for (at, handle) in all.iter().rev().take(3).enumerate() {
                match at {
                    0 => handle.request_restart(),
                    _ => handle.request_start(),
                }
            }
        }
    });
    let turns = async {
        for turn in 0..300 {
            let runner = &replicas[turn % 2];
            runner.start().await.unwrap();
            send.send(led(runner)).ok();
            tokio::task::yield_now().await;
            match turn % 3 {
                0 => {
                    let mut leads = runner.service().leading();
                    runner.service().resign();
                    leads.wait_for(|leads| !leads).await.unwrap();
                }
                1 => tokio::task::yield_now().await,
                _ => {}
            }
            runner.stop().await.unwrap();
        }
    };
    timeout(Duration::from_secs(60), turns)
        .await
        .expect("in a minute");
    meddler.abort();
    assert_eq!(count.beside.load(Ordering::SeqCst), 0);
    assert_eq!(count.invalid.load(Ordering::SeqCst), 0);
    assert!(store.read("invoices").await.unwrap().is_free());
}
