//! A random graph of members without a cycle.

use std::time::Duration;

use startstop_core::{Backoff, Group, Member, OnCompletion, Settings};

use super::member::Chance;
use super::program::Program;
use super::world::World;

/// A group of as many members as the program wants; some come by `then`.
pub(super) fn group(world: &World, rng: &mut fastrand::Rng, program: &Program) -> Group {
    let density = rng.f64() * 0.4;
    let limit = u32::from(rng.u8(0..30));
    // Short delays, so that a member that always fails reaches the limit.
    let backoff = Backoff::constant(Duration::from_millis(rng.u64(0..60)));
    let mut builder = Group::builder("app")
        .limit(limit, program.window)
        .backoff(backoff);
    for at in 0..program.size {
        let stays = (0..at).filter(|at| !program.leaves(*at));
        let named: Vec<usize> = stays.filter(|_| rng.f64() < density).collect();
        let made = member(world, rng, program, at, &named);
        builder = if rng.u8(..) < 20 {
            world.comes_after(at, (0..at).filter(|at| !program.leaves(*at)));
            builder.then(at.to_string(), made)
        } else {
            builder.with(at.to_string(), made)
        };
    }
    builder
        .settings(settings(rng, program))
        .build()
        .expect("there is no cycle")
}

fn settings(rng: &mut fastrand::Rng, program: &Program) -> Settings {
    let mut settings = Settings::new();
    if let Some(timeout) = program.start_timeout {
        settings = settings.start_timeout(timeout);
    }
    if program.drain > 0 && rng.bool() {
        settings = settings.drain(Duration::from_millis(rng.u64(..program.drain)));
    }
    settings
}

/// A member that depends on those of a smaller number.
pub(super) fn member(
    world: &World,
    rng: &mut fastrand::Rng,
    program: &Program,
    at: usize,
    deps: &[usize],
) -> Member {
    let binds = program.binds && rng.bool();
    let bound: Vec<usize> = deps.iter().copied().filter(|_| binds).collect();
    world.add(at, deps, &bound);
    let on_failure = program.on_failure[rng.usize(..program.on_failure.len())];
    let ends_all = program.completes && rng.u8(..) < 3;
    let fails = program.binds && rng.u8(..) < 20;
    let on_completion = match (ends_all, fails) {
        (true, _) => OnCompletion::StopGroup,
        (false, true) => OnCompletion::Fail,
        (false, false) => OnCompletion::Ignore,
    };
    let made = Member::new(Chance::new(at, world, rng, program))
        .after(deps.iter().map(usize::to_string))
        .on_failure(on_failure)
        .on_completion(on_completion)
        .bound_to(bound.iter().map(usize::to_string));
    if program.leaves(at) {
        made.transient()
    } else {
        made
    }
}
