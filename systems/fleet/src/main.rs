//! A replica on a server: `replica etcd:URL JOURNAL` `replica postgres:URL JOURNAL` or `replica kubernetes: JOURNAL`.

#[path = "../../../startstop-fleet/tests/replicas/program.rs"]
mod program;

use std::env;
use std::process::ExitCode;

use startstop_fleet::{Etcd, Kubernetes, Postgres};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let store = arguments.next().expect("a store");
    let journal = arguments.next().expect("a journal").into();
    match store.split_once(':').expect("kind:URL") {
        ("etcd", urls) => {
            let store = Etcd::connect(urls.split(',')).await.expect("etcd answers");
            program::replica(store, journal).await
        }
        ("postgres", url) => {
            let store = Postgres::connect(url).await.expect("PostgreSQL answers");
            program::replica(store, journal).await
        }
        ("kubernetes", _) => {
            let store = Kubernetes::connect().await.expect("KUBECONFIG");
            program::replica(store, journal).await
        }
        (kind, _) => panic!("{kind} is no store"),
    }
}
