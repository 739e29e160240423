//! A replica on a store: `replica KIND:ADDRESS LOG`, where the kind is `etcd`, `postgres`, `kubernetes` or `dir`. The address of a
//! cluster is the path of a configuration as `kubectl` has it, or nothing for that of `KUBECONFIG`.

#[path = "../../../startstop-fleet/tests/replicas/program.rs"]
mod program;

use std::env;
use std::process::ExitCode;

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use startstop_fleet::{Dir, Etcd, Kubernetes, Postgres};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let store = arguments.next().expect("a store");
    let log = arguments.next().expect("a log").into();
    match store.split_once(':').expect("kind:URL") {
        ("etcd", urls) => {
            let store = Etcd::connect(urls.split(',')).await.expect("etcd answers");
            program::replica(store, log).await
        }
        ("postgres", url) => {
            let store = Postgres::connect(url).await.expect("PostgreSQL answers");
            program::replica(store, log).await
        }
        ("kubernetes", path) => program::replica(kubernetes(path).await, log).await,
        ("dir", folder) => program::replica(Dir::new(folder), log).await,
        (kind, _) => panic!("{kind} is no store"),
    }
}

async fn kubernetes(path: &str) -> Kubernetes {
    if path.is_empty() {
        return Kubernetes::connect().await.expect("KUBECONFIG");
    }
    let config = Kubeconfig::read_from(path).expect("a configuration");
    let config = Config::from_custom_kubeconfig(config, &KubeConfigOptions::default()).await;
    Kubernetes::with_config(config.expect("a cluster")).expect("a client")
}
