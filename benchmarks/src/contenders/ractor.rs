//! ractor: actors without messages of their own; entered is what has passed `pre_start`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ractor::{Actor, ActorProcessingErr, ActorRef, ActorStatus, SupervisionEvent};

use super::{NO_ORDER, Refused};
use crate::contender::{Can, Contender};
use crate::crowd::{Crowd, Watch};
use crate::gate::Gate;
use crate::read;

pub(crate) const RACTOR: Contender = Contender {
    name: "ractor",
    how: "an actor without messages, `Actor::spawn` for each start, then `stop`, and the handle it \
          gave; `post_stop` as the hook, whose default is ready at once; for what fails a supervisor that spawns it again",
    cycle: Can::Do(|n| Box::pin(cycle(n))),
    hooked: Can::Do(|n| Box::pin(hooked(n))),
    ready: Can::Do(|n| Box::pin(cycle(n))),
    restart: Can::Not("an actor is not restarted, its supervisor spawns another"),
    failing: Can::Do(|n| Box::pin(failing(n))),
    running: Can::Do(|threads, n| Box::pin(running(threads, n))),
    uptime: Can::Not("it keeps no time"),
    crowd: Can::Do(|n| Box::pin(crowd(n))),
    chain: NO_ORDER,
    star: NO_ORDER,
};

/// Waits for its stop.
struct Idle;

impl Actor for Idle {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// Waits for its stop, and awaits in it.
struct Hooked;

impl Actor for Hooked {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn post_stop(&self, _: ActorRef<()>, (): &mut ()) -> Result<(), ActorProcessingErr> {
        tokio::task::yield_now().await;
        Ok(())
    }
}

/// Fails until the gate is open.
struct Failing(Arc<Gate>);

impl Actor for Failing {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn post_start(&self, _: ActorRef<()>, (): &mut ()) -> Result<(), ActorProcessingErr> {
        self.0.enter();
        if self.0.is_open() {
            Ok(())
        } else {
            Err(Refused(1).into())
        }
    }
}

/// Spawns what has failed again.
struct Supervisor(Arc<Gate>);

impl Supervisor {
    async fn spawn_child(&self, myself: &ActorRef<()>) -> Result<(), ActorProcessingErr> {
        let child = Failing(Arc::clone(&self.0));
        Actor::spawn_linked(None, child, (), myself.get_cell()).await?;
        Ok(())
    }
}

impl Actor for Supervisor {
    type Msg = ();
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, myself: ActorRef<()>, (): ()) -> Result<(), ActorProcessingErr> {
        self.spawn_child(&myself).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<()>,
        event: SupervisionEvent,
        (): &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(..) => self.spawn_child(&myself).await,
            _ => Ok(()),
        }
    }
}

async fn cycle(n: u32) -> Duration {
    let began = Instant::now();
    for _ in 0..n {
        let (actor, handle) = Actor::spawn(None, Idle, ()).await.expect("it starts");
        actor.stop(None);
        handle.await.expect("it does not panic");
    }
    began.elapsed()
}

async fn hooked(n: u32) -> Duration {
    let began = Instant::now();
    for _ in 0..n {
        let (actor, handle) = Actor::spawn(None, Hooked, ()).await.expect("it starts");
        actor.stop(None);
        handle.await.expect("it does not panic");
    }
    began.elapsed()
}

async fn failing(n: u32) -> Duration {
    let last = Gate::new(usize::try_from(n).expect("it fits") + 1);
    let began = Instant::now();
    let supervisor = Supervisor(Arc::clone(&last));
    let (supervisor, handle) = Actor::spawn(None, supervisor, ()).await.expect("it starts");
    last.opened().await;
    let time = began.elapsed();
    supervisor.stop(None);
    handle.await.expect("it does not panic");
    time
}

async fn running(threads: usize, n: u32) -> Duration {
    let (actor, handle) = Actor::spawn(None, Idle, ()).await.expect("it starts");
    let time = read::timed(threads, n, || actor.get_status() == ActorStatus::Running);
    actor.stop(None);
    handle.await.expect("it does not panic");
    time
}

async fn crowd(n: usize) -> Crowd {
    let mut all = Vec::with_capacity(n);
    let watch = Watch::begin();
    for _ in 0..n {
        all.push(Actor::spawn(None, Idle, ()).await.expect("it starts"));
    }
    let present = watch.started();
    for (actor, _) in &all {
        actor.stop(None);
    }
    for (_, handle) in all {
        handle.await.expect("it does not panic");
    }
    present.stopped()
}
