//! Shards on a store in memory: each has one owner at a time, whoever comes and goes.

mod fixed;
mod handles;
mod many;
mod records;
mod silence;
mod stops;
mod work;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{Context, Exit, Group, Runner, Service, Settings, service_fn};
use startstop_fleet::{LeaseStore, Memory, Shards, Term};
use tokio::time::{sleep, timeout};

use self::work::Work;
use crate::support::{Cable, ROOMY};

const COUNT: u32 = 64;

type Process<L> = Runner<Shards<startstop_core::BoxService, L>>;

async fn process<L: LeaseStore>(store: L, work: &Arc<Work>) -> Process<L> {
    let work = work.clone();
    let make = move |shard, term: Term| {
        let work = work.clone();
        let service = service_fn(move |cx: Context| {
            let (work, fence) = (work.clone(), term.fence());
            async move {
                let _working = work.begin(shard, fence);
                cx.cancelled().await;
                sleep(Duration::from_millis(20)).await;
            }
        });
        service.boxed()
    };
    let settings = Settings::new()
        .stop_timeout(Duration::from_secs(4))
        .abort_timeout(Duration::from_secs(1));
    let shards = Shards::new("orders", COUNT, store, make)
        .timing(ROOMY)
        .settings(settings);
    let runner = Runner::new(shards);
    runner.start().await.unwrap();
    runner
}

/// Waits until a process owns so many shards, and returns them.
async fn owns<S: Service, L: LeaseStore>(process: &Runner<Shards<S, L>>, count: usize) -> Vec<u32> {
    let mut owned = process.service().owned();
    let all = owned.wait_for(|owned| owned.len() == count);
    let owned = timeout(Duration::from_secs(60), all).await;
    owned.expect("in a minute").unwrap().clone()
}

/// Looks in a row, 20 ms apart, that find the same: for a moment the numbers are right before the last one has moved.
const LOOKS: usize = 20;

/// Waits until all shards are owned, nobody has too many or too few, and none moves any more.
async fn quiet<L: LeaseStore>(processes: &[&Process<L>]) {
    let least = COUNT as usize / processes.len();
    let most = (COUNT as usize).div_ceil(processes.len());
    let is_balanced = |owned: &[Vec<u32>]| {
        let all = owned.iter().map(Vec::len).sum::<usize>() == COUNT as usize;
        all && owned
            .iter()
            .all(|owned| (least..=most).contains(&owned.len()))
    };
    timeout(Duration::from_secs(60), async {
        let (mut before, mut same) = (Vec::new(), 0);
        while same < LOOKS {
            sleep(Duration::from_millis(20)).await;
            let now: Vec<_> = processes.iter().map(|process| owned(process)).collect();
            same = if is_balanced(&now) && now == before {
                same + 1
            } else {
                0
            };
            before = now;
        }
    })
    .await
    .expect("quiet in a minute");
}

fn owned<L: LeaseStore>(process: &Process<L>) -> Vec<u32> {
    process.service().owned().borrow().clone()
}

#[tokio::test]
async fn shards_follow_processes_that_come_and_go() {
    let (store, work) = (Memory::new(), Arc::new(Work::default()));
    let a = process(store.clone(), &work).await;
    quiet(&[&a]).await;
    let b = process(store.clone(), &work).await;
    quiet(&[&a, &b]).await;
    let before = (owned(&a), owned(&b));
    let c = process(store.clone(), &work).await;
    quiet(&[&a, &b, &c]).await;
    // Only the shards of the new process have moved.
    assert!(owned(&a).iter().all(|shard| before.0.contains(shard)));
    assert!(owned(&b).iter().all(|shard| before.1.contains(shard)));
    a.stop().await.unwrap();
    assert_eq!(a.wait().await, Exit::Stopped);
    quiet(&[&b, &c]).await;
    b.stop().await.unwrap();
    quiet(&[&c]).await;
    c.stop().await.unwrap();
    work.assert_sound();
    assert!(work.now.lock().unwrap().is_empty());
}

#[tokio::test]
async fn shards_in_balance_do_not_move() {
    let (store, work) = (Memory::new(), Arc::new(Work::default()));
    let a = process(store.clone(), &work).await;
    let b = process(store, &work).await;
    quiet(&[&a, &b]).await;
    let before = (owned(&a), owned(&b));
    sleep(ROOMY.retry * 5).await;
    assert_eq!((owned(&a), owned(&b)), before);
    a.stop().await.unwrap();
    b.stop().await.unwrap();
    work.assert_sound();
}

#[tokio::test]
async fn a_process_that_is_cut_off_has_stopped_its_shards_before_others_have_them() {
    let (memory, work) = (Memory::new(), Arc::new(Work::default()));
    let (one, other) = (Cable::new(&memory), Cable::new(&memory));
    let a = process(one.clone(), &work).await;
    let b = process(other, &work).await;
    quiet(&[&a, &b]).await;
    one.cut();
    owns(&b, 64).await;
    work.assert_sound();
    one.mend();
    quiet(&[&a, &b]).await;
    a.stop().await.unwrap();
    b.stop().await.unwrap();
    work.assert_sound();
}

