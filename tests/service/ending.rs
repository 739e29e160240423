//! The ends of attempts: of a job with its tasks, of futures whose drop panics.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context as Task, Poll};

use startstop_core::{
    BoxError, Cause, Context, Exit, Permanent, Phase, RestartPolicy, Runner, Service, Settings,
    StartError, State, StopError, once, service_fn,
};
use tokio::time::{Instant, sleep};

use crate::support::{SECOND, assert_took, idle, start, within};

/// Ends with an error, and panics when it is dropped after that.
struct Falls {
    error: Option<BoxError>,
}

impl Falls {
    fn with(error: impl Into<BoxError>) -> Self {
        Self {
            error: Some(error.into()),
        }
    }
}

impl Future for Falls {
    type Output = Result<(), BoxError>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<Self::Output> {
        Poll::Ready(Err(self.error.take().expect("it is polled once")))
    }
}

impl Drop for Falls {
    fn drop(&mut self) {
        assert!(self.error.is_some(), "out of cheese");
    }
}

struct Falling(Phase);

impl Service for Falling {
    type Error = BoxError;

    fn run(&self, cx: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        let falls = self.0 == Phase::Run;
        if self.0 == Phase::Task {
            cx.spawn(Falls::with("disk full"));
        }
        let error = if falls {
            Some(Permanent::new("disk full").into())
        } else {
            None
        };
        Either(
            error.map(|error| Falls { error: Some(error) }),
            cx.cancelled_owned(),
        )
    }

    fn shutdown(&self, _: Context) -> impl Future<Output = Result<(), BoxError>> + Send {
        let falls = self.0 == Phase::Shutdown;
        Either(
            falls.then(|| Falls::with("disk full")),
            std::future::ready(()),
        )
    }
}

/// Falls, or waits.
struct Either<W>(Option<Falls>, W);

