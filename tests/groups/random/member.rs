//! A member that behaves by chance.

// Each is drawn by itself.
#![allow(clippy::struct_excessive_bools)]

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
    job: bool,
    fails: f64,
    completes: bool,
    deaf: bool,
    drain: Duration,
    /// It restarts by itself.
    retries: bool,
    /// It may say for a while that it is not ready.
    wavers: bool,
}

/// What an attempt does.
struct Plan {
    ready_in: Duration,
    ends_in: Option<Duration>,
    fails: bool,
    stops_in: Duration,
    fails_to_stop: bool,
    fails_early: bool,
    deaf: bool,
    /// After being ready it says for a while that it is not.
    wavers: bool,
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
            job: rng.u8(..) < 30,
            rng: rng.fork().into(),
            fails: program.fails,
            completes: program.completes,
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
        let ends = fails || self.job || (self.completes && rng.u8(..) < 20);
        Plan {
            ready_in: millis(&mut rng, 50),
            ends_in: ends.then(|| millis(&mut rng, 400)),
            fails,
            stops_in: millis(&mut rng, 50),
            fails_to_stop: rng.f64() < self.fails / 4.0,
            fails_early: rng.bool(),
            deaf: self.deaf,
            wavers: self.wavers && !self.job,
        }
    }

    fn fail(&self) -> Result<(), BoxError> {
        self.world.failed(self.at);
        Err("by chance".into())
    }

    async fn leave(&self, plan: &Plan) -> Result<(), BoxError> {
        self.world.told(self.at);
        sleep(if plan.deaf {
            Duration::MAX
        } else {
            plan.stops_in
        })
        .await;
        if plan.fails_to_stop {
            self.fail()
        } else {
            Ok(())
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
            if !self.job {
                self.world.is_ready(self.at);
                cx.ready();
            }
            if plan.wavers {
                sleep(Duration::from_millis(5)).await;
                cx.not_ready("by chance");
                sleep(plan.ready_in).await;
                cx.ready();
            }
            sleep(plan.ends_in.unwrap_or(Duration::MAX)).await;
        };
        tokio::select! {
            biased;
            () = cx.cancelled() => return self.leave(&plan).await,
            () = rise => {}
            () = sleep(Duration::from_millis(20)), if plan.fails && plan.fails_early => {}
        }
        self.world.ends(self.at);
        if plan.fails {
            return self.fail();
        }
        self.world.is_ready(self.at);
        Ok(())
    }

    fn settings(&self) -> Settings {
        let readiness = if self.job {
            Readiness::Completion
        } else {
            Readiness::Explicit
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
