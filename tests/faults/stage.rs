//! Brings a service into a phase, does the fault to it, and looks at what became of it.

use std::time::Duration;

use startstop_core::{
    Backoff, Cause, Exit, Phase, Readiness, RestartPolicy, Runner, Settings, State,
};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use super::subject::Subject;
use super::table::{During, Fault};
use crate::support::{Act, Caller, Event, Remote, SECOND, until, within};
use crate::trace::Scribe;

/// Longer than all deadlines together, in paused time.
const LATER: Duration = Duration::from_secs(3600);

/// The outcome for the service.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) state: State,
    /// If it has ended.
    pub(super) exit: Option<Exit>,
    /// Those that came of the fault.
    pub(super) failures: Vec<(Phase, Cause)>,
}

struct Stage {
    runner: Runner<Subject>,
    probe: Remote,
    parent: CancellationToken,
    /// The call that waits; none where the last handle is dropped, since a call keeps one.
    caller: Option<Caller<()>>,
}

pub(super) fn play(during: During, fault: Fault) -> Seen {
    let runtime = runtime(fault);
    let stage = runtime.block_on(within(bring(during, fault)));
    let failures_before = usize::from(during == During::Backoff);
    let mut seen = match fault {
        Fault::HandleDrop => return runtime.block_on(within(drop_handle(stage, during))),
        Fault::RuntimeEnd => {
            drop(runtime);
            stage.seen()
        }
        Fault::Block if during != During::Backoff => runtime.block_on(within(give_up(stage))),
        fault => runtime.block_on(within(happen(stage, during, fault))),
    };
    seen.failures.drain(..failures_before);
    seen
}

/// Paused time; but what blocks its thread needs other threads, and time that passes.
fn runtime(fault: Fault) -> Runtime {
    let runtime = match fault {
        Fault::Block => Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            .build(),
        _ => Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build(),
    };
    runtime.expect("a runtime")
}

fn settings(during: During, fault: Fault) -> Settings {
    // Real time here: even on a busy machine the service gets to its phase in less.
    let patience = if fault == Fault::Block {
        Duration::from_millis(250)
    } else {
        SECOND
    };
    let settings = Settings::new()
        .readiness(Readiness::Explicit)
        .start_timeout(patience)
        .stop_timeout(patience)
        .abort_timeout(patience);
    match (during, fault) {
        (During::Running, Fault::Hang | Fault::Block) => settings.watchdog(patience),
        (During::Backoff, _) => {
            let policy = RestartPolicy::on_failure().backoff(Backoff::constant(60 * SECOND));
            settings.restart(policy)
        }
        _ => settings,
    }
}

/// Tells the probe what it has to know before it starts. A block is told beforehand, so that it comes
/// before the deadline that it defies.
fn prepare(probe: &Remote, during: During, fault: Fault) {
    match during {
        During::Starting => {}
        During::Running | During::Stopping => probe.tell(Act::Ready),
        During::Backoff => probe.tell(Act::Fail("before the backoff")),
    }
    match (during, fault) {
        (During::Stopping, Fault::Block) => probe.on_cancel(Act::Block),
        (During::Stopping, _) => probe.on_cancel(Act::Hang),
        (During::Starting | During::Running, Fault::Block) => probe.tell(Act::Block),
        _ => {}
    }
}

async fn bring(during: During, fault: Fault) -> Stage {
    let (subject, probe) = Subject::new();
    let runner = Runner::with_settings(subject, settings(during, fault));
    prepare(&probe, during, fault);
    let mut stage = Stage {
        runner,
        probe,
        parent: CancellationToken::new(),
        caller: None,
    };
    if fault == Fault::HandleDrop {
        stage.request(during).await;
    } else {
        stage.call(during).await;
    }
    match during {
        During::Starting => stage.probe.until(Event::Run(1, 1)).await,
        During::Running => {}
        During::Stopping => stage.probe.until(Event::Cancelled).await,
        During::Backoff => stage.runner.wait_for(State::Backoff).await,
    }
    stage
}

