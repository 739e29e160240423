//! Errors that say that restarting is pointless, and predicates that do.

use std::io;

use startstop_core::{
    Backoff, BoxError, Cause, Context, EventKind, Exit, Group, Member, OnFailure, Permanent, Phase,
    Readiness, RestartPolicy, Runner, Settings, State, service_fn,
};

use crate::support::{assert_panicked, within};

#[derive(Debug, thiserror::Error)]
enum Wrapper {
    #[error(transparent)]
    Transparent(#[from] Permanent),
    #[error("with a source")]
    Source(#[source] Permanent),
    #[error(transparent)]
    Anyhow(anyhow::Error),
}

type Maker = fn(u64) -> BoxError;

fn attempts_before(make: Maker) -> impl Future<Output = u64> {
    let policy = RestartPolicy::always()
        .backoff(Backoff::none())
        .limit(20, super::seconds(60));
    let service = service_fn(move |cx: Context| async move { Err::<(), _>(make(cx.attempt())) });
    let runner = Runner::with_settings(service, Settings::new().restart(policy));
    async move {
        runner.request_start();
        assert_eq!(runner.wait().await, Exit::Failed);
        runner.status().attempts()
    }
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_ends_the_cycle_at_once_however_it_is_wrapped() {
    within(async {
        let makers: [(&str, Maker); 9] = [
            ("direct", |_| Permanent::new("no").into()),
            ("of an io error", |_| {
                Permanent::new(io::Error::other("no")).into()
            }),
            ("anyhow", |_| {
                anyhow::Error::new(Permanent::new("no")).into()
            }),
            ("anyhow with context", |_| {
                anyhow::Error::new(Permanent::new("no"))
                    .context("deep")
                    .context("deeper")
                    .into()
            }),
            ("io", |_| io::Error::other(Permanent::new("no")).into()),
            ("io of io", |_| {
                io::Error::other(io::Error::other(Permanent::new("no"))).into()
            }),
            ("transparent", |_| {
                Wrapper::from(Permanent::new("no")).into()
            }),
            ("source", |_| Wrapper::Source(Permanent::new("no")).into()),
            ("transparent anyhow", |_| {
                Wrapper::Anyhow(anyhow::Error::new(Permanent::new("no"))).into()
            }),
        ];
        for (name, make) in makers {
            assert_eq!(attempts_before(make).await, 1, "{name}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_counts_when_it_comes() {
    within(async {
        let make = |attempt| -> BoxError {
            if attempt < 3 {
                "again".into()
            } else {
                Permanent::new("enough").into()
            }
        };
        assert_eq!(attempts_before(make).await, 3);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_permanent_error_keeps_what_it_wraps() {
    within(async {
        let service = service_fn(|_| async { Err::<(), _>(Permanent::new("bad credentials")) });
        let runner =
            Runner::with_settings(service, Settings::new().restart(RestartPolicy::always()));
        let _ = runner.start().await;
        runner.wait().await;
        let last = runner.errors_last().expect("it failed");
        assert_eq!(
            (last.error().to_string(), last.cause()),
            ("bad credentials".to_owned(), Cause::Error)
        );
        assert!(last.error().downcast_ref::<Permanent>().is_some());
        assert!(!last.to_string().contains("limit"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn retry_if_decides_on_the_failure() {
    within(async {
        let policy = RestartPolicy::on_failure()
            .backoff(Backoff::none())
            .forever();
        let policy = policy.retry_if(|failure| failure.error().to_string() != "enough");
        let service = service_fn(|cx: Context| async move {
            Err::<(), _>(if cx.attempt() < 5 { "again" } else { "enough" })
        });
        let runner = Runner::with_settings(service, Settings::new().restart(policy));
        runner.request_start();
        assert_eq!(runner.wait().await, Exit::Failed);
        assert_eq!(runner.status().attempts(), 5);
        runner.request_start();
        assert_eq!(runner.wait().await, Exit::Failed);
        assert_eq!(runner.status().attempts(), 10);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn retry_if_that_panics_has_not_said_yes() {
    within(async {
        let policy = RestartPolicy::on_failure()
            .backoff(Backoff::none())
            .forever();
        let policy = policy.retry_if(|_| panic!("cannot tell"));
        let settings = Settings::new()
            .restart(policy)
            .readiness(Readiness::Explicit);
        let runner = Runner::with_settings(crate::support::failing("x"), settings);
        let error = runner.start().await.unwrap_err();
        assert_eq!(error.to_string(), runner.errors_list()[0].to_string());
        assert_eq!(runner.wait().await, Exit::Failed);
        assert_eq!(runner.status().attempts(), 1);
        let [asked, panicked] = &runner.errors_list()[..] else {
            panic!("{:?}", runner.errors_list())
        };
        assert_eq!((asked.attempt(), asked.cause()), (1, Cause::Error));
        assert_eq!((panicked.cycle(), panicked.attempt()), (1, 1));
        assert_panicked(panicked, Phase::Run, "cannot tell");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn whoever_sees_the_end_sees_the_panic_of_retry_if_and_a_group_goes_on_after_it() {
    let policy = RestartPolicy::on_failure().retry_if(|_| panic!("cannot tell"));
    let settings = Settings::new().restart(policy).history_capacity(0);
    let job = Runner::with_settings(crate::support::failing("x"), settings);
    let group = Group::builder("app")
        .with(
            "job",
            Member::new(job.clone()).on_failure(OnFailure::Ignore),
        )
        .with("idle", service_fn(async |cx: Context| cx.cancelled().await));
    let app = Runner::new(group.build().unwrap());
    let mut events = job.events();
    within(app.start()).await.unwrap();
    within(job.wait_for(State::Stopped)).await;
    assert_panicked(&job.errors_last().unwrap(), Phase::Run, "cannot tell");
    assert!(app.is_running());
    let mut told = Vec::new();
    while let Some(event) = events.try_next() {
        match event.kind() {
            EventKind::Failed(failure) => told.push(failure.cause().to_string()),
            EventKind::Stopped { .. } => told.push("stopped".to_owned()),
            _ => {}
        }
    }
    assert_eq!(told, ["error", "panic", "stopped"]);
    within(app.stop()).await.unwrap();
}
