//! What a thousand candidates cost one etcd: `cargo test --release load -- --ignored --nocapture`.

use std::collections::BTreeMap;
use std::time::Duration;

use startstop_core::{Runner, service_fn};
use startstop_fleet::{Etcd, Leader};

use crate::etcd::Node;

const CANDIDATES: usize = 1000;

/// The counters of etcd that this is about.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cost(BTreeMap<String, f64>);

impl Cost {
    pub(crate) async fn of(node: &Node) -> Self {
        let text = reqwest::get(format!("{}/metrics", node.url)).await.unwrap();
        let text = text.text().await.unwrap();
        let mut cost = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some((name, value)) = line.rsplit_once(' ') else {
                continue;
            };
            let kind = name.split('{').next().unwrap_or_default();
            let counts = [
                "grpc_server_started_total",
                "etcd_network_client_grpc_received_bytes_total",
                "etcd_network_client_grpc_sent_bytes_total",
                "etcd_debugging_mvcc_watcher_total",
                "process_cpu_seconds_total",
            ];
            if counts.contains(&kind) {
                *cost.entry(kind.to_owned()).or_default() += value.parse::<f64>().unwrap();
            }
        }
        Self(cost)
    }

    /// How many requests it has been asked.
    pub(crate) fn requests(&self) -> usize {
        self.0
            .get("grpc_server_started_total")
            .copied()
            .unwrap_or_default() as usize
    }

    fn per_second(&self, before: &Self, seconds: f64) -> BTreeMap<String, f64> {
        let each = |(name, value): (&String, &f64)| {
            let before = before.0.get(name).copied().unwrap_or_default();
            (
                name.clone(),
                ((value - before) / seconds * 10.0).round() / 10.0,
            )
        };
        self.0.iter().map(each).collect()
    }
}

async fn measure(what: &str, node: &Node, lasts: Duration) {
    let before = Cost::of(node).await;
    tokio::time::sleep(lasts).await;
    let after = Cost::of(node).await;
    println!(
        "{what}: a second {:?}",
        after.per_second(&before, lasts.as_secs_f64())
    );
    println!(
        "{what}: watchers {:?}",
        after.0.get("etcd_debugging_mvcc_watcher_total")
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes and says what is in docs/fleet.md"]
async fn load_of_a_thousand_candidates() {
    let mut node = Node::start("etcd-load");
    let mut candidates = Vec::new();
    for _ in 0..CANDIDATES {
        // A client, and so connections, of its own.
        let store = Etcd::connect([&*node.url]).await.unwrap();
        let idle = |_| service_fn(async |cx| cx.cancelled().await);
        let runner = Runner::new(Leader::new("invoices", store, idle));
        runner.start().await.unwrap();
        candidates.push(runner);
    }
    tokio::time::sleep(Duration::from_secs(20)).await;
    measure("while one leads", &node, Duration::from_secs(60)).await;

    let leads = |runner: &Runner<_>| Leader::is_leading(runner.service());
    let leader = candidates.iter().position(leads).expect("one leads");
    let stopped = candidates.swap_remove(leader);
    let before = Cost::of(&node).await;
    let began = std::time::Instant::now();
    stopped.stop().await.unwrap();
    while !candidates.iter().any(leads) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("another one leads after {:?}", began.elapsed());
    tokio::time::sleep(Duration::from_secs(5)).await;
    println!(
        "a hand-over costs {:?}",
        Cost::of(&node).await.per_second(&before, 1.0)
    );

    node.freeze_for(Duration::from_secs(120)).await;
    for second in 0..20 {
        measure(
            &format!("{second} s after it was away"),
            &node,
            Duration::from_secs(1),
        )
        .await;
    }
    futures_util::future::join_all(candidates.iter().map(|runner| runner.stop())).await;
}
