//! Many candidates on one etcd: a hand-over, and a store that was away for long. What a thousand cost is in `load`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use startstop_core::{BoxService, Runner, Service, Settings, service_fn};
use startstop_fleet::{Claim, Etcd, Leader, LeaseStore, StoreError, Timing};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use crate::etcd::Node;
use crate::load::Cost;

type Candidate = Runner<Leader<BoxService, Etcd>>;

/// They wait long for a busy machine, and look seldom.
const CALM: Timing = Timing {
    lease: Duration::from_secs(60),
    renew_by: Duration::from_secs(42),
    retry: Duration::from_secs(20),
    skew: 0.05,
};

/// A lease of which an outage of a minute is many.
const SHORT: Timing = Timing {
    lease: Duration::from_secs(3),
    renew_by: Duration::from_millis(1_000),
    retry: Duration::from_millis(500),
    skew: 0.05,
};

async fn candidates(url: &str, count: usize, timing: Timing) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for _ in 0..count {
        let store = Etcd::connect([url]).await.unwrap();
        let idle = |_| service_fn(async |cx| cx.cancelled().await).boxed();
        let settings = Settings::new()
            .stop_timeout(Duration::from_millis(500))
            .abort_timeout(Duration::from_millis(500));
        let leader = Leader::new("invoices", store, idle);
        let runner = Runner::new(leader.timing(timing).settings(settings));
        runner.start().await.unwrap();
        candidates.push(runner);
    }
    candidates
}

fn leader(candidates: &[Candidate]) -> Option<usize> {
    candidates
        .iter()
        .position(|candidate| candidate.service().is_leading())
}

async fn leads(candidates: &[Candidate]) -> usize {
    let led = async {
        loop {
            match leader(candidates) {
                Some(leader) => return leader,
                None => sleep(Duration::from_millis(5)).await,
            }
        }
    };
    timeout(Duration::from_secs(60), led)
        .await
        .expect("somebody leads")
}

async fn stop(candidates: Vec<Candidate>) {
    futures_util::future::join_all(candidates.iter().map(|candidate| candidate.stop())).await;
}

#[tokio::test]
async fn a_hand_over_costs_each_of_the_others_one_request() {
    const COUNT: usize = 100;
    let node = Node::start("etcd-crowd");
    let mut candidates = candidates(&node.url, COUNT, CALM).await;
    let first = leads(&candidates).await;
    sleep(Duration::from_secs(1)).await; // each has its watch
    let before = Cost::of(&node).await;
    let first = candidates.swap_remove(first);
    first.stop().await.unwrap();
    leads(&candidates).await;
    sleep(Duration::from_secs(1)).await; // and whatever else they ask
    let requests = Cost::of(&node).await.requests() - before.requests();
    assert!(requests <= COUNT + 20, "{requests} requests");
    stop(candidates).await;
}

/// What an hour is to the default lease of 15 s, two minutes are to one of half a second; from sixteen leases on nothing changes any
/// more, which is why a minute is enough for one of three seconds.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_was_away_for_long_is_not_met_by_a_storm() {
    const COUNT: usize = 60;
    let mut node = Node::start("etcd-away");
    let candidates = candidates(&node.url, COUNT, SHORT).await;
    leads(&candidates).await;
    node.kill();
    let asked = Refusing::at(node.addr()).await;
    let early = asked.within(Duration::from_secs(10)).await;
    sleep(Duration::from_secs(40)).await;
    let late = asked.within(Duration::from_secs(9)).await;
    asked.leave().await;
    println!("{early} requests in the first 10 s, {late} in 9 s a minute later");
    // Three leases, each with one request that may begin after three quarters of it.
    assert!(late <= COUNT * 5, "{late} of {COUNT} in three leases");
    assert_eq!(leader(&candidates), None, "without the store nobody leads");

    tokio::task::block_in_place(|| node.start_again());
    let back = Instant::now();
    let (mut last, mut most) = (0, 0);
    while back.elapsed() < Duration::from_secs(6) {
        sleep(Duration::from_secs(1)).await;
        let now = Cost::of(&node).await.requests();
        println!("{} requests in a second", now - last);
        (most, last) = (most.max(now - last), now);
    }
    assert!(most <= COUNT * 4, "{most} requests of {COUNT} in a second");
    assert!(
        last <= COUNT * 8,
        "{last} requests of {COUNT} in two leases"
    );
    leads(&candidates).await;
    stop(candidates).await;
}

/// In the place of a server that is gone: it counts who asks, and answers nobody.
struct Refusing {
    asked: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Refusing {
    async fn at(addr: std::net::SocketAddr) -> Self {
        let (asked, listener) = (Arc::default(), TcpListener::bind(addr).await.unwrap());
        let count: Arc<AtomicUsize> = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { asked, task }
    }

    async fn within(&self, lasts: Duration) -> usize {
        let before = self.asked.load(Ordering::Relaxed);
        sleep(lasts).await;
        self.asked.load(Ordering::Relaxed) - before
    }

    async fn leave(self) {
        self.task.abort();
        self.task.await.ok();
    }
}

/// A way to a server on which no transaction gets through.
async fn without_transactions(server: std::net::SocketAddr) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(server).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
            tokio::spawn(async move {
                let mut bytes = vec![0; 1 << 16];
                loop {
                    let read = from_client.read(&mut bytes).await.unwrap_or(0);
                    let request = &bytes[..read];
                    if request.windows(11).any(|part| part == b"/v3/kv/txn ") {
                        return std::future::pending().await;
                    }
                    if read == 0 || to_server.write_all(request).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    format!("http://{addr}")
}

/// All who are told that a key is gone ask for one lease. Who got it may not come to put the key: then another one does.
#[tokio::test]
async fn a_lease_whose_first_one_does_not_put_the_key_is_used_by_the_next() {
    let node = Node::start("etcd-unused");
    let one = Etcd::connect([without_transactions(node.addr()).await])
        .await
        .unwrap();
    let two = Etcd::connect([&*node.url]).await.unwrap();
    let three = Etcd::connect([&*node.url]).await.unwrap();
    let claim = |holder| Claim::new(holder, Duration::from_secs(20));
    let seen = three.read("invoices").await.unwrap();
    let held = three
        .take("invoices", &claim("three"), seen.version())
        .await
        .unwrap();
    let release = async {
        sleep(Duration::from_millis(200)).await;
        three.release("invoices", &held).await.unwrap()
    };
    let (first, second, _) = tokio::join!(
        one.changed("invoices", held.version()),
        two.changed("invoices", held.version()),
        release
    );
    let free = second.unwrap().expect("it is told");
    assert!(free.is_free() && first.unwrap().is_some_and(|record| record.is_free()));

    let its = claim("one");
    let lost = one.take("invoices", &its, free.version());
    let lost = timeout(Duration::from_secs(2), lost).await;
    assert!(lost.is_err(), "{lost:?}");
    let outrun = two.take("invoices", &claim("two"), free.version()).await;
    assert!(matches!(outrun, Err(StoreError::Conflict)), "{outrun:?}");
    let again = two
        .take("invoices", &claim("two"), free.version())
        .await
        .unwrap();
    assert!(again.fence() > held.fence());
    assert_eq!(two.renew("invoices", &again).await.unwrap(), again);
    let over = one.read("invoices").await.unwrap();
    assert_eq!((over.holder(), over.fence()), (Some("two"), again.fence()));
}
