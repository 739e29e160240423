//! A replica on a store: `replica KIND:ADDRESS LOG`, where the kind is `etcd`, `postgres`, `kubernetes` or `dir`.

#[path = "../../../startstop-fleet/tests/replicas/program.rs"]
mod program;

use std::env;
use std::process::ExitCode;

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
        ("kubernetes", _) => {
            let store = Kubernetes::connect().await.expect("KUBECONFIG");
            program::replica(store, log).await
        }
        ("dir", folder) => program::replica(Dir::new(folder), log).await,
        (kind, _) => panic!("{kind} is no store"),
    }
}
