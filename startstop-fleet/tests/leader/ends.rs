//! A leader that ends by itself, with its service or because that cannot be led.

use std::time::Duration;

use startstop_core::{
    BoxError, Context, Exit, RestartPolicy, Runner, Service, Settings, service_fn,
};
use startstop_fleet::{Leader, LeaseStore, Memory};
use tokio::time::timeout;

#[tokio::test]
async fn a_service_that_ends_by_itself_ends_the_leader_and_releases_the_lease() {
    let store = Memory::new();
    let done = |_| service_fn(async |_cx| {});
    let completed = Runner::new(Leader::new("job", store.clone(), done));
    completed.start().await.unwrap();
    assert_eq!(completed.wait().await, Exit::Completed);
    assert!(store.read("job").await.unwrap().is_free());

    let fails = |_| service_fn(async |_cx| Err::<(), BoxError>("out of paper".into()));
    let failed = Runner::new(Leader::new("job", store.clone(), fails));
    failed.start().await.unwrap();
    assert_eq!(failed.wait().await, Exit::Failed);
    let failure = failed.errors_last().unwrap();
    assert!(
        format!("{failure:?}").contains("out of paper"),
        "{failure:?}"
    );
    assert!(store.read("job").await.unwrap().is_free());
}

#[tokio::test]
async fn a_service_whose_own_settings_do_not_fit_its_term_ends_its_leader_for_good() {
    struct Slow;
    impl Service for Slow {
        type Error = BoxError;
        async fn run(&self, cx: Context) -> Result<(), BoxError> {
            cx.cancelled().await;
            Ok(())
        }
        fn settings(&self) -> Settings {
            Settings::new().stop_timeout(Duration::from_secs(60))
        }
    }
    let leader = Leader::new("invoices", Memory::new(), |_| Slow);
    let again = RestartPolicy::on_failure().forever();
    let runner = Runner::with_settings(leader, Settings::new().restart(again));
    runner.request_start();
    let ended = timeout(Duration::from_secs(60), runner.wait()).await;
    assert_eq!(ended.expect("in a minute"), Exit::Failed);
    let failure = runner.errors_last().unwrap();
    assert!(
        format!("{failure:?}").contains("may outlive its lease"),
        "{failure:?}"
    );
}
