//! task-supervisor: one supervisor, of which a task is asked for and killed by its name.

use std::sync::Arc;
use std::time::{Duration, Instant};

use task_supervisor::{
    CancellationToken, SupervisedTask, SupervisorBuilder, SupervisorHandle, TaskResult, TaskStatus,
};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{NO_ORDER, Refused};
use crate::contender::{Can, Contender};
use crate::crowd::{Crowd, Watch};
use crate::gate::Gate;

pub(crate) const TASK_SUPERVISOR: Contender = Contender {
    name: "task-supervisor",
    how: "one supervisor; `restart_task` for a start and for a restart, `kill_task` for a stop; a \
          restart delay of zero, which still waits for the next tick of a timer of a millisecond; \
          tasks that ask by `task_status` in place of threads that read",
    cycle: Can::Do(|n| Box::pin(cycle(n))),
    hooked: Can::Not("what follows a cancellation is part of the body"),
    ready: Can::Not("what follows a cancellation is part of the body"),
    restart: Can::Do(|n| Box::pin(restart(n))),
    failing: Can::Do(|n| Box::pin(failing(n))),
    running: Can::Do(|tasks, n| Box::pin(running(tasks, n))),
    uptime: Can::Not("it keeps no time"),
    crowd: Can::Do(|n| Box::pin(crowd(n))),
    chain: NO_ORDER,
    star: NO_ORDER,
};

const NAME: &str = "idle";

/// Waits for its stop.
#[derive(Clone, Default)]
struct Idle(Arc<Notify>);

impl SupervisedTask for Idle {
    async fn run(self, cancel: CancellationToken) -> TaskResult {
        self.0.notify_one();
        cancel.cancelled().await;
        Ok(())
    }
}

/// Waits for its stop, one of many.
#[derive(Clone)]
struct Gated(Arc<Gate>);

impl SupervisedTask for Gated {
    async fn run(self, cancel: CancellationToken) -> TaskResult {
        self.0.enter();
        cancel.cancelled().await;
        Ok(())
    }
}

/// Fails until the gate is open.
#[derive(Clone)]
struct Failing(Arc<Gate>);

impl SupervisedTask for Failing {
    async fn run(self, _cancel: CancellationToken) -> TaskResult {
        self.0.enter();
        if self.0.is_open() {
            Ok(())
        } else {
            Err(Refused(1).into())
        }
    }
}

async fn idle() -> (SupervisorHandle, Arc<Notify>) {
    let task = Idle::default();
    let entered = Arc::clone(&task.0);
    let supervisor = SupervisorBuilder::new().with_task(NAME, task).spawn();
    entered.notified().await;
    (supervisor, entered)
}

async fn cycle(n: u32) -> Duration {
    let (supervisor, entered) = idle().await;
    supervisor.kill_task(NAME).await.expect("it is known");
    let began = Instant::now();
    for _ in 0..n {
        supervisor.restart_task(NAME).await.expect("it is known");
        entered.notified().await;
        supervisor.kill_task(NAME).await.expect("it is known");
    }
    let time = began.elapsed();
    supervisor.shutdown().await.expect("it shuts down");
    time
}

async fn restart(n: u32) -> Duration {
    let (supervisor, entered) = idle().await;
    let began = Instant::now();
    for _ in 0..n {
        supervisor.restart_task(NAME).await.expect("it is known");
        entered.notified().await;
    }
    let time = began.elapsed();
    supervisor.shutdown().await.expect("it shuts down");
    time
}

async fn failing(n: u32) -> Duration {
    let last = Gate::new(usize::try_from(n).expect("it fits") + 1);
    let began = Instant::now();
    let supervisor = SupervisorBuilder::new()
        .with_unlimited_restarts()
        .with_base_restart_delay(Duration::ZERO)
        .with_restart_jitter(0.0)
        .with_task(NAME, Failing(Arc::clone(&last)))
        .spawn();
    last.opened().await;
    let time = began.elapsed();
    supervisor.shutdown().await.expect("it shuts down");
    time
}

async fn running(tasks: usize, n: u32) -> Duration {
    let (supervisor, _entered) = idle().await;
    let began = Instant::now();
    let mut askers = JoinSet::new();
    for _ in 0..tasks {
        let supervisor = supervisor.clone();
        askers.spawn(async move {
            for _ in 0..n {
                let status = supervisor.task_status(NAME).await;
                assert_eq!(status, Ok(TaskStatus::Running));
            }
        });
    }
    askers.join_all().await;
    let time = began.elapsed();
    supervisor.shutdown().await.expect("it shuts down");
    time
}

async fn crowd(n: usize) -> Crowd {
    let gate = Gate::new(n);
    let watch = Watch::begin();
    let mut builder = SupervisorBuilder::new();
    for task in 0..n {
        builder = builder.with_task(&task.to_string(), Gated(Arc::clone(&gate)));
    }
    let supervisor = builder.spawn();
    gate.opened().await;
    let present = watch.started();
    supervisor.shutdown().await.expect("it shuts down");
    present.stopped()
}
