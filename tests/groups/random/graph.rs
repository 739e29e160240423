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
    // A short one, so that what fails for ever reaches the limit.
    let backoff = Backoff::constant(Duration::from_millis(rng.u64(0..60)));
    let mut builder = Group::builder("app").limit(limit, program.window).backoff(backoff);
    for at in 0..program.size {
        let named: Vec<usize> = (0..at).filter(|_| rng.f64() < density).collect();
        let made = member(world, rng, program, at, &named);
        builder = if rng.u8(..) < 20 {
            world.add(at, &(0..at).collect::<Vec<usize>>());
            builder.then(at.to_string(), made)
        } else {
            builder.with(at.to_string(), made)
        };
    }
    builder.settings(settings(rng, program)).build().expect("there is no cycle")
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
    world.add(at, deps);
    let on_failure = program.on_failure[rng.usize(..program.on_failure.len())];
    let ends_all = program.completes && rng.u8(..) < 3;
    let on_completion = if ends_all { OnCompletion::StopGroup } else { OnCompletion::Ignore };
    Member::new(Chance::new(at, world, rng, program))
        .after(deps.iter().map(usize::to_string))
        .on_failure(on_failure)
        .on_completion(on_completion)
}
