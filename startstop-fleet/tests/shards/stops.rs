//! A stop that comes while shards start or move is a stop in order.

use startstop_core::{BoxService, Exit, Runner, Service, service_fn};
use startstop_fleet::{Memory, Shards, Term};

fn some(store: &Memory) -> Runner<Shards<BoxService, Memory>> {
    let idle = |_, _: Term| service_fn(async |cx| cx.cancelled().await).boxed();
    let shards = Shards::new("orders", 200, store.clone(), idle);
    Runner::new(shards)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_the_middle_of_starts_is_no_failure() {
    for moment in 0..40 {
        let store = Memory::new();
        let runner = some(&store);
        runner.start().await.unwrap();
        let mut owned = runner.service().owned();
        let some = owned.wait_for(|owned| owned.len() > 5 * moment);
        some.await.unwrap();
        runner.stop().await.unwrap();
        assert_eq!(runner.status().last_exit(), Exit::Stopped);
        assert!(
            runner.errors_list().is_empty(),
            "{:?}",
            runner.errors_list()
        );
    }
}
