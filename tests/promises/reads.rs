//! Promise 8: `state`, `is_running`, `is_ready` and `uptime` take no lock; no read waits for foreign code.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context as Task, Wake, Waker};
use std::thread;
use std::time::Duration;

use startstop_core::{
    Backoff, Context, Exit, RestartPolicy, Runner, Service, Settings, State, Status, WeakRunner,
    service_fn,
};

use crate::support::{many_threads, park_on, watched};

fn read<S: Service>(runner: &Runner<S>) -> (State, bool, bool, Duration) {
    (
        runner.state(),
        runner.is_running(),
        runner.is_ready(),
        runner.uptime(),
    )
}

/// A service whose children take their time to be listed.
struct SlowToTell(Sender<()>, Mutex<Receiver<()>>);

impl Service for SlowToTell {
    type Error = std::convert::Infallible;

    async fn run(&self, cx: Context) -> Result<(), Self::Error> {
        cx.cancelled().await;
        Ok(())
    }

    fn children(&self) -> Vec<Status> {
        self.0.send(()).expect("it is heard");
        let _ = self.1.lock().expect("no poison").recv();
        Vec::new()
    }
}

#[test]
fn reads_never_wait_for_a_status_that_takes_its_time() {
    watched(|| {
        let ((asked, hears), (release, held)) = (channel(), channel::<()>());
        let runtime = many_threads();
        let runner = Runner::new(SlowToTell(asked, Mutex::new(held)));
        runtime.block_on(runner.start()).expect("ready at once");
        let clone = runner.clone();
        let status = thread::spawn(move || clone.status());
        hears.recv().expect("it is asked");
        let (state, running, ready, _) = read(&runner);
        assert!(running && ready && state == State::Running);
        assert!(runner.errors_list().is_empty() && runner.history().entries().is_empty());
        runtime
            .block_on(runner.stop())
            .expect("an obedient service stops");
        drop(release);
        status.join().expect("no panic");
    });
}

/// A waker, and an error, that read whatever there is, when they are woken or dropped.
struct Reads<S: Service>(WeakRunner<S>);

impl<S: Service> Reads<S> {
    fn all(&self) {
        let Some(runner) = self.0.upgrade() else {
            return;
        };
        read(&runner);
        drop((
            runner.status(),
            runner.history(),
            runner.errors_last(),
            runner.errors_list(),
        ));
        drop((
            runner.subscribe(),
            runner.wait_for(State::Backoff),
            format!("{runner:?}"),
        ));
    }
}

impl<S: Service> Wake for Reads<S> {
    fn wake(self: Arc<Self>) {
        self.all();
    }
}

impl<S: Service> Drop for Reads<S> {
    fn drop(&mut self) {
        self.all();
    }
}

#[test]
fn reads_never_wait_inside_of_wakers() {
    watched(|| {
        let runtime = many_threads();
        let runner = Runner::new(service_fn(
            |cx: Context| async move { cx.cancelled().await },
        ));
        let _on = runtime.enter();
        for _ in 0..100 {
            let waker = Waker::from(Arc::new(Reads(runner.downgrade())));
            let mut task = Task::from_waker(&waker);
            let mut start = Box::pin(runner.start());
            let _ = start.as_mut().poll(&mut task);
            let mut wait = Box::pin(runner.wait());
            let _ = wait.as_mut().poll(&mut task);
            let mut watch = runner.subscribe();
            let mut changed = Box::pin(watch.changed());
            let _ = changed.as_mut().poll(&mut task);
            let mut stop = Box::pin(runner.stop());
            let _ = stop.as_mut().poll(&mut task);
            drop(waker);
            assert_eq!(park_on(runner.wait()), Exit::Stopped);
        }
    });
}

type Reader = Arc<Mutex<Option<Box<dyn Fn() + Send + Sync>>>>;

struct ReadsWhenDropped(Reader);

impl std::fmt::Debug for ReadsWhenDropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadsWhenDropped")
    }
}

impl std::fmt::Display for ReadsWhenDropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("read me")
    }
}

impl Drop for ReadsWhenDropped {
    fn drop(&mut self) {
        if let Some(read) = &*self.0.lock().expect("no poison") {
            read();
        }
    }
}

impl std::error::Error for ReadsWhenDropped {}

#[test]
fn reads_never_wait_inside_of_a_predicate_or_the_drop_of_an_error() {
    watched(|| {
        let reader: Reader = Arc::default();
        let (of_error, of_policy) = (Arc::clone(&reader), Arc::clone(&reader));
        let policy = RestartPolicy::always()
            .backoff(Backoff::none())
            .limit(20, Duration::MAX);
        let policy = policy.retry_if(move |_| {
            if let Some(read) = &*of_policy.lock().expect("no poison") {
                read();
            }
            true
        });
        let runner = Runner::with_settings(
            service_fn(move |_| {
                let error = ReadsWhenDropped(Arc::clone(&of_error));
                async move { Err::<(), _>(error) }
            }),
            Settings::new().restart(policy).history_capacity(2),
        );
        let reads = Reads(runner.downgrade());
        *reader.lock().expect("no poison") = Some(Box::new(move || reads.all()));
        let runtime = many_threads();
        runtime.block_on(async {
            let _ = runner.start().await;
            assert_eq!(runner.wait().await, Exit::Failed);
        });
        assert_eq!(
            (runner.status().attempts(), runner.history().evicted()),
            (21, 19)
        );
        reader.lock().expect("no poison").take();
    });
}
