//! A program whose service blocks its thread ends all the same, however many threads its runtime has.

pub(crate) mod page;

use tokio::task::JoinSet;

use super::signalled;
use crate::child::{Ended, Program};

const RUNTIMES: [&str; 3] = ["current", "1", "2"];

#[tokio::test]
async fn a_signal_ends_a_program_whose_workers_are_all_blocked() {
    for (runtime, entry) in RUNTIMES.map(|runtime| (runtime, "run")).into_iter().chain([
        ("current", "main"),
        ("1", "main"),
        ("own", "main"),
    ]) {
        let mut program = signalled(&[runtime, entry, "blocked"]);
        program.prints("running").await;
        program.signal("TERM").await;
        let ended = program.end().await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), "running\n"));
        let expected = "service \"blocked\" does not yield: run";
        assert!(
            ended.stderr.starts_with(expected),
            "{runtime} {entry}: {}",
            ended.stderr
        );
    }
}

#[tokio::test]
async fn a_third_signal_leaves_a_program_whose_workers_are_all_blocked() {
    for runtime in RUNTIMES {
        let mut program = signalled(&[runtime, "run", "blocked for an hour"]);
        program.prints("running").await;
        program.signal("INT").await;
        program.signal("TERM").await;
        let ended = program.signal_until_it_ends("INT").await;
        assert_eq!(ended.code, Some(1));
        let expected = "service \"blocked for an hour\" does not yield: run";
        assert!(ended.stderr.starts_with(expected), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_verdict_of_a_watchdog_ends_a_program_without_a_free_worker() {
    for runtime in ["current", "1"] {
        let ended = signalled(&[runtime, "run", "watched"]).end().await;
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.stderr.contains("watched\" does not yield: run"),
            "{}",
            ended.stderr
        );
    }
}

/// The end of a program that blocks there and is told so often, with deadlines too long to end it before.
async fn told(place: &'static str, runtime: &'static str, times: u8) -> Ended {
    // Where the first signal ends the program, a second one would find none.
    let times = if page::code(place, runtime) == 0 {
        1
    } else {
        times
    };
    let hours = (times - 1).to_string();
    let mut program = Program::start(env!("CARGO_BIN_EXE_stuck"), &[place, runtime, &hours]);
    program.prints("there").await;
    program.signal("TERM").await;
    if times == 1 {
        return program.end().await;
    }
    if place == "shutdown" {
        // `shutdown` has to be called before the abort, which would prevent the call.
        program.prints("called").await;
    }
    program.signal("INT").await;
    if times == 2 {
        return program.end().await;
    }
    program.signal_until_it_ends("INT").await
}

async fn is_as_promised(place: &'static str, runtime: &'static str, times: u8) {
    let ended = told(place, runtime, times).await;
    let case = format!("{place}, {runtime}, signal {times}: {}", ended.stderr);
    assert_eq!(
        ended.code,
        Some(page::code(place, runtime).into()),
        "{case}"
    );
    let names = ended.stderr.contains("service \"stuck\" ");
    assert_eq!(names, page::code(place, runtime) == 1, "{case}");
}

/// Each place on each runtime, a few at a time.
async fn all_are_as_promised(times: u8) {
    let mut open = JoinSet::new();
    for (place, _) in page::PLACES {
        for (runtime, _) in page::RUNTIMES {
            open.spawn(is_as_promised(place, runtime, times));
        }
        while open.len() > 4 {
            open.join_next()
                .await
                .expect("some are open")
                .expect("as promised");
        }
    }
    while let Some(done) = open.join_next().await {
        done.expect("as promised");
    }
}

#[tokio::test]
async fn a_first_signal_ends_a_program_with_any_blocked_part() {
    all_are_as_promised(1).await;
}

#[tokio::test]
async fn a_second_signal_ends_a_program_with_any_blocked_part() {
    all_are_as_promised(2).await;
}

#[tokio::test]
async fn a_third_signal_ends_a_program_with_any_blocked_part() {
    all_are_as_promised(3).await;
}