#[tokio::test]
async fn a_shard_whose_record_was_deleted_by_hand_is_run_by_one_process_again() {
    let (store, work) = (Memory::new(), Arc::new(Work::default()));
    let a = process(store.clone(), &work).await;
    quiet(&[&a]).await;
    let old = store.read("orders/shards/7").await.unwrap();
    store.delete("orders/shards/7");
    let anew = async {
        loop {
            let record = store.read("orders/shards/7").await.unwrap();
            let works = work.now.lock().unwrap().get(&7).copied();
            if record.fence() > old.fence() && works == Some(record.fence()) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(60), anew)
        .await
        .expect("in a minute");
    a.stop().await.unwrap();
    work.assert_sound();
}

/// Each join moves at most a share, to the new one alone.
#[tokio::test]
async fn shards_are_moved_as_little_as_can_be_over_one_to_twenty_processes() {
    let (store, work) = (Memory::new(), Arc::new(Work::default()));
    let mut processes: Vec<Process<Memory>> = Vec::new();
    for _ in 0..20 {
        let before: Vec<_> = processes.iter().map(owned).collect();
        processes.push(process(store.clone(), &work).await);
        quiet(&processes.iter().collect::<Vec<_>>()).await;
        let kept = |(before, process): (&Vec<u32>, &Process<Memory>)| {
            owned(process).iter().all(|shard| before.contains(shard))
        };
        let lost: Vec<_> = processes.iter().flat_map(Runner::errors_list).collect();
        assert!(
            before.iter().zip(&processes).all(kept),
            "with {}, after {lost:?}",
            processes.len()
        );
        let moved = owned(processes.last().unwrap()).len();
        assert!(moved <= (COUNT as usize).div_ceil(processes.len()));
    }
    while processes.len() > 1 {
        let left = processes.swap_remove(0);
        left.stop().await.unwrap();
        quiet(&processes.iter().collect::<Vec<_>>()).await;
    }
    processes[0].stop().await.unwrap();
    work.assert_sound();
}

/// Its process goes on, and so do the terms of the shards that stay.
#[tokio::test]
async fn the_term_of_a_shard_that_has_moved_is_not_valid() {
    let store = Memory::new();
    let terms: Arc<Mutex<Vec<Term>>> = Arc::default();
    let start = async |terms: Arc<Mutex<Vec<Term>>>| {
        let make = move |_, term: Term| {
            terms.lock().unwrap().push(term);
            service_fn(async |cx| cx.cancelled().await)
        };
        let shards = Shards::new("orders", 2, store.clone(), make).timing(ROOMY);
        let brief = Settings::new().stop_timeout(Duration::from_secs(2));
        let runner = Runner::new(shards.settings(brief));
        runner.start().await.unwrap();
        runner
    };
    let one = start(terms.clone()).await;
    owns(&one, 2).await;
    let two = start(Arc::default()).await;
    owns(&two, 1).await;
    let here = owns(&one, 1).await[0];
    assert!(one.find(&format!("orders/shards/{here}")).is_some());
    let valid: Vec<String> = terms
        .lock()
        .unwrap()
        .iter()
        .filter(|term| term.is_valid())
        .map(|term| term.name().to_owned())
        .collect();
    assert_eq!(valid, [format!("orders/shards/{here}")]);
    one.stop().await.unwrap();
    two.stop().await.unwrap();
    assert!(terms.lock().unwrap().iter().all(|term| !term.is_valid()));
}

#[tokio::test]
async fn processes_that_share_shards_are_members_and_none_is_called_a_leader() {
    let (store, work) = (Memory::new(), Arc::default());
    let (one, two) = (
        process(store.clone(), &work).await,
        process(store, &work).await,
    );
    for process in [&one, &two] {
        let status = timeout(Duration::from_secs(20), async {
            loop {
                let status = process.status();
                if status
                    .detail()
                    .is_some_and(|detail| !detail.starts_with("no member"))
                {
                    return status;
                }
                sleep(Duration::from_millis(5)).await;
            }
        });
        let status = status.await.unwrap();
        let detail = status.detail().unwrap();
        assert!(detail.starts_with("member since 20"), "{detail}");
    }
    one.stop().await.unwrap();
    two.stop().await.unwrap();
}

#[tokio::test]
async fn fixed_shards_are_parts_with_paths_that_reloads_reach() {
    let shard = |shard: u32| {
        service_fn(move |cx: Context| async move {
            cx.detail(cx.path());
            while let Some(reload) = cx.run_until_cancelled(cx.reloaded()).await {
                reload.failed(format!("{shard} keeps what it has"));
            }
        })
    };
    let shards = Shards::fixed("orders", 5, 1, 2, shard);
    let app = Runner::new(
        Group::builder("app")
            .with("orders", shards)
            .build()
            .unwrap(),
    );
    app.start().await.unwrap();
    let status = app.status();
    let seen: Vec<_> = status.children()[0]
        .children()
        .iter()
        .map(|shard| (shard.path().to_string(), shard.detail().unwrap().to_owned()))
        .collect();
    assert_eq!(
        seen,
        ["app/orders/1", "app/orders/3"].map(|path| (path.to_owned(), path.to_owned()))
    );
    assert!(app.find("app/orders/3").is_some());
    let error = format!("{:?}", app.reload().await.unwrap_err());
    assert!(
        error.contains("3 keeps what it has") || error.contains("1 keeps what it has"),
        "{error}"
    );
    app.stop().await.unwrap();
    // A process without any shard stays a member.
    let idle = |_shard: u32| service_fn(async |cx: Context| cx.cancelled().await);
    let none = Runner::new(Shards::fixed("orders", 2, 2, 3, idle));
    none.start().await.unwrap();
    assert!(none.is_ready() && none.status().children().is_empty());
    none.stop().await.unwrap();
}
