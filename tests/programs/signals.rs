//! Which signal means what, on runtimes with any number of threads.

use std::time::{Duration, Instant};

use super::signalled;
use crate::child::Program;

/// Nobody is hurried by a second of them within this time of the first.
const TWIN: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_second_termination_within_a_second_is_the_same_request() {
    let mut program = signalled(&["2", "run", "slow"]);
    program.prints("running").await;
    program.signal("TERM").await;
    program.prints("stopping").await;
    program.signal("TERM").await;
    program.prints("stopped in order").await;
    let ended = program.end().await;
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_service_that_asks_for_another_cycle_when_a_signal_has_come_has_none() {
    for entry in ["run", "main"] {
        let mut program = signalled(&["2", entry, "insists"]);
        program.prints("running").await;
        program.signal("TERM").await;
        program.prints("stopping").await;
        let ended = program.end().await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert_eq!(ended.stdout.matches("running").count(), 1);
    }
}

#[tokio::test]
async fn a_second_termination_after_a_second_aborts() {
    for runtime in ["current", "1", "2"] {
        let mut program = signalled(&[runtime, "run", "deaf"]);
        program.prints("running").await;
        let begun = Instant::now();
        let ended = program.signal_until_it_ends("TERM").await;
        assert!(begun.elapsed() >= TWIN);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        assert_eq!(ended.stdout, "running\naborting\nreturned\n");
    }
}

#[tokio::test]
async fn a_second_signal_of_another_kind_aborts_at_once() {
    for (first, second) in [("TERM", "INT"), ("INT", "TERM")] {
        let mut program = signalled(&["1", "run", "deaf"]);
        program.prints("running").await;
        program.signal(first).await;
        program.signal(second).await;
        program.prints("aborting").await;
        assert_eq!(program.end().await.code, Some(1));
    }
}

#[tokio::test]
async fn a_hangup_where_nobody_reloads_is_a_termination() {
    for runtime in ["current", "1", "2"] {
        let mut program = signalled(&[runtime, "run", "idle"]);
        program.prints("running").await;
        program.signal("HUP").await;
        program.prints("stopping").await;
        assert_eq!(program.end().await.code, Some(0));
    }
}

#[tokio::test]
async fn a_termination_after_a_hangup_that_was_one_is_the_same_request() {
    let mut program = signalled(&["2", "run", "slow"]);
    program.prints("running").await;
    program.signal("HUP").await;
    program.prints("stopping").await;
    program.signal("TERM").await;
    program.prints("stopped in order").await;
    assert_eq!(program.end().await.code, Some(0));
}

#[tokio::test]
async fn a_hangup_while_stopping_is_nothing() {
    let mut program = signalled(&["2", "run", "slow"]);
    program.prints("running").await;
    program.signal("INT").await;
    program.prints("stopping").await;
    program.signal("HUP").await;
    program.prints("stopped in order").await;
    assert_eq!(program.end().await.code, Some(0));
}

#[tokio::test]
async fn a_hangup_reloads_where_somebody_does() {
    let mut program = signalled(&["current", "until", "reloading"]);
    program.prints("running").await;
    for _ in 0..3 {
        program.signal("HUP").await;
        program.prints("reloaded").await;
    }
    program.signal("TERM").await;
    program.prints("Ok(Stopped)").await;
}

#[tokio::test]
async fn a_signal_between_two_calls_is_not_lost() {
    for (runtime, signal) in [("current", "TERM"), ("1", "INT"), ("2", "TERM")] {
        let mut program = signalled(&[runtime, "until", "idle"]);
        program.prints("running").await;
        program.signal("TERM").await;
        program.prints("stopping").await;
        program.prints("Ok(Stopped)").await;
        program.signal(signal).await;
        program.enter().await;
        program.prints("Ok(Stopped)").await; // not started at all
        program.enter().await;
        assert_eq!(program.end().await.code, Some(0));
    }
}

#[tokio::test]
async fn a_hangup_between_two_calls_is_for_the_second() {
    let mut program = signalled(&["2", "until", "reloading"]);
    program.prints("running").await;
    program.signal("TERM").await;
    program.prints("Ok(Stopped)").await;
    program.signal("HUP").await;
    program.enter().await;
    program.prints("running").await;
    program.prints("reloaded").await;
}

#[tokio::test]
async fn a_second_call_hears_signals_as_the_first_did() {
    for runtime in ["current", "2"] {
        let mut program = signalled(&[runtime, "until", "idle"]);
        for signal in ["TERM", "INT"] {
            program.prints("running").await;
            program.signal(signal).await;
            program.prints("stopping").await;
            program.prints("Ok(Stopped)").await;
            program.enter().await;
        }
        assert_eq!(program.end().await.code, Some(0));
    }
}

/// The bit of a signal in a line of the status of a process.
#[cfg(target_os = "linux")]
fn has(status: &str, line: &str, signal: u32) -> bool {
    let mask = status
        .lines()
        .find_map(|found| found.strip_prefix(line))
        .expect("it is there");
    let mask = u64::from_str_radix(mask.trim(), 16).expect("a mask is a number");
    mask & (1 << (signal - 1)) != 0
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn signals_ignored_when_the_program_begins_stay_ignored() {
    let script = format!(
        "trap '' HUP INT; exec {} 2 run idle",
        env!("CARGO_BIN_EXE_signalled")
    );
    let mut program = Program::start("/bin/sh", &["-c", &script]);
    program.prints("running").await;
    let status = program.status();
    for (signal, is_ignored) in [(1, true), (2, true), (15, false)] {
        assert_eq!(has(&status, "SigIgn:", signal), is_ignored, "{signal}");
        assert_eq!(has(&status, "SigCgt:", signal), !is_ignored, "{signal}");
    }
    program.signal("TERM").await;
    program.prints("stopping").await;
    assert_eq!(program.end().await.code, Some(0));
}
