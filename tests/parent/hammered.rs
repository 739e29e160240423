//! Parents cancelled from other threads while runners start, stop and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use startstop_core::{Runner, StartError, State, StopError};
use tokio_util::sync::CancellationToken;

use crate::support::{
    Census, many_threads, obedient, one_thread, park_on, spin_until, watched, within,
};

#[test]
fn a_thousand_runners_of_one_parent_stop_at_once() {
    watched(|| {
        for runtime in [many_threads(), one_thread()] {
            runtime.block_on(within(async {
                let parent = CancellationToken::new();
                let mut all = Vec::new();
                for _ in 0..1_000 {
                    let census = Census::new();
                    let runner = Runner::new(obedient(&census));
                    runner.start_with(&parent).await.expect("ready at once");
                    all.push((runner, census));
                }
                parent.cancel();
                for (runner, census) in &all {
                    runner.wait().await;
                    assert_eq!(runner.state(), State::Stopped);
                    census.assert_settled();
                }
            }));
        }
    });
}

/// While another thread cancels each parent that it is given, after a moment of its own.
fn beside_a_canceller(work: impl FnOnce(&Sender<CancellationToken>)) {
    let (sends, parents) = channel::<CancellationToken>();
    let canceller = thread::spawn(move || {
        let mut random = fastrand::Rng::with_seed(7);
        for parent in parents {
            for _ in 0..random.u32(0..2_000) {
                std::hint::spin_loop();
            }
            parent.cancel();
        }
    });
    work(&sends);
    drop(sends);
    canceller.join().expect("no panic");
}

#[test]
fn a_parent_may_end_at_any_moment_of_a_start_and_a_stop() {
    watched(|| {
        beside_a_canceller(|sends| {
            let runtime = many_threads();
            runtime.block_on(within(async {
                let census = Census::new();
                let runner = Runner::new(obedient(&census));
                for round in 0..5_000 {
                    let root = CancellationToken::new();
                    let parent = if round % 2 == 0 {
                        root.clone()
                    } else {
                        root.child_token()
                    };
                    sends.send(root).expect("it listens");
                    let started = runner.start_with(&parent).await;
                    let expected = matches!(
                        started,
                        Ok(()) | Err(StartError::Stopped | StartError::Cancelled)
                    );
                    assert!(expected, "{started:?}");
                    if round % 3 == 0 {
                        runner.stop().await.expect("an obedient service stops");
                    } else {
                        runner.wait().await;
                    }
                    assert_eq!((runner.state(), census.alive()), (State::Stopped, 0));
                }
                census.assert_settled();
            }));
        });
    });
}

#[test]
fn a_parent_may_end_while_the_last_runner_is_dropped() {
    watched(|| {
        beside_a_canceller(|sends| {
            for runtime in [many_threads(), one_thread()] {
                for round in 0..2_000 {
                    let census = Census::new();
                    let runner = Runner::new(obedient(&census));
                    let parent = CancellationToken::new();
                    runtime
                        .block_on(runner.start_with(&parent))
                        .expect("ready at once");
                    sends.send(parent).expect("it listens");
                    if round % 2 == 0 {
                        drop(runner);
                    } else {
                        runtime.block_on(async { drop(runner) });
                    }
                    runtime.block_on(crate::support::until(|| census.alive() == 0));
                }
            }
        });
    });
}

#[test]
fn a_parent_may_end_from_several_threads_while_others_start_and_stop() {
    watched(|| {
        let runtime = many_threads();
        let census = Census::new();
        let runner = Runner::new(obedient(&census));
        let over = Arc::new(AtomicBool::new(false));
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let (runner, over) = (runner.clone(), Arc::clone(&over));
                let on = runtime.handle().clone();
                thread::spawn(move || {
                    while !over.load(Ordering::SeqCst) {
                        let parent = CancellationToken::new();
                        let other = parent.clone();
                        let cancels = on.spawn(async move { other.cancel() });
                        let _ = on.block_on(runner.start_with(&parent));
                        if fastrand::bool() {
                            let _: Result<(), StopError> = on.block_on(runner.stop());
                        }
                        on.block_on(cancels).expect("no panic");
                    }
                })
            })
            .collect();
        spin_until(|| runner.status().cycles() > 2_000);
        over.store(true, Ordering::SeqCst);
        for worker in workers {
            worker.join().expect("no panic");
        }
        park_on(runner.stop()).expect("an obedient service stops");
        census.assert_settled();
    });
}

#[test]
fn a_parent_may_end_after_its_runtime() {
    watched(|| {
        for _ in 0..50 {
            let parent = CancellationToken::new();
            let census = Census::new();
            let runner = Runner::new(obedient(&census));
            let runtime = many_threads();
            runtime
                .block_on(runner.start_with(&parent))
                .expect("ready at once");
            let canceller = thread::spawn(move || parent.cancel());
            drop(runtime);
            canceller.join().expect("no panic");
            park_on(runner.wait_for(State::Stopped));
            census.assert_settled();
        }
    });
}

#[test]
fn a_parent_that_ends_while_a_restart_is_made_stops_what_comes_of_it() {
    watched(|| {
        beside_a_canceller(|sends| {
            let runtime = many_threads();
            runtime.block_on(within(async {
                let census = Census::new();
                let runner = Runner::new(obedient(&census));
                for round in 0..10_000 {
                    let parent = CancellationToken::new();
                    runner.start_with(&parent).await.expect("ready at once");
                    if round % 2 == 0 {
                        runner.stop().await.expect("an obedient service stops");
                    }
                    sends.send(parent.clone()).expect("it listens");
                    let started = match round % 3 {
                        0 => runner.ensure_running().await,
                        _ => runner.restart().await,
                    };
                    let expected = matches!(
                        started,
                        Ok(()) | Err(StartError::Stopped | StartError::Cancelled)
                    );
                    assert!(expected, "{started:?}");
                    parent.cancelled().await;
                    runner.wait_for(State::Stopped).await;
                }
                census.assert_settled();
            }));
        });
    });
}
