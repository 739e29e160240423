//! A member that behaves by chance.

use std::sync::Mutex;
use std::time::Duration;

use startstop_core::{Backoff, BoxError, Context, Readiness, RestartPolicy, Service, Settings};
use tokio::time::sleep;

use super::program::Program;
use super::world::World;

pub(super) struct Chance {
    at: usize,
    world: World,
    rng: Mutex<fastrand::Rng>,
    kind: Kind,
    fails: f64,
    deaf: bool,
    drain: Duration,
    /// It restarts by itself.
    retries: bool,
    /// It may say for a while that it is not ready.
    wavers: bool,
}

/// Which of its ends are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Each attempt ends by itself.
    Job,
    /// Some do.
    Short,
    /// None does, but for those that fail.
    Lasting,
}

/// How an attempt ends if it is not stopped, and after which time.
#[derive(Debug, Clone, Copy)]
enum End {
    Never,
    Completed(Duration),
    Failed(Duration),
    /// The same, and after [`EARLY`] at the latest, ready or not.
    FailedEarly(Duration),
}

/// The reaction to a stop.
#[derive(Debug, Clone, Copy)]
enum Leave {
    /// It does not listen.
    Never,
    In(Duration, Outcome),
}

#[derive(Debug, Clone, Copy)]
enum Outcome {
    Good,
    Failed,
}

/// The course of an attempt.
struct Plan {
    ready_in: Duration,
    end: End,
    leave: Leave,
    /// After being ready it says for a while that it is not.
    wavers: bool,
}

const EARLY: Duration = Duration::from_millis(20);

impl Kind {
    fn by_chance(rng: &mut fastrand::Rng, program: &Program) -> Self {
        match rng.u8(..) {
            0..30 => Kind::Job,
            _ if program.completes => Kind::Short,
            _ => Kind::Lasting,
        }
    }

    fn ends(self, rng: &mut fastrand::Rng) -> bool {
        match self {
            Kind::Job => true,
            Kind::Short => rng.u8(..) < 20,
            Kind::Lasting => false,
        }
    }
}

impl End {
    async fn comes(self) {
        match self {
            End::Never => std::future::pending().await,
            End::Completed(after) | End::Failed(after) | End::FailedEarly(after) => {
                sleep(after).await;
            }
        }
    }

    fn outcome(self) -> Outcome {
        match self {
            End::Never | End::Completed(_) => Outcome::Good,
            End::Failed(_) | End::FailedEarly(_) => Outcome::Failed,
        }
    }
}

impl Chance {
    pub(super) fn new(
        at: usize,
        world: &World,
        rng: &mut fastrand::Rng,
        program: &Program,
    ) -> Self {
        Self {
            at,
            world: world.clone(),
            kind: Kind::by_chance(rng, program),
            rng: rng.fork().into(),
            fails: program.fails,
            deaf: rng.f64() < program.deaf,
            retries: program.binds && rng.bool(),
            wavers: program.binds && rng.bool(),
            drain: Duration::from_millis(if program.drain > 0 {
                rng.u64(..program.drain)
            } else {
                0
            }),
        }
    }

    fn plan(&self) -> Plan {
        let mut rng = self.rng.lock().expect("nobody panics under it");
        let millis = |rng: &mut fastrand::Rng, max| Duration::from_millis(rng.u64(0..max));
        let fails = rng.f64() < self.fails;
        let ends = fails || self.kind.ends(&mut rng);
        let ready_in = millis(&mut rng, 50);
        let ends_in = ends.then(|| millis(&mut rng, 400));
        let stops_in = millis(&mut rng, 50);
        let fails_to_stop = rng.f64() < self.fails / 4.0;
        let early = rng.bool();
        Plan {
            ready_in,
            end: match ends_in {
                None => End::Never,
                Some(after) if !fails => End::Completed(after),
                Some(after) if early => End::FailedEarly(after),
                Some(after) => End::Failed(after),
            },
            leave: match fails_to_stop {
                _ if self.deaf => Leave::Never,
                true => Leave::In(stops_in, Outcome::Failed),
                false => Leave::In(stops_in, Outcome::Good),
            },
            wavers: self.wavers && self.kind != Kind::Job,
        }
    }

    fn ended(&self, outcome: Outcome) -> Result<(), BoxError> {
        match outcome {
            Outcome::Good => Ok(()),
            Outcome::Failed => {
                self.world.failed(self.at);
                Err("by chance".into())
            }
        }
    }

    async fn leave(&self, plan: &Plan) -> Result<(), BoxError> {
        self.world.told(self.at);
        match plan.leave {
            Leave::Never => std::future::pending().await,
            Leave::In(time, outcome) => {
                sleep(time).await;
                self.ended(outcome)
            }
        }
    }
}

impl Service for Chance {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        let _live = self.world.enter(self.at);
        let plan = self.plan();
        let rise = async {
            sleep(plan.ready_in).await;
            if self.kind != Kind::Job {
                self.world.is_ready(self.at);
                cx.ready();
            }
            if plan.wavers {
                sleep(Duration::from_millis(5)).await;
                cx.not_ready("by chance");
                sleep(plan.ready_in).await;
                cx.ready();
            }
            plan.end.comes().await;
        };
        let early = matches!(plan.end, End::FailedEarly(_));
        tokio::select! {
            biased;
            () = cx.cancelled() => return self.leave(&plan).await,
            () = rise => {}
            () = sleep(EARLY), if early => {}
        }
        self.world.ends(self.at);
        let outcome = plan.end.outcome();
        if let Outcome::Good = outcome {
            self.world.is_ready(self.at);
        }
        self.ended(outcome)
    }

    fn settings(&self) -> Settings {
        let readiness = match self.kind {
            Kind::Job => Readiness::Completion,
            Kind::Short | Kind::Lasting => Readiness::Explicit,
        };
        let settings = Settings::new().readiness(readiness);
        let settings = if self.drain.is_zero() {
            settings
        } else {
            settings.drain(self.drain)
        };
        if !self.retries {
            return settings;
        }
        let policy = RestartPolicy::on_failure().limit(3, Duration::from_secs(1));
        settings.restart(policy.backoff(Backoff::constant(Duration::from_millis(30))))
    }
}
