//! A leader that ends by itself, with its service or because that cannot be led.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{
    BoxError, BoxService, Context, Exit, RestartPolicy, Runner, Service, Settings, service_fn,
};
use startstop_fleet::{Leader, LeaseStore, Memory, OnOverrun, Term, Timing};
use tokio::time::timeout;

use crate::support::Cable;

/// It takes longer to stop than a lease lasts.
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

/// A lease that was taken for a service that cannot be led is free again, and its term over.
async fn assert_given_back<S: Service>(
    make: impl Fn(Term) -> S + Send + Sync + 'static,
    says: &str,
) {
    let (store, terms) = (Memory::new(), Arc::new(Mutex::new(Vec::new())));
    let kept = terms.clone();
    let leader = Leader::new("invoices", store.clone(), move |term: Term| {
        kept.lock().unwrap().push(term.clone());
        make(term)
    });
    let runner = Runner::new(leader.ready_when_leading());
    let failed = timeout(Duration::from_secs(60), runner.start()).await;
    let error = failed.expect("in a minute").unwrap_err();
    assert!(format!("{error:?}").contains(says), "{error:?}");
    assert!(store.read("invoices").await.unwrap().is_free(), "{says}");
    let terms = terms.lock().unwrap();
    assert!(
        terms.len() == 1 && !terms[0].is_valid(),
        "{says}: {terms:?}"
    );
}

#[tokio::test]
async fn a_lease_is_given_back_when_its_service_cannot_be_made() {
    struct Panics;
    impl Service for Panics {
        type Error = BoxError;
        async fn run(&self, _: Context) -> Result<(), BoxError> {
            Ok(())
        }
        fn settings(&self) -> Settings {
            panic!("no settings")
        }
    }
    let out = |_| -> BoxService { panic!("out of paper") };
    assert_given_back(out, "out of paper").await;
    assert_given_back(|_| Panics, "no settings").await;
    assert_given_back(|_| Slow, "may outlive its lease").await;
}

/// As a service whose connections are dead when its process was frozen. The blocked thread stands for that.
#[tokio::test]
async fn a_service_that_fails_when_its_term_is_over_does_not_end_its_leader() {
    let cable = Cable::new(&Memory::new());
    let cut = cable.clone();
    let fails = move |term: Term| {
        let cut = cut.clone();
        service_fn(move |_cx: Context| {
            let (term, cut) = (term.clone(), cut.clone());
            async move {
                cut.cut();
                while term.is_valid() {
                    std::thread::yield_now();
                }
                Err::<(), BoxError>("out of paper".into())
            }
        })
    };
    let millis = Duration::from_millis;
    let short = Timing {
        lease: millis(1000),
        renew_by: millis(300),
        retry: millis(100),
        skew: 0.05,
    };
    let settings = Settings::new()
        .stop_timeout(millis(200))
        .abort_timeout(millis(100));
    let leader = Leader::new("invoices", cable, fails)
        .timing(short)
        .settings(settings)
        .on_overrun(OnOverrun::Report);
    let runner = Runner::new(leader);
    let mut events = runner.events();
    runner.start().await.unwrap();
    let told = async {
        let lost = "it was over before it could be renewed";
        while !events.next().await.unwrap().to_string().contains(lost) {}
    };
    timeout(Duration::from_secs(60), told).await.unwrap();
    let errors = format!("{:?}", runner.errors_list());
    assert!(errors.contains("out of paper"), "{errors}");
    assert!(runner.is_ready());
    runner.stop().await.unwrap();
}