impl Stage {
    /// Makes the calls that lead into the phase; the last of them waits.
    async fn call(&mut self, during: During) {
        let (runner, parent) = (self.runner.clone(), self.parent.clone());
        let start = async move { runner.start_with(&parent).await };
        if matches!(during, During::Starting | During::Backoff) {
            self.caller = Some(Caller::of(async move { drop(start.await) }).await);
            return;
        }
        start.await.expect("it says that it is ready");
        let runner = self.runner.clone();
        let wait = async move {
            match during {
                During::Running => _ = runner.wait().await,
                _ => drop(runner.stop().await),
            }
        };
        self.caller = Some(Caller::of(wait).await);
    }

    /// The same without anybody who waits.
    async fn request(&self, during: During) {
        self.runner.request_start();
        if matches!(during, During::Running | During::Stopping) {
            self.runner.wait_for(State::Running).await;
        }
        if during == During::Stopping {
            self.runner.request_stop();
        }
    }

    fn seen(&self) -> Seen {
        let state = self.runner.state();
        let exit = (state == State::Stopped).then(|| self.runner.status().last_exit());
        let list = self.runner.errors_list();
        Seen {
            state,
            exit,
            failures: list.iter().map(|it| (it.phase(), it.cause())).collect(),
        }
    }
}

/// Makes the fault happen, waits for everything that follows from it, and looks.
async fn happen(mut stage: Stage, during: During, fault: Fault) -> Seen {
    match fault {
        Fault::Error | Fault::Panic | Fault::Hang | Fault::Block | Fault::PanicInDrop
            if during == During::Backoff =>
        {
            assert!(stage.probe.is_quiet(), "something of the attempt is alive");
            return stage.seen();
        }
        Fault::Error => stage.probe.tell(Act::Fail("as told")),
        Fault::Panic => stage.probe.tell(Act::Panic("as told")),
        Fault::FutureDrop => stage.caller.take().expect("somebody waits").give_up().await,
        Fault::ParentCancel => stage.parent.cancel(),
        Fault::PanicInDrop => stage.runner.service().arm(),
        Fault::Hang | Fault::Block | Fault::HandleDrop | Fault::RuntimeEnd => {}
    }
    go_on(&stage.probe, during, fault);
    tokio::time::sleep(LATER).await;
    stage.seen()
}

/// The end of a service after a fault that was not its own.
fn go_on(probe: &Remote, during: During, fault: Fault) {
    match (during, fault) {
        (During::Starting | During::Backoff, Fault::FutureDrop) => probe.tell(Act::Ready),
        (During::Running | During::Stopping, Fault::PanicInDrop)
        | (During::Stopping, Fault::FutureDrop | Fault::HandleDrop | Fault::ParentCancel) => {
            probe.tell(Act::Complete);
        }
        _ => {}
    }
}

/// Waits until what blocks is given up, looks, and releases it to see how it ends.
async fn give_up(stage: Stage) -> Seen {
    until(|| stage.runner.errors_list().len() == 2).await;
    let mut seen = stage.seen();
    stage.probe.release();
    stage.runner.wait_for(State::Stopped).await;
    seen.exit = stage.seen().exit;
    seen
}

/// Without a handle the exit and the failures are read from the trace.
async fn drop_handle(stage: Stage, during: During) -> Seen {
    let scribe = Scribe::default();
    let _told = scribe.listen();
    let watch = stage.runner.subscribe();
    drop(stage.runner);
    go_on(&stage.probe, during, Fault::HandleDrop);
    tokio::time::sleep(LATER).await;
    assert!(stage.probe.is_quiet(), "something of it is alive");
    let told = |line: &str| scribe.lines().into_iter().find(|told| told.contains(line));
    assert_eq!(told("event: failure"), None);
    let exits = [Exit::Completed, Exit::Stopped, Exit::Failed, Exit::Aborted];
    let exit = exits
        .into_iter()
        .find(|exit| told(&format!("exit={exit}")).is_some());
    Seen {
        state: watch.get(),
        exit,
        failures: Vec::new(),
    }
}