impl<W: Future<Output = ()> + Unpin> Future for Either<W> {
    type Output = Result<(), BoxError>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Task<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Some(falls) => Pin::new(falls).poll(task),
            None => Pin::new(&mut self.1).poll(task).map(Ok),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_is_kept_although_the_drop_panics_after_it() {
    for phase in [Phase::Run, Phase::Shutdown, Phase::Task] {
        let policy = RestartPolicy::always().forever();
        let runner = Runner::with_settings(Falling(phase), Settings::new().restart(policy));
        runner.start().await.unwrap();
        idle().await;
        if phase != Phase::Run {
            let _ = within(runner.stop()).await;
        }
        within(runner.wait()).await;
        let errors = runner.errors_list();
        let causes: Vec<_> = errors.iter().map(|it| (it.phase(), it.cause())).collect();
        assert_eq!(causes, [(phase, Cause::Error), (phase, Cause::Panic)]);
        let own = errors[0].error();
        assert!(own.to_string().contains("disk full"), "{own}");
        assert_eq!(
            runner.status().attempts(),
            1,
            "what is permanent stays permanent"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_cycle_fails_with_the_error_and_not_with_the_panic() {
    let settings = Settings::new().readiness(startstop_core::Readiness::Explicit);
    let runner = Runner::with_settings(Falling(Phase::Run), settings);
    let Err(StartError::Failed(failure)) = runner.start().await else {
        panic!("it has failed")
    };
    assert_eq!(failure.cause(), Cause::Error);
}

fn after(seconds: u32, cx: &Context, done: &Arc<AtomicUsize>, result: Result<(), &'static str>) {
    let done = Arc::clone(done);
    cx.spawn(async move {
        sleep(seconds * SECOND).await;
        done.fetch_add(1, Ordering::SeqCst);
        result
    });
}

#[tokio::test(start_paused = true)]
async fn a_job_is_done_when_its_last_task_is() {
    let done = Arc::new(AtomicUsize::new(0));
    let tasks = Arc::clone(&done);
    let job = once(move |cx: Context| {
        // Longer than any timeout.
        for seconds in [100, 3] {
            after(seconds, &cx, &tasks, Ok(()));
        }
        async move { assert!(!cx.is_cancelled()) }
    });
    let runner = Runner::with_settings(job, Settings::new().stop_timeout(SECOND));
    let begun = Instant::now();
    let first = start(&runner).await;
    sleep(50 * SECOND).await;
    assert!(first.is_waiting() && !runner.is_ready());
    assert_eq!(
        (runner.state(), done.load(Ordering::SeqCst)),
        (State::Starting, 1)
    );
    first.outcome().await.unwrap();
    assert_took(begun, 100 * SECOND);
    assert_eq!(within(runner.wait()).await, Exit::Completed);
    assert!(runner.is_ready() && runner.errors_list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_job_fails_with_its_task_once_all_have_ended() {
    for failing in [3, 100] {
        let done = Arc::new(AtomicUsize::new(0));
        let tasks = Arc::clone(&done);
        let job = once(move |cx: Context| {
            for seconds in [100, 3] {
                let result = if seconds == failing {
                    Err("disk full")
                } else {
                    Ok(())
                };
                after(seconds, &cx, &tasks, result);
            }
            async {}
        });
        let runner = Runner::new(job);
        let begun = Instant::now();
        let Err(StartError::Failed(failure)) = within(runner.start()).await else {
            panic!("a task has failed")
        };
        assert_took(begun, 100 * SECOND);
        assert_eq!(
            (failure.phase(), failure.error().to_string().as_str()),
            (Phase::Task, "disk full")
        );
        assert_eq!(
            (within(runner.wait()).await, done.load(Ordering::SeqCst)),
            (Exit::Failed, 2)
        );
        assert!(!runner.is_ready());
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_has_failed_before_the_job_returns_counts_too() {
    let job = once(async |cx: Context| {
        cx.spawn_named("reader", async { Err::<(), _>("disk full") });
        sleep(SECOND).await;
    });
    let runner = Runner::new(job);
    assert!(matches!(
        within(runner.start()).await,
        Err(StartError::Failed(_))
    ));
    assert_eq!(within(runner.wait()).await, Exit::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_stop_of_a_job_whose_tasks_go_on_is_a_stop() {
    let stops = Arc::new(AtomicUsize::new(0));
    let (tells, count) = (Arc::clone(&stops), Arc::clone(&stops));
    let job = service_fn(move |cx: Context| {
        let (task, tells) = (cx.clone(), Arc::clone(&tells));
        cx.spawn(async move {
            task.cancelled().await;
            tells.fetch_add(1, Ordering::SeqCst);
        });
        async {}
    })
    .on_shutdown(move |_cx| {
        count.fetch_add(10, Ordering::SeqCst);
        async {}
    });
    let settings = Settings::new().readiness(startstop_core::Readiness::Completion);
    let runner = Runner::with_settings(job, settings);
    let first = start(&runner).await;
    assert_eq!(runner.state(), State::Starting);
    within(runner.stop()).await.unwrap();
    assert!(matches!(first.outcome().await, Err(StartError::Stopped)));
    assert_eq!(runner.wait().await, Exit::Stopped);
    assert_eq!(
        stops.load(Ordering::SeqCst),
        11,
        "it is a part of the job, which is told to stop"
    );
}

#[tokio::test(start_paused = true)]
async fn a_task_of_a_job_that_does_not_listen_is_aborted_at_the_deadline() {
    let job = once(async |cx: Context| cx.spawn(std::future::pending::<()>()));
    let runner = Runner::new(job);
    let first = start(&runner).await;
    let begun = Instant::now();
    assert!(matches!(
        within(runner.stop()).await,
        Err(StopError::TimedOut)
    ));
    assert_took(begun, 5 * SECOND);
    assert!(matches!(first.outcome().await, Err(StartError::Stopped)));
    assert_eq!(runner.wait().await, Exit::Aborted);

    let first = start(&runner).await;
    within(runner.stop_within(std::time::Duration::ZERO))
        .await
        .unwrap();
    assert!(first.outcome().await.is_err());
    assert_eq!(runner.wait().await, Exit::Aborted);
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_task_has_failed_is_tried_again() {
    let job = once(async |cx: Context| {
        let fails = cx.attempt() < 3;
        cx.spawn(async move {
            sleep(SECOND).await;
            if fails { Err("again") } else { Ok(()) }
        });
    });
    let settings = Settings::new().restart(RestartPolicy::on_failure());
    let runner = Runner::with_settings(job, settings);
    within(runner.start()).await.unwrap();
    assert_eq!(
        (runner.status().attempts(), runner.errors_list().len()),
        (3, 2)
    );
}

#[tokio::test(start_paused = true)]
async fn the_tasks_of_a_service_that_is_no_job_are_told_when_it_ends() {
    let runner = Runner::new(service_fn(async |cx: Context| {
        let task = cx.clone();
        cx.spawn(async move { task.cancelled().await });
    }));
    runner.start().await.unwrap();
    assert_eq!(within(runner.wait()).await, Exit::Completed);
}
