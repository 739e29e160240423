//! Random programs over a real runner beside a small reference of it, in paused time.
//!
//! A program draws the settings, what the service does in each attempt, and what is done to the runner.
//! After each step, once nothing can go on without time passing, all that is to be seen of the runner is
//! compared with the reference: states, counts, times, failures, the outcome of each call, and what of the
//! service is alive. A program that fails is shortened as long as it fails, and printed with its seed.
//!
//! [`crate::random`] tells how to run more programs, or a certain one; `docs/proof.md` tells what came of
//! ten million operations.

use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::random::{Seed, seeds};
use crate::support::alone;

mod plan;
mod program;
mod reference;
mod script;
mod service;
mod sight;
mod told;
mod world;

use program::Program;
use script::Script;
use service::{Bare, Scripted, Seen};
use world::{Done, World};

/// In each of the four tests, which run beside each other.
const PROGRAMS: u64 = 25_000;

/// The outcome of a program; the error tells the difference.
fn run(program: &Program) -> Result<Done, String> {
    let watched = Arc::new(Seen::default());
    let (seed, bombs) = (program.seed, program.bombs);
    let service = Scripted {
        seed,
        bombs,
        seen: Arc::clone(&watched),
    };
    let run = || {
        if program.plan.hooked {
            World::new(program, service, watched).run(program)
        } else {
            World::new(program, Bare(service), watched).run(program)
        }
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err("something has panicked".to_owned()))
}

/// The program without the steps that it fails without.
fn shorten(program: &Program) -> Program {
    let mut short = program.clone();
    for at in (0..short.steps.len()).rev() {
        let less = short.without(at);
        if run(&less).is_err() {
            short = less;
        }
    }
    short
}

fn explain(program: &Program) -> String {
    let short = shorten(program);
    let Err(different) = run(&short) else {
        return "it fails only now and then".to_owned();
    };
    let Program {
        seed,
        bombs,
        plan,
        steps,
    } = &short;
    let mut text = format!("{plan:?}\n");
    for step in steps {
        let _ = writeln!(text, "{step:?}");
    }
    for run in 0..3 {
        let _ = writeln!(text, "run {run}: {:?}", Script::draw(*seed, run, *bombs));
    }
    text + &different
}

fn all(first: u64) {
    let (mut programs, mut tied, mut operations) = (0, 0, 0);
    for seed in seeds(first, PROGRAMS) {
        let _seed = Seed(seed);
        let program = Program::draw(seed);
        let done = run(&program)
            .unwrap_or_else(|first| panic!("{}\nat first: {first}", explain(&program)));
        programs += 1;
        tied += u64::from(done.tied);
        operations += done.operations;
    }
    println!("{programs} programs, {operations} operations, {tied} programs given up at a tie");
    assert!(
        programs == 1 || tied * 20 < programs,
        "few programs are given up"
    );
}

#[test]
fn a_runner_does_as_its_reference_does() {
    alone("model::a_runner_does_as_its_reference_does", || all(0));
}

#[test]
fn a_runner_does_as_its_reference_does_again() {
    alone("model::a_runner_does_as_its_reference_does_again", || {
        all(1_000_000_000);
    });
}

#[test]
fn a_runner_does_as_its_reference_does_once_more() {
    alone(
        "model::a_runner_does_as_its_reference_does_once_more",
        || all(2_000_000_000),
    );
}

#[test]
fn a_runner_does_as_its_reference_does_for_the_last_time() {
    alone(
        "model::a_runner_does_as_its_reference_does_for_the_last_time",
        || all(3_000_000_000),
    );
}
