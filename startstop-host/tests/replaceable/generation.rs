//! The generations of the tests, and what they are told.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use startstop_core::{
    Context, EventKind, Readiness, RestartPolicy, Runner, Service, Settings, StartError,
};
use startstop_host::Replaceable;
use tokio::sync::Notify;
use tokio::time::timeout;

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// The log of the generations, and what each is to do.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) made: AtomicU32,
    pub(super) log: Mutex<Vec<String>>,
    /// Each of these fails at its start.
    pub(super) fails: Mutex<Vec<u32>>,
    /// Each of these becomes ready when it is released.
    pub(super) held: Mutex<Vec<u32>>,
    pub(super) release: Notify,
    /// The act of each of these after that.
    pub(super) then: Mutex<Vec<(u32, Act)>>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Act {
    Completes,
    Breaks,
    Lingers,
}

pub(super) struct Generation {
    pub(super) number: u32,
    shared: Arc<Shared>,
    policy: RestartPolicy,
}

impl Shared {
    pub(super) fn log(&self, what: &str, number: u32) {
        self.log.lock().unwrap().push(format!("{what}{number}"));
    }

    pub(super) fn logged(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    pub(super) fn service(self: &Arc<Self>) -> Replaceable<Generation> {
        self.with(RestartPolicy::never())
    }

    pub(super) fn with(self: &Arc<Self>, policy: RestartPolicy) -> Replaceable<Generation> {
        let shared = Arc::clone(self);
        Replaceable::new(move || {
            let number = shared.made.fetch_add(1, Ordering::SeqCst) + 1;
            Generation {
                number,
                shared: Arc::clone(&shared),
                policy: policy.clone(),
            }
        })
    }
}

impl Service for Generation {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let Self { number, shared, .. } = self;
        let has = |list: &Mutex<Vec<u32>>| list.lock().unwrap().contains(number);
        shared.log("+", *number);
        if has(&shared.fails) {
            return Err(io::Error::other("no licence"));
        }
        if has(&shared.held)
            && cx
                .run_until_cancelled(shared.release.notified())
                .await
                .is_none()
        {
            return Ok(());
        }
        cx.ready();
        shared.log("!", *number);
        let act = shared
            .then
            .lock()
            .unwrap()
            .iter()
            .find(|(n, _)| n == number)
            .map(|then| then.1);
        if matches!(act, Some(Act::Completes | Act::Breaks)) {
            cx.run_until_cancelled(shared.release.notified()).await;
            shared.then.lock().unwrap().clear();
            let broken = act == Some(Act::Breaks);
            return if broken {
                Err(io::Error::other("broken"))
            } else {
                Ok(())
            };
        }
        cx.cancelled().await;
        if act == Some(Act::Lingers) {
            std::future::pending::<()>().await;
        }
        shared.log("-", *number);
        Ok(())
    }

    fn settings(&self) -> Settings {
        let settings = Settings::new().name("api").readiness(Readiness::Explicit);
        settings
            .restart(self.policy.clone())
            .stop_timeout(3 * SECOND)
    }
}

pub(super) async fn within<F: Future>(future: F) -> F::Output {
    timeout(3600 * SECOND, future).await.unwrap()
}

pub(super) fn parts<S: Service>(runner: &Runner<S>) -> Vec<String> {
    runner
        .status()
        .children()
        .iter()
        .map(|part| part.path().to_owned())
        .collect()
}

pub(super) async fn started(shared: &Arc<Shared>) -> Runner<Replaceable<Generation>> {
    let runner = Runner::new(shared.service());
    within(runner.start()).await.unwrap();
    runner
}

/// Begins a replacement, and waits until the successor has begun.
pub(super) async fn begun(
    runner: &Runner<Replaceable<Generation>>,
    number: &str,
) -> tokio::task::JoinHandle<Result<(), StartError>> {
    let asks = runner.clone();
    let mut events = runner.events();
    let call = tokio::spawn(async move { asks.service().replace().await });
    let path = format!("{}/{number}", runner.name());
    while let Some(event) = within(events.next()).await {
        if event.path() == path && matches!(event.kind(), EventKind::Starting) {
            return call;
        }
    }
    unreachable!("the runner is alive")
}
