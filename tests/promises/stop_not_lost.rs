//! Promise 3: a start and then a stop at once, from any threads, always ends stopped.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvError, Sender, TryRecvError};
use std::thread;

use startstop_core::{Runner, Service, StartError, State};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::support::{Census, many_threads, obedient, one_thread, park_on, poll_once, watched};

const ROUNDS: usize = 10_000;

/// One thread starts and tells so, another stops when it hears: at once, or when it is woken.
fn start_and_stop_from_two_threads(runtime: &Runtime) {
    let census = Census::new();
    let runner = Runner::new(obedient(&census));
    let (tells, hears) = std::sync::mpsc::channel();
    let (answers, answered) = tokio::sync::mpsc::unbounded_channel();
    thread::scope(|scope| {
        let (runner, census) = (&runner, &census);
        scope.spawn(move || {
            while let Ok(()) = soon(&hears) {
                park_on(runner.stop()).expect("an obedient service stops");
                assert_eq!((runner.state(), census.alive()), (State::Stopped, 0));
                answers.send(()).expect("it is heard");
            }
        });
        runtime.block_on(start_each_round(runner, tells, answered));
    });
    census.assert_settled();
}

/// Spins for a moment before it waits, so that it is often as quick as can be.
fn soon(hears: &Receiver<()>) -> Result<(), RecvError> {
    for _ in 0..500 {
        match hears.try_recv() {
            Ok(()) => return Ok(()),
            Err(TryRecvError::Disconnected) => return Err(RecvError),
            Err(TryRecvError::Empty) => std::hint::spin_loop(),
        }
    }
    hears.recv()
}

async fn start_each_round<S: Service>(
    runner: &Runner<S>,
    tells: Sender<()>,
    mut answered: UnboundedReceiver<()>,
) {
    for _ in 0..ROUNDS {
        let mut start = Box::pin(runner.start());
        let polled = poll_once(&mut start).await;
        tells.send(()).expect("it is heard");
        let outcome = match polled {
            Some(outcome) => outcome,
            None => start.await,
        };
        assert!(
            matches!(outcome, Ok(()) | Err(StartError::Stopped)),
            "{outcome:?}"
        );
        answered.recv().await.expect("it answers");
    }
}

#[test]
fn a_stop_is_never_lost_on_many_threads() {
    watched(|| start_and_stop_from_two_threads(&many_threads()));
}

#[test]
fn a_stop_is_never_lost_on_one_thread() {
    watched(|| start_and_stop_from_two_threads(&one_thread()));
}

#[test]
fn a_stop_is_never_lost_when_only_requested() {
    watched(|| {
        let runtime = many_threads();
        let census = Census::new();
        let runner = Arc::new(Runner::new(obedient(&census)));
        let _on = runtime.enter();
        for _ in 0..ROUNDS {
            runner.request_start();
            runner.request_stop();
        }
        park_on(runner.wait());
        assert_eq!(runner.state(), State::Stopped);
        census.assert_settled();
    });
}

#[test]
fn a_stop_that_comes_before_run_was_entered_calls_nothing() {
    one_thread().block_on(async {
        let census = Census::new();
        let runner = Runner::new(obedient(&census));
        runner.request_start();
        assert_eq!(runner.state(), State::Starting);
        runner.stop().await.expect("nothing was entered");
        assert_eq!((runner.state(), census.runs()), (State::Stopped, 0));
    });
}
