//! A program that has nothing to tell, and what comes of it.

use std::process::ExitCode;

use startstop_core::{Group, State, once, service_fn};
use startstop_host::Host;

#[tokio::test]
async fn its_exit_code_is_that_of_the_service() {
    let done = Host::new(once(async |_cx| ())).run().await;
    let failed = Host::new(once(async |_cx| Err::<(), _>("as a test")))
        .run()
        .await;
    assert_eq!((done, failed), (ExitCode::SUCCESS, ExitCode::FAILURE));
}

#[test]
fn a_main_needs_no_runtime() {
    let host = Host::new(once(async |_cx| ()));
    let runner = host.runner();
    assert_eq!(host.main(), ExitCode::SUCCESS);
    assert_eq!(runner.status().cycles(), 1);
}

#[tokio::test]
async fn the_paths_are_those_of_the_service() {
    let db = service_fn(async |cx| cx.cancelled().await);
    let host = Host::new(Group::builder("shop").with("db", db).build().unwrap());
    let runner = host.runner();
    let run = tokio::spawn(host.run());
    runner.wait_for(State::Running).await;
    assert_eq!(runner.status().path(), "shop");
    assert_eq!(runner.status().children()[0].path(), "shop/db");
    runner.request_stop();
    assert_eq!(run.await.unwrap(), ExitCode::SUCCESS);
}
