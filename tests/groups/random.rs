//! Random groups under random programs, in paused time: what holds whatever happens.
//!
//! 1. No attempt of a member runs beside another of it.
//! 2. A member that the group starts finds what it depends on ready.
//! 3. A member that the group stops finds nobody running that depends on it, unless it was starting when a drain began.
//! 4. A group that is told to stop stops, and then nothing of it runs.
//! 5. What an attempt failed with is in the history of its member.
//! 6. The group itself does not panic.
//! 7. With some time for the stop every member is told before it is aborted, whoever is deaf.
//! 8. A stop takes no longer than is allowed, nor than `grace_period` says.
//! 9. A group is ready only while all its members are ready or settled, and says why it is not.
//! 10. What is bound to another runs only while that does, or has completed.
//! 11. The events of each member come in order, and none is missing.
//!
//! [`crate::random`] tells how to run more programs, or a certain one.

use startstop_core::{Runner, State};

use crate::random::{Seed, seeds};
use crate::support::SECOND;

mod graph;
mod member;
mod program;
mod told;
mod world;

use program::Program;
use told::Told;
use world::World;

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime can be built")
}

async fn run(seed: u64, kind: fn(&mut fastrand::Rng) -> Program) {
    let _seed = Seed(seed);
    let mut rng = fastrand::Rng::with_seed(seed);
    let program = kind(&mut rng);
    let world = World::new(&program);
    let app = Runner::new(graph::group(&world, &mut rng, &program));
    let mut told = program.binds.then(|| Told::of(&app));
    let ran = program.run(&app, &world, told.as_mut(), &mut rng);
    let has_ended = tokio::time::timeout(24 * 60 * 60 * SECOND, ran)
        .await
        .is_ok();
    assert!(has_ended, "it should have ended by now: {}", app.status());
    assert_eq!(app.state(), State::Stopped, "rule 4");
    if program.meanwhile.hands() {
        // Members that were started by their handles may still be on their way down.
        tokio::time::sleep(SECOND).await;
    }
    if let Some(told) = told {
        told.check();
    }
    world.check(&app);
}

fn all(first: u64, usual: u64, kind: fn(&mut fastrand::Rng) -> Program) {
    for seed in seeds(first, usual) {
        runtime().block_on(run(seed, kind));
    }
}

#[test]
fn groups_whose_members_behave_keep_their_order() {
    all(0, 150, Program::quiet);
}

#[test]
fn groups_whose_members_fail_keep_their_order() {
    all(1_000, 250, Program::failing);
}

#[test]
fn groups_that_have_little_time_tell_every_member() {
    all(4_000, 250, Program::hasty);
}

#[test]
fn groups_that_change_keep_their_order() {
    all(2_000, 250, Program::changing);
}

#[test]
fn groups_in_the_hands_of_many_end_when_they_are_told() {
    all(3_000, 250, Program::wild);
}

#[test]
fn groups_whose_members_are_bound_to_others_keep_their_rules() {
    all(5_000, 250, Program::binding);
}

#[test]
fn groups_to_which_anything_happens_keep_their_rules() {
    all(6_000, 200, Program::mixed);
}
