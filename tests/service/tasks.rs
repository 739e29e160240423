//! The tasks of an attempt: their names, and waiting for their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use startstop_core::{Cause, Context, Phase, Runner, Settings, service_fn};
use tokio::sync::Notify;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::support::{Caller, SECOND, idle, within};

#[tokio::test(start_paused = true)]
async fn a_failure_of_a_named_task_bears_its_name() {
    let runner = Runner::new(service_fn(async |cx: Context| {
        cx.spawn_named("reader", async { Err::<(), _>("disk full") });
        cx.spawn_named(format!("writer {}", 2), async { panic!("out of cheese") });
        cx.spawn(async { Err::<(), _>("nameless") });
        cx.cancelled().await;
    }));
    runner.start().await.unwrap();
    idle().await;
    runner.stop().await.unwrap();
    let named: Vec<_> = runner.errors_list();
    let named: Vec<_> = named
        .iter()
        .map(|it| (it.phase(), it.cause(), it.task().map(str::to_owned)))
        .collect();
    assert_eq!(
        named,
        [
            (Phase::Task, Cause::Error, Some("reader".to_owned())),
            (Phase::Task, Cause::Panic, Some("writer 2".to_owned())),
            (Phase::Task, Cause::Error, None),
        ]
    );
}

fn slow(cx: &Context, done: &Arc<AtomicUsize>, seconds: u32) {
    let done = Arc::clone(done);
    cx.spawn(async move {
        sleep(seconds * SECOND).await;
        done.fetch_add(1, Ordering::SeqCst);
    });
}

/// Runs this function as the `run` of a service, under a runner and without one.
async fn under_both<F>(run: impl Fn(Context) -> F + Clone + Send + Sync + 'static)
where
    F: Future<Output = ()> + Send + 'static,
{
    let runner = Runner::new(service_fn(run.clone()));
    runner.start().await.unwrap();
    within(runner.wait()).await;
    assert!(
        runner.errors_list().is_empty(),
        "{:?}",
        runner.errors_list()
    );
    within(run(Context::detached(CancellationToken::new()))).await;
}

#[tokio::test(start_paused = true)]
async fn run_waits_for_its_tasks() {
    under_both(async |cx: Context| {
        let done = Arc::default();
        cx.join_tasks().await;
        for seconds in [3, 1, 2] {
            slow(&cx, &done, seconds);
        }
        cx.join_tasks().await;
        assert_eq!(done.load(Ordering::SeqCst), 3);
        cx.join_tasks().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_task_waits_for_all_but_itself() {
    under_both(async |cx: Context| {
        let done = Arc::default();
        slow(&cx, &done, 2);
        let (inner, seen) = (cx.clone(), Arc::clone(&done));
        cx.spawn(async move {
            inner.join_tasks().await;
            assert_eq!(seen.load(Ordering::SeqCst), 1);
            seen.fetch_add(10, Ordering::SeqCst);
        });
        cx.join_tasks().await;
        assert_eq!(done.load(Ordering::SeqCst), 11);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn tasks_spawned_by_tasks_meanwhile_are_not_waited_for() {
    under_both(async |cx: Context| {
        let (done, late) = (Arc::default(), Arc::new(Notify::new()));
        slow(&cx, &done, 1);
        let joined = {
            let cx = cx.clone();
            Caller::of(async move { cx.join_tasks().await }).await
        };
        let wait = Arc::clone(&late);
        cx.spawn(async move { wait.notified().await });
        joined.outcome().await;
        assert_eq!(done.load(Ordering::SeqCst), 1);
        late.notify_one();
        cx.join_tasks().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn to_give_up_waiting_breaks_nothing() {
    under_both(async |cx: Context| {
        let done = Arc::default();
        slow(&cx, &done, 2);
        slow(&cx, &done, 3);
        for _ in 0..3 {
            let joined = tokio::time::timeout(SECOND / 10, cx.join_tasks()).await;
            assert!(joined.is_err());
        }
        cx.join_tasks().await;
        assert_eq!(done.load(Ordering::SeqCst), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_that_wait_for_each_other_do_not_wait_for_ever() {
    let runner = Runner::new(service_fn(async |cx: Context| {
        for _ in 0..200 {
            let inner = cx.clone();
            cx.spawn(async move {
                tokio::time::timeout(SECOND / 50, inner.join_tasks())
                    .await
                    .ok();
            });
        }
        cx.join_tasks().await;
    }));
    runner.start().await.unwrap();
    within(runner.wait()).await;
    assert!(runner.errors_list().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_context_that_is_over_waits_for_nobody() {
    let kept = Arc::new(std::sync::Mutex::new(None));
    let keep = Arc::clone(&kept);
    let runner = Runner::new(service_fn(move |cx: Context| {
        keep.lock().unwrap().get_or_insert(cx.clone());
        cx.spawn({
            let cx = cx.clone();
            async move { cx.cancelled().await }
        });
        async move { cx.cancelled().await }
    }));
    runner.start().await.unwrap();
    idle().await;
    runner.restart().await.unwrap();
    idle().await;
    let old = kept.lock().unwrap().take().unwrap();
    within(old.join_tasks()).await;
    runner.stop().await.unwrap();
}

/// The cost of one message where each of so many tasks waits for its own, or for the stop.
async fn cost_of_a_message(tasks: usize) -> std::time::Duration {
    const MESSAGES: usize = 4_000;
    let doors: Vec<Arc<Notify>> = (0..tasks).map(|_| Arc::default()).collect();
    let seen = Arc::new(AtomicUsize::new(0));
    let (all, count) = (doors.clone(), Arc::clone(&seen));
    let service = service_fn(move |cx: Context| {
        for door in all.clone() {
            let (cx2, count) = (cx.clone(), Arc::clone(&count));
            cx.spawn(async move {
                while cx2.run_until_cancelled(door.notified()).await.is_some() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        async move { cx.cancelled().await }
    });
    // A busy machine may take its time for the end of so many tasks, which is not what is measured.
    let patient = Settings::new().stop_timeout(SECOND * 600);
    let runner = Runner::with_settings(service, patient);
    runner.start().await.unwrap();
    idle().await;
    let begun = std::time::Instant::now();
    for message in 0..MESSAGES {
        doors[message * 7_919 % tasks].notify_one();
        tokio::task::yield_now().await;
    }
    let took = begun.elapsed();
    assert!(seen.load(Ordering::Relaxed) > MESSAGES / 2);
    runner.stop().await.unwrap();
    took
}

#[tokio::test]
async fn a_message_costs_the_same_among_many_that_wait() {
    let mut ratios = Vec::new();
    for _ in 0..5 {
        let (few, many) = (
            cost_of_a_message(100).await,
            cost_of_a_message(20_000).await,
        );
        // A search for a place would make the ratio some hundreds. A part of it is due to the caches of the machine.
        ratios.push(many.as_secs_f64() / few.as_secs_f64());
        if ratios.iter().any(|ratio| *ratio < 8.0) {
            return;
        }
    }
    panic!("{ratios:?}");
}
