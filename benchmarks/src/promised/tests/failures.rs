//! Failures: panics, the history, and restarts after them.

use super::*;

#[tokio::test]
async fn panics_are_failures() {
    let runner = only(|_| panic!("no future"));
    runner.start().await.expect("it was entered");
    assert_eq!(runner.wait().await, Exit::Failed);
    let runner = only(|_| done(async { panic!("in a poll") }));
    runner.start().await.expect("it was entered");
    assert_eq!(runner.wait().await, Exit::Failed);
    assert_eq!(runner.history()[0].error.to_string(), "in a poll");
    let hook = || {
        let bomb = Bomb;
        done(future::poll_fn(move |_| {
            let _ = &bomb;
            std::task::Poll::Ready(Ok(()))
        }))
    };
    let runner = hooked(Settings::default(), idle, hook);
    runner.start().await.expect("it starts");
    runner.stop().await.expect_err("its shutdown panics");
    assert_eq!(runner.causes(), [(Phase::Shutdown, Cause::Panic)]);
    runner.start().await.expect("the runner goes on");
}

/// An error whose drop takes the lock.
struct Asks(Ask);

type Ask = Arc<Mutex<Option<Box<dyn Fn() + Send>>>>;

impl fmt::Debug for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asks")
    }
}

impl fmt::Display for Asks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("asks")
    }
}

impl Error for Asks {}

impl Drop for Asks {
    fn drop(&mut self) {
        if let Some(ask) = &*self.0.lock().expect("nobody panics") {
            ask();
        }
    }
}

/// Fails so many times with such an error.
struct Failing(u64, Ask);

impl Service for Failing {
    type Error = Asks;

    async fn run(&self, cx: Context<Self>) -> Result<(), Asks> {
        if cx.attempt() <= self.0 {
            return Err(Asks(Arc::clone(&self.1)));
        }
        cx.cancelled().await;
        Ok(())
    }
}

#[tokio::test]
async fn the_history_is_bounded_and_errors_are_dropped_outside_of_the_lock() {
    let ask = Arc::new(Mutex::new(None));
    let settings = Settings {
        restarts: 10,
        history: 4,
        ..Settings::default()
    };
    let runner = Runner::new(Failing(10, Arc::clone(&ask)), settings);
    let asked = runner.clone();
    let asks: Box<dyn Fn() + Send> = Box::new(move || assert!(asked.failures() > 4));
    *ask.lock().expect("nobody panics") = Some(asks);
    runner.start().await.expect("it was entered");
    while runner.failures() < 10 || !runner.is_running() {
        tokio::task::yield_now().await;
    }
    let attempts: Vec<u64> = runner.history().iter().map(|it| it.attempt).collect();
    assert_eq!(attempts, [7, 8, 9, 10]);
    assert!(runner.history().is_sorted_by_key(|it| it.at));
    assert_eq!(runner.0.lock().history.evicted, 6);
    runner.stop().await.expect("it stops");
    let old = ask.lock().expect("nobody panics").take();
    drop(old);
}

#[tokio::test]
async fn the_limit_of_restarts_is_kept() {
    let ask = Arc::new(Mutex::new(None));
    let settings = Settings {
        restarts: 2,
        backoff: Duration::from_millis(1),
        ..Settings::default()
    };
    let runner = Runner::new(Failing(10, ask), settings);
    runner.start().await.expect("it was entered");
    assert_eq!(runner.wait().await, Exit::Failed);
    assert_eq!(runner.failures(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_backoff_and_a_start_makes_it_short() {
    let settings = Settings {
        restarts: u32::MAX,
        backoff: Duration::from_mins(1),
        ..Settings::default()
    };
    let runner = Runner::new(Failing(2, Arc::new(Mutex::new(None))), settings);
    let began = tokio::time::Instant::now();
    for _ in 0..3 {
        runner.start().await.expect("it was entered");
        tokio::task::yield_now().await;
    }
    assert!(runner.is_running());
    assert_eq!(began.elapsed().as_secs(), 0);
    runner.restart().await.expect("it was entered");
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    assert_eq!(runner.state(), State::Backoff);
    runner.stop().await.expect("nothing is alive");
    assert_eq!(
        (runner.state(), runner.wait().await),
        (State::Stopped, Exit::Stopped)
    );
}
