//! Random programs: calls on a group and its members.

use std::time::Duration;

use startstop_core::{Group, OnFailure, Runner};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::graph;
use super::told::Told;
use super::world::World;
use crate::random::note;
use crate::support::idle;

pub(super) struct Program {
    pub(super) size: usize,
    pub(super) window: Duration,
    pub(super) fails: f64,
    pub(super) completes: bool,
    pub(super) on_failure: Vec<OnFailure>,
    pub(super) meanwhile: Meanwhile,
    /// How many members do not heed what they are told.
    pub(super) deaf: f64,
    /// The longest drain of a member, and of the group, in milliseconds.
    pub(super) drain: u64,
    /// The time that the group has for its start.
    pub(super) start_timeout: Option<Duration>,
    last_stop: LastStop,
    /// Members are bound to others, leave when they have ended, restart by themselves, and take their readiness back.
    pub(super) binds: bool,
    steps: usize,
}

/// Calls on the members, besides those of their group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meanwhile {
    Nothing,
    /// Members come and go.
    Changes,
    /// Others stop and start members, too.
    Hands,
    ChangesAndHands,
}

impl Meanwhile {
    fn changes(self) -> bool {
        matches!(self, Meanwhile::Changes | Meanwhile::ChangesAndHands)
    }

    pub(super) fn hands(self) -> bool {
        matches!(self, Meanwhile::Hands | Meanwhile::ChangesAndHands)
    }

    fn and_hands(self) -> Self {
        match self {
            Meanwhile::Nothing | Meanwhile::Hands => Meanwhile::Hands,
            Meanwhile::Changes | Meanwhile::ChangesAndHands => Meanwhile::ChangesAndHands,
        }
    }

    fn by_chance(rng: &mut fastrand::Rng) -> Self {
        if rng.bool() {
            Meanwhile::Changes
        } else {
            Meanwhile::Nothing
        }
    }
}

/// How the group is stopped in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LastStop {
    Unlimited,
    Limited,
}

impl LastStop {
    fn by_chance(rng: &mut fastrand::Rng) -> Self {
        if rng.bool() {
            LastStop::Limited
        } else {
            LastStop::Unlimited
        }
    }

    /// Limited in three of four.
    fn mostly_limited(rng: &mut fastrand::Rng) -> Self {
        match rng.u8(..4) {
            0 => LastStop::Unlimited,
            _ => LastStop::Limited,
        }
    }
}

const ANY: [OnFailure; 6] = [
    OnFailure::Ignore,
    OnFailure::RestartMember,
    OnFailure::RestartDependents,
    OnFailure::RestartDependents,
    OnFailure::RestartAll,
    OnFailure::StopGroup,
];

impl Program {
    pub(super) fn quiet(rng: &mut fastrand::Rng) -> Self {
        Self {
            size: rng.usize(1..=50),
            window: Duration::from_secs(rng.u64(1..600)),
            fails: 0.0,
            completes: rng.bool(),
            on_failure: vec![OnFailure::StopGroup],
            meanwhile: Meanwhile::Nothing,
            deaf: 0.0,
            drain: 0,
            start_timeout: None,
            last_stop: LastStop::Unlimited,
            binds: false,
            steps: rng.usize(1..8),
        }
    }

    pub(super) fn failing(rng: &mut fastrand::Rng) -> Self {
        let mut on_failure: Vec<OnFailure> = ANY.to_vec();
        rng.shuffle(&mut on_failure);
        on_failure.truncate(rng.usize(1..=ANY.len()));
        Self {
            fails: rng.f64() * 0.3,
            on_failure,
            ..Self::quiet(rng)
        }
    }

    pub(super) fn changing(rng: &mut fastrand::Rng) -> Self {
        let steps = rng.usize(5..40);
        Self {
            meanwhile: Meanwhile::Changes,
            steps,
            size: rng.usize(0..20),
            ..Self::failing(rng)
        }
    }

    pub(super) fn binding(rng: &mut fastrand::Rng) -> Self {
        let meanwhile = Meanwhile::by_chance(rng);
        Self {
            binds: true,
            meanwhile,
            ..Self::changing(rng)
        }
    }

    /// All of it at once.
    pub(super) fn mixed(rng: &mut fastrand::Rng) -> Self {
        let mixed = Self {
            deaf: if rng.bool() { rng.f64() * 0.2 } else { 0.0 },
            drain: if rng.bool() { rng.u64(1..500) } else { 0 },
            last_stop: LastStop::by_chance(rng),
            ..Self::binding(rng)
        };
        Self {
            meanwhile: mixed.meanwhile.and_hands(),
            ..mixed
        }
    }

    /// Whether this member leaves when it has ended: nothing can depend on it.
    pub(super) fn leaves(&self, at: usize) -> bool {
        self.binds && at % 7 == 6
    }

    pub(super) fn hasty(rng: &mut fastrand::Rng) -> Self {
        let late = Duration::from_millis(rng.u64(1..400));
        Self {
            deaf: rng.f64() * 0.4,
            drain: if rng.bool() { rng.u64(1..500) } else { 0 },
            start_timeout: (rng.u8(..3) == 0).then_some(late),
            last_stop: LastStop::mostly_limited(rng),
            ..Self::failing(rng)
        }
    }

    pub(super) fn wild(rng: &mut fastrand::Rng) -> Self {
        Self {
            meanwhile: Meanwhile::by_chance(rng).and_hands(),
            ..Self::changing(rng)
        }
    }

