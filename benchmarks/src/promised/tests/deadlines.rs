//! Deadlines, also where nobody polls and where a worker is blocked.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_deadline_is_kept_though_nobody_polls() {
    let runner = only(|_| {
        let bomb = Bomb;
        done(async move {
            let _bomb = bomb;
            future::pending().await
        })
    });
    runner.start().await.expect("it starts");
    let began = tokio::time::Instant::now();
    polled_once(runner.stop());
    assert_eq!(runner.wait().await, Exit::Aborted);
    assert_eq!(began.elapsed().as_secs(), 5);
    assert_eq!(
        runner.causes(),
        [(Phase::Run, Cause::TimedOut), (Phase::Run, Cause::Panic)]
    );
    let runner = hooked(Settings::default(), idle, || done(future::pending()));
    runner.start().await.expect("it starts");
    assert!(matches!(runner.stop().await, Err(StopError::TimedOut)));
    assert_eq!(runner.causes(), [(Phase::Shutdown, Cause::TimedOut)]);
}

#[tokio::test(start_paused = true)]
async fn shutdown_is_called_while_run_goes_on() {
    let told = Arc::new(Notify::new());
    let (waits, tells) = (Arc::clone(&told), Arc::clone(&told));
    let run = move |_| {
        let waits = Arc::clone(&waits);
        done(async move {
            waits.notified().await;
            Err(Wrong)
        })
    };
    let hook = move || {
        tells.notify_one();
        done(async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(())
        })
    };
    let runner = hooked(Settings::default(), run, hook);
    runner.start().await.expect("it starts");
    let began = tokio::time::Instant::now();
    assert!(matches!(runner.stop().await, Err(StopError::Failed(_))));
    assert_eq!(began.elapsed().as_secs(), 1);
    assert_eq!(runner.causes(), [(Phase::Run, Cause::Error)]);
}

#[test]
fn what_blocks_its_worker_is_given_up_on_time_and_shutdown_frees_it() {
    for frees in [false, true] {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime can be built");
        let (free, freed) = mpsc::channel::<()>();
        let (free, freed) = (Arc::new(Mutex::new(free)), Arc::new(Mutex::new(freed)));
        let run = move |_| {
            let freed = Arc::clone(&freed);
            done(async move {
                // It blocks the worker that has polled the timers.
                tokio::time::sleep(Duration::from_millis(1)).await;
                freed
                    .lock()
                    .expect("nobody panics")
                    .recv()
                    .expect("it is freed");
                Ok(())
            })
        };
        let of_hook = Arc::clone(&free);
        let hook = move || {
            if frees {
                of_hook
                    .lock()
                    .expect("nobody panics")
                    .send(())
                    .expect("it waits");
            }
            done(future::ready(Ok(())))
        };
        let runner = hooked(short(), run, hook);
        runtime.block_on(runner.start()).expect("it starts");
        thread::sleep(Duration::from_millis(20));
        let stopped = runtime.block_on(runner.stop());
        if frees {
            stopped.expect("its shutdown has freed it");
        } else {
            assert!(matches!(stopped, Err(StopError::Unresponsive)));
            let started = runtime.block_on(runner.start());
            assert!(matches!(started, Err(StartError::Unresponsive)));
            assert_eq!(runner.state(), State::Stopping);
            free.lock()
                .expect("nobody panics")
                .send(())
                .expect("it waits");
            while runner.state() != State::Stopped {
                thread::yield_now();
            }
            assert_eq!(runtime.block_on(runner.wait()), Exit::Unresponsive);
        }
    }
}
