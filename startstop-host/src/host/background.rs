//! The thread of the host's own parts, with a runtime and a runner of their own.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use startstop_core::{
    Backoff, BoxService, EventKind, Events, Group, RestartPolicy, Runner, Settings,
};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::stderr::{flush, tell_aside};

/// How long a part that has failed waits before it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// How long an end waits for parts that have not begun.
const BEGIN: Duration = Duration::from_secs(1);

/// How long the parts may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// How long the program waits for their end: what blocks their thread, the text of an error say, does not keep it.
const END: Duration = Duration::from_secs(4);

/// The parts of the host, by their names.
pub(crate) type Parts = Vec<(&'static str, BoxService)>;

/// The parts of the host while they run. They end when it is dropped.
pub(crate) struct Background {
    /// Ends the parts when it is dropped.
    end: oneshot::Sender<()>,
    ended: mpsc::Receiver<()>,
}

impl Background {
    /// Runs the parts, by their names, each restarted for ever; `None` if there are none. The error is a text. `make` is called
    /// inside their runtime: a task that it spawns is one of theirs.
    pub(crate) fn spawn(
        make: impl FnOnce() -> Result<Parts, String>,
    ) -> Result<Option<Self>, String> {
        let runtime = runtime().map_err(|error| format!("cannot make a runtime: {error}"))?;
        let parts = {
            let _inside = runtime.enter();
            make()
        };
        match parts {
            Ok(parts) if !parts.is_empty() => Self::begin(runtime, parts).map(Some),
            nothing => {
                // This may be called within another runtime, where waiting for the end of this one panics.
                runtime.shutdown_background();
                nothing.map(|_| None)
            }
        }
    }

    fn begin(runtime: Runtime, parts: Parts) -> Result<Self, String> {
        let (end, asked) = oneshot::channel();
        let (done, ended) = mpsc::channel::<()>();
        let (give, take) = mpsc::channel::<Runtime>();
        let run = move || {
            let Ok(runtime) = take.recv() else {
                return;
            };
            runtime.block_on(run(parts, asked));
            // A blocking call of a part must not hold up the end.
            runtime.shutdown_background();
            flush();
            drop(done);
        };
        let thread = thread::Builder::new().name("startstop-host".into());
        if let Err(error) = thread.spawn(run) {
            // As above: this may be within another runtime.
            runtime.shutdown_background();
            return Err(format!("cannot start a thread: {error}"));
        }
        drop(give.send(runtime));
        Ok(Self { end, ended })
    }

    /// Ends the parts, and waits until they have ended, or are late.
    pub(crate) async fn end(self) {
        drop(self.end);
        let (tell, over) = oneshot::channel::<()>();
        let ended = self.ended;
        // The clock of the runtime may stand still, and it may have none.
        let wait = move || {
            let _ = ended.recv_timeout(END);
            drop(tell);
        };
        drop(
            thread::Builder::new()
                .name("startstop-end".into())
                .spawn(wait),
        );
        drop(over.await);
    }
}

fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
}

async fn run(parts: Parts, asked: oneshot::Receiver<()>) {
    let mut group = Group::builder("host").settings(Settings::new().history_capacity(1));
    for (name, part) in parts {
        group = group.with(name, Runner::with_settings(part, settings().name(name)));
    }
    let Ok(group) = group.build() else {
        unreachable!("the names are ours, each given once")
    };
    let runner = Runner::new(group);
    let told = tokio::spawn(tell_failures(runner.events()));
    // A service that fails at once ends before the parts are ready. They are started all the same, to tell of it.
    drop(timeout(BEGIN, runner.start()).await);
    // The drop of the sender asks for the end.
    drop(asked.await);
    drop(runner.stop_within(GOODBYE).await);
    drop(runner);
    drop(told.await);
}

fn settings() -> Settings {
    let policy = RestartPolicy::always()
        .forever()
        .backoff(Backoff::constant(RETRY));
    Settings::new().restart(policy).history_capacity(1)
}

async fn tell_failures(mut events: Events) {
    while let Some(event) = events.next().await {
        if let EventKind::Failed(failure) = event.kind() {
            tell_aside(&format!("{}: {}", event.path(), failure.error()));
        }
    }
}
