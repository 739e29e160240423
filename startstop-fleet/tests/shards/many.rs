//! Ten thousand shards: what they cost a process and its store, at rest and while they move.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use startstop_core::{Context, Runner, Settings, service_fn};
use startstop_fleet::{
    Change, Claim, LeaseStore, Memory, Record, Shards, StoreError, Term, Version,
};

use super::owns;
use crate::support::{Cable, ROOMY};

const MANY: u32 = 10_000;

fn idle(_: u32, _: Term) -> startstop_core::BoxService {
    startstop_core::Service::boxed(service_fn(async |cx: Context| cx.cancelled().await))
}

async fn start<L: LeaseStore>(store: L) -> Runner<Shards<startstop_core::BoxService, L>> {
    let brief = Settings::new().stop_timeout(Duration::from_secs(4));
    let shards = Shards::new("many", MANY, store, idle).timing(ROOMY);
    let runner = Runner::new(shards.settings(brief.abort_timeout(Duration::from_secs(1))));
    runner.start().await.unwrap();
    runner
}

const RENEWALS: usize = 5;

/// Once it is quiet a process renews its lease, and asks nothing else.
#[tokio::test]
async fn ten_thousand_shards_cost_one_lease_and_one_watch() {
    let memory = Memory::new();
    let cable = Cable::new(&memory);
    let runner = start(cable.clone()).await;
    owns(&runner, 10_000).await;
    let members = memory.list("many/members/").await.unwrap();
    let (member, mut record) = members.into_iter().next().expect("one");
    let calls = cable.calls();
    for _ in 0..RENEWALS {
        record = memory
            .changed(&member, record.version())
            .await
            .unwrap()
            .unwrap();
    }
    let asked = cable.calls() - calls;
    assert!(
        (RENEWALS - 1..=RENEWALS + 1).contains(&asked),
        "{asked} calls"
    );
    runner.stop().await.unwrap();
}

/// A memory that answers later, and counts the writes of one lease each that wait for it at once.
#[derive(Clone)]
struct Later {
    store: Memory,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl Later {
    async fn write(&self) {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        tokio::task::yield_now().await;
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

impl LeaseStore for Later {
    async fn read(&self, name: &str) -> Result<Record, StoreError> {
        self.store.read(name).await
    }

    async fn take(&self, name: &str, claim: &Claim, seen: &Version) -> Result<Record, StoreError> {
        self.write().await;
        self.store.take(name, claim, seen).await
    }

    async fn renew(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        self.store.renew(name, held).await
    }

    async fn release(&self, name: &str, held: &Record) -> Result<Record, StoreError> {
        self.write().await;
        self.store.release(name, held).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<(String, Record)>, StoreError> {
        self.store.list(prefix).await
    }

    async fn changed(&self, name: &str, seen: &Version) -> Result<Option<Record>, StoreError> {
        self.store.changed(name, seen).await
    }

    async fn watch(&self, prefix: &str, tell: impl Fn(Change) + Send + Sync) -> StoreError {
        self.store.watch(prefix, tell).await
    }

    fn notifies(&self) -> bool {
        true
    }
}

/// Half of them go to a process that joins, and back when it leaves; neither takes a minute, and no more than a few calls of each process
/// wait for the store at once.
#[tokio::test]
async fn ten_thousand_shards_move_a_few_at_a_time() {
    let store = Memory::new();
    let later = |most: &Arc<AtomicUsize>| Later {
        store: store.clone(),
        now: Arc::default(),
        most: most.clone(),
    };
    let most = Arc::default();
    let here = start(later(&most)).await;
    owns(&here, 10_000).await;
    let joined = start(later(&most)).await;
    owns(&joined, 5_000).await;
    owns(&here, 5_000).await;
    joined.stop().await.unwrap();
    owns(&here, 10_000).await;
    here.stop().await.unwrap();
    let most = most.load(Ordering::SeqCst);
    assert!((2..=32).contains(&most), "{most} at once");
}
