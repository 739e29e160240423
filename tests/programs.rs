//! `startstop_core::run` as the whole of a process: signals, exit codes, and what is printed.

mod codes;
mod ends;
mod signals;
pub(crate) mod stuck;
mod traced;

use crate::child::{Ended, Program, run};

const AN_HOUR: &str = "3600000";

/// The program for all mixtures, with what it is told.
fn signalled(args: &[&str]) -> Program {
    Program::start(env!("CARGO_BIN_EXE_signalled"), args)
}

/// The program whose services block their threads, once so many of them do.
async fn blocked(args: &[&str], services: usize) -> Program {
    let mut program = Program::start(env!("CARGO_BIN_EXE_blocked"), args);
    for _ in 0..services {
        program.prints("running").await;
    }
    program
}

/// Tells a program to stop that cannot, and waits until it has left all the same.
async fn told_to_stop(program: Program) -> Ended {
    program.signal("TERM").await;
    let ended = program.end().await;
    assert_eq!(ended.code, Some(1));
    ended
}

#[tokio::test]
async fn a_blocked_thread_does_not_keep_the_process() {
    let ended = told_to_stop(blocked(&["50"], 1).await).await;
    assert_names_what_is_stuck(&ended.stderr);
}

#[tokio::test]
async fn a_group_names_the_member_that_does_not_yield() {
    let ended = told_to_stop(blocked(&["50", "in a group"], 1).await).await;
    let (whole, part) = ended.stderr.split_once('\n').expect("two lines");
    assert!(
        whole.starts_with("service \"app\" does not yield: "),
        "{whole}"
    );
    assert_names_what_is_stuck(part);
}

#[tokio::test]
async fn a_part_known_by_its_status_alone_is_named_by_it() {
    let ended = told_to_stop(blocked(&["50", "behind a status"], 2).await).await;
    let (whole, part) = ended.stderr.split_once('\n').expect("two lines");
    assert_names_what_is_stuck(whole);
    assert_eq!(part, "service \"hidden\" is still stopping\n");
}

#[tokio::test]
async fn a_lock_that_is_never_given_away_does_not_keep_the_process() {
    let ended = told_to_stop(blocked(&["50", "behind a lock"], 1).await).await;
    assert_names_what_is_stuck(&ended.stderr);
}

#[tokio::test]
async fn a_stderr_that_nobody_reads_does_not_keep_the_process() {
    let mut program = blocked(&["50"], 1).await;
    program.stop_listening().await;
    told_to_stop(program).await;
}

#[tokio::test]
async fn a_second_signal_aborts_at_once() {
    let mut program = Program::start(env!("CARGO_BIN_EXE_deaf"), &[]);
    program.prints("running").await;
    program.signal("TERM").await;
    program.prints("stopping").await;
    program.signal("INT").await;
    let ended = program.end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
}

#[tokio::test]
async fn two_signals_that_come_at_once_are_two() {
    let mut program = Program::start(env!("CARGO_BIN_EXE_deaf"), &[]);
    program.prints("running").await;
    for signal in ["STOP", "TERM", "INT", "CONT"] {
        program.signal(signal).await;
    }
    let ended = program.end().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
}

#[tokio::test]
async fn a_third_signal_leaves_the_process() {
    let mut program = blocked(&[AN_HOUR], 1).await;
    program.signal("INT").await;
    program.prints("stopping").await;
    program.signal("TERM").await;
    program.prints("aborting").await;
    // The second signal may come within 200 ms of the first.
    let ended = program.signal_until_it_ends("INT").await;
    assert_eq!(ended.code, Some(1));
    assert_names_what_is_stuck(&ended.stderr);
}

#[tokio::test]
async fn a_hangup_reloads_and_restarts_nothing() {
    let mut program = Program::start(env!("CARGO_BIN_EXE_reloading"), &[]);
    program.prints("running").await;
    program.signal("HUP").await;
    program.prints("reload 1 in cycle 1").await;
    program.signal("HUP").await;
    program.prints("reload 2 in cycle 1").await;
    program.signal("TERM").await;
    program.prints("stopping").await;
    let ended = program.end().await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_start_that_fails_prints_the_error_and_its_sources() {
    let ended = run(env!("CARGO_BIN_EXE_failing")).await;
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stderr, THE_FAILURE);
}

#[tokio::test]
async fn a_failure_after_the_start_is_printed_as_well() {
    let ended = Program::start(env!("CARGO_BIN_EXE_failing"), &["late"])
        .end()
        .await;
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stderr, THE_FAILURE);
}

#[tokio::test]
async fn a_signal_while_starting_is_no_failure() {
    let mut program = Program::start(env!("CARGO_BIN_EXE_starting"), &[]);
    program.prints("starting").await;
    program.signal("TERM").await;
    program.prints("stopping").await;
    let ended = program.end().await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

/// In bytes, beside the value of the service, and in allocations; the tests are built with `tracing`, whose span is 128
/// of them.
#[tokio::test]
async fn a_service_takes_as_little_memory_as_is_promised_and_keeps_nothing_that_is_over() {
    let ended = run(env!("CARGO_BIN_EXE_footprint")).await;
    let numbers: Vec<usize> = ended
        .stdout
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [stopped, one, running, two, more, boxes, over] = numbers[..] else {
        panic!("{}", ended.stdout)
    };
    // Features that other crates of the workspace turn on make it a little larger.
    let known = [(240, 496), (248, 504)];
    assert!(known.contains(&(stopped, running)), "{}", ended.stdout);
    assert_eq!((one, two, over), (1, 2, 0), "{}", ended.stdout);
    // The runtime and the thread of the deadlines may take a few of their own.
    assert!(more < 100 && boxes == 0, "{}", ended.stdout);
}

#[tokio::test]
async fn members_that_come_and_go_leave_nothing_behind_while_another_stays() {
    let ended = run(env!("CARGO_BIN_EXE_coming_and_going")).await;
    let lines = ended.stdout.lines();
    let left: Vec<i64> = lines
        .filter_map(|line| line.split_once(' ')?.1.parse().ok())
        .collect();
    assert_eq!(left.len(), 3, "{}", ended.stdout);
    // At most what a list has grown by: five thousand members left behind would be a megabyte.
    assert!(left.iter().all(|bytes| *bytes < 10_000), "{}", ended.stdout);
}

const THE_FAILURE: &str = "\
service \"failing\" failed in run (cycle 1, attempt 1)
  caused by: cannot read the configuration
  caused by: the disk is on fire
";

fn assert_names_what_is_stuck(stderr: &str) {
    let expected = "service \"blocked\" does not yield: run stuck for ";
    assert!(stderr.starts_with(expected), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
}