    /// Does something now and then; whoever waits is answered by the time the group has stopped.
    pub(super) async fn run(
        &self,
        app: &Runner<Group>,
        world: &World,
        mut told: Option<&mut Told>,
        rng: &mut fastrand::Rng,
    ) {
        let mut calls = JoinSet::new();
        let mut next = self.size;
        call(
            &mut calls,
            app,
            |app| async move { drop(app.start().await) },
        );
        for _ in 0..self.steps {
            sleep(Duration::from_millis(rng.u64(1..120))).await;
            match rng.u8(..100) {
                0..15 => ask_group(&mut calls, app, rng),
                15..60 if self.meanwhile.hands() => ask_member(app, world, rng, next),
                15..40 if self.meanwhile.changes() => {
                    self.insert(&mut calls, app, world, rng, next);
                    next += 1;
                }
                40..100 if self.meanwhile.changes() => remove(&mut calls, app, world, rng),
                _ => {}
            }
            // A request is under way before the next one comes.
            sleep(Duration::from_millis(1)).await;
            keep_handles(app, world, next);
            if self.binds {
                idle().await;
                let status = app.status();
                if let Some(told) = &mut told {
                    told.compare(&status);
                }
                world.check_now(&status);
            }
        }
        if self.meanwhile.hands() {
            // The group takes over members that were started while it was down. Members that restart for ever may keep
            // it from being ready.
            let _ = timeout(Duration::from_secs(600), app.ensure_running()).await;
        }
        self.stop(app, rng).await;
        while let Some(done) = calls.join_next().await {
            done.expect("nobody panics");
        }
    }

    /// Stops the group at last, and sees that it takes no longer than it may.
    async fn stop(&self, app: &Runner<Group>, rng: &mut fastrand::Rng) {
        note(|| "the group is stopped at last".to_owned());
        let begun = Instant::now();
        // A few milliseconds for each member, since timers tick in milliseconds.
        let limit = Duration::from_millis(200 * (self.size as u64 + 1) + rng.u64(..5_000));
        // Asked before the stop, since members may leave with it.
        let grace = app.grace_period();
        let allowed = if self.last_stop == LastStop::Limited {
            let _ = app.stop_within(limit).await;
            limit.min(grace)
        } else {
            let _ = app.stop().await;
            grace
        };
        let slack = Duration::from_millis(10 + 2 * self.size as u64);
        assert!(
            begun.elapsed() <= allowed + slack,
            "rule 8: {:?}",
            begun.elapsed()
        );
    }

    fn insert(
        &self,
        calls: &mut JoinSet<()>,
        app: &Runner<Group>,
        world: &World,
        rng: &mut fastrand::Rng,
        at: usize,
    ) {
        let density = rng.f64() * 0.3;
        let there =
            |dep: &usize| !self.leaves(*dep) && app.service().get(&dep.to_string()).is_some();
        let deps = (0..at)
            .filter(there)
            .filter(|_| rng.f64() < density)
            .collect::<Vec<usize>>();
        let member = graph::member(world, rng, self, at, &deps);
        world.excuse(at);
        call(calls, app, move |app| async move {
            let _ = app.service().insert(at.to_string(), member).await;
        });
    }
}

fn call<F: Future<Output = ()> + Send + 'static>(
    calls: &mut JoinSet<()>,
    app: &Runner<Group>,
    f: impl FnOnce(Runner<Group>) -> F,
) {
    calls.spawn(f(app.clone()));
}

fn remove(calls: &mut JoinSet<()>, app: &Runner<Group>, world: &World, rng: &mut fastrand::Rng) {
    let members = app.service().members();
    // Only the last members, on which no other depends.
    let Some(name) = members.iter().rev().nth(rng.usize(..3)).cloned() else {
        return;
    };
    world.excuse(name.parse().expect("it is a number"));
    note(|| format!("{name} is removed"));
    call(calls, app, |app| async move {
        let _ = app.service().remove(&name).await;
    });
}

fn ask_group(calls: &mut JoinSet<()>, app: &Runner<Group>, rng: &mut fastrand::Rng) {
    let act = rng.u8(..5);
    note(|| format!("the group is asked for {act}"));
    match act {
        0 => call(calls, app, |app| async move { drop(app.start().await) }),
        1 => call(calls, app, |app| async move { drop(app.stop().await) }),
        2 => call(calls, app, |app| async move { drop(app.restart().await) }),
        3 => app.request_start(),
        _ => app.request_reload(),
    }
}

fn ask_member(app: &Runner<Group>, world: &World, rng: &mut fastrand::Rng, size: usize) {
    if size == 0 {
        return;
    }
    let at = rng.usize(..size);
    let Some(member) = app.service().get(&at.to_string()) else {
        return;
    };
    let act = rng.u8(..6);
    note(|| format!("{at} is asked for {act}"));
    match act {
        0 | 1 => {
            world.is_started_by_hand(at);
            member.request_start();
        }
        2 | 3 => member.request_stop(),
        4 => member.request_reload(),
        _ => {
            world.is_started_by_hand(at);
            member.request_restart();
        }
    }
}

fn keep_handles(app: &Runner<Group>, world: &World, next: usize) {
    for at in 0..next {
        if let Some(handle) = app.service().get(&at.to_string()) {
            world.keep(at, Some(handle));
        }
    }
}
