//! The messages of the machine, step by step.

use std::borrow::{Borrow, Cow};
use std::time::Duration;

use startstop_core::{EventKind, Exit, ReloadError, StopReason};

use super::{Input, Look, Machine, clip};

const GRACE: Duration = Duration::from_secs(20);

/// A machine, what the service looks like, and the time in milliseconds.
struct Heard {
    machine: Machine,
    line: &'static str,
    error: Option<(String, i32)>,
    live: bool,
}

impl Heard {
    fn new() -> Self {
        Self {
            machine: Machine::new(),
            line: "starting",
            error: None,
            live: true,
        }
    }

    fn up() -> Self {
        let mut told = Self::new();
        told.line = "ready";
        assert_eq!(told.whole(0, ready()), ["READY=1|STATUS=ready"]);
        told
    }

    fn step(&mut self, at: u64, input: Input<'_>) -> Vec<String> {
        let look = || Look {
            line: self.line.to_owned(),
            error: self.error.clone(),
            live: self.live,
            grace: GRACE,
        };
        let datagrams = self.machine.step(Duration::from_millis(at), input, look);
        let text = |datagram: &super::Datagram| datagram.to_string().trim_end().replace('\n', "|");
        datagrams.iter().map(text).collect()
    }

    fn whole(&mut self, at: u64, kind: impl Borrow<EventKind>) -> Vec<String> {
        self.step(at, Input::Whole(kind.borrow()))
    }

    fn time(&mut self, at: u64) -> Vec<String> {
        self.step(at, Input::Time)
    }
}

fn told_look(line: &str) -> Look {
    Look {
        line: line.to_owned(),
        error: None,
        live: true,
        grace: GRACE,
    }
}

fn ready() -> EventKind {
    EventKind::Ready {
        after: Duration::ZERO,
    }
}

fn stopped(exit: Exit) -> EventKind {
    EventKind::Stopped {
        exit,
        ran: Duration::ZERO,
    }
}

#[test]
fn ready_is_told_once() {
    let mut told = Heard::new();
    assert_eq!(told.time(0), ["STATUS=starting"]);
    told.line = "ready";
    assert_eq!(told.whole(10, ready()), ["READY=1|STATUS=ready"]);
    told.line = "not ready: shop/db";
    assert_eq!(
        told.whole(2_000, EventKind::NotReady(Cow::Borrowed("no"))),
        ["STATUS=not ready: shop/db"]
    );
    told.line = "ready";
    assert_eq!(told.whole(4_000, ready()), ["STATUS=ready"]);
}

#[test]
fn the_status_is_told_at_most_once_a_second_and_only_when_it_changes() {
    let mut told = Heard::up();
    told.line = "one";
    assert!(told.step(300, Input::Below).is_empty());
    assert_eq!(told.machine.next(), Some(Duration::from_secs(1)));
    told.line = "two";
    assert!(told.step(600, Input::Below).is_empty());
    assert_eq!(told.time(1_000), ["STATUS=two"]);
    assert_eq!(told.machine.next(), None);
    assert!(told.step(5_000, Input::Below).is_empty());
}

#[test]
fn it_is_looked_at_once_a_second_however_much_happens() {
    let mut told = Heard::up();
    let looks = std::cell::Cell::new(0);
    for at in 0..10_000 {
        let look = || {
            looks.set(looks.get() + 1);
            told_look("ready")
        };
        let now = Duration::from_millis(at);
        assert!(told.machine.step(now, Input::Below, look).is_empty());
    }
    assert!(looks.get() < 12, "{}", looks.get());
}

#[test]
fn stopping_is_told_at_the_beginning_of_an_end() {
    for reason in [
        StopReason::Requested,
        StopReason::Own,
        StopReason::Parent,
        StopReason::RuntimeEnded,
    ] {
        let mut told = Heard::up();
        told.line = "stopping: waits for shop/db";
        let begins = told.whole(5, EventKind::Stopping(reason));
        assert_eq!(begins, ["STOPPING=1|STATUS=stopping: waits for shop/db"]);
        assert!(told.whole(6, EventKind::Draining).is_empty());
        assert!(told.whole(7, stopped(Exit::Stopped)).is_empty());
        assert!(told.step(8, Input::End).is_empty());
        assert_eq!(told.machine.next(), None);
    }
}

#[test]
fn an_end_of_a_moment_is_told_too() {
    let mut told = Heard::up();
    told.line = "stopped";
    assert!(
        told.whole(5, EventKind::Stopping(StopReason::Completed))
            .is_empty()
    );
    assert_eq!(
        told.whole(6, stopped(Exit::Completed)),
        ["STOPPING=1|STATUS=stopped"]
    );
    let mut told = Heard::up();
    assert_eq!(told.step(6, Input::End), ["STOPPING=1"]);
}

#[test]
fn a_restart_is_no_end() {
    let mut told = Heard::up();
    for kind in [
        EventKind::Stopping(StopReason::Restart),
        stopped(Exit::Stopped),
        EventKind::Starting,
        ready(),
    ] {
        assert!(told.whole(5, kind).is_empty());
    }
    assert_eq!(
        told.whole(9, EventKind::Stopping(StopReason::Requested)),
        ["STOPPING=1"]
    );
}

#[test]
fn a_reload_is_told_with_its_time_and_its_error() {
    let mut told = Heard::up();
    let begins = told.whole(2_000, EventKind::Reloading);
    assert!(
        begins[0].starts_with("RELOADING=1|MONOTONIC_USEC="),
        "{begins:?}"
    );
    assert_eq!(told.whole(2_100, EventKind::Reloaded(Ok(()))), ["READY=1"]);
    told.whole(3_000, EventKind::Reloading);
    let failed = told.whole(3_100, EventKind::Reloaded(Err(ReloadError::NotSupported)));
    let line = "ready; the last reload failed: the service does not support a reload";
    assert_eq!(failed, [format!("READY=1|STATUS={line}")]);
    told.whole(9_000, EventKind::Reloading);
    assert_eq!(
        told.whole(9_100, EventKind::Reloaded(Ok(()))),
        ["READY=1|STATUS=ready"]
    );
}

#[test]
fn reloads_that_overlap_are_over_with_the_last() {
    let mut told = Heard::up();
    for at in [2_000, 2_100] {
        let begins = told.whole(at, EventKind::Reloading);
        assert!(begins[0].starts_with("RELOADING=1|"), "{begins:?}");
    }
    let first = told.whole(2_200, EventKind::Reloaded(Ok(())));
    assert!(first.is_empty(), "{first:?}");
    let failed = told.whole(2_300, EventKind::Reloaded(Err(ReloadError::Stopped)));
    assert!(failed[0].starts_with("READY=1|STATUS=ready; the last reload failed"));
}

#[test]
fn time_is_asked_for_while_it_starts_and_stops() {
    let mut told = Heard::new();
    told.time(0);
    let asks = ["EXTEND_TIMEOUT_USEC=10000000"];
    assert_eq!(told.machine.next(), Some(Duration::from_millis(200)));
    assert_eq!(told.time(200), asks);
    assert!(told.time(2_100).is_empty());
    assert_eq!(told.time(2_200), asks);
    told.live = false;
    assert!(told.time(4_200).is_empty(), "not for what is stuck");
    told.live = true;
    told.line = "ready";
    told.whole(5_000, ready());
    assert!(told.time(9_000).is_empty());

    told.whole(10_000, EventKind::Stopping(StopReason::Requested));
    assert_eq!(told.time(10_200), asks);
    assert_eq!(told.time(29_999), asks);
    assert!(told.time(32_000).is_empty(), "the grace is over");
    assert_eq!(told.machine.next(), None);
}

#[test]
fn a_failed_start_is_told_with_its_error() {
    let mut told = Heard::new();
    told.time(0);
    told.error = Some(("cannot bind: address in use".into(), 98));
    assert!(
        told.whole(5, EventKind::Stopping(StopReason::Failed))
            .is_empty()
    );
    let failed = told.whole(6, stopped(Exit::Failed));
    assert_eq!(failed, ["STATUS=cannot bind: address in use|ERRNO=98"]);
    assert!(told.step(7, Input::End).is_empty());
}

#[test]
fn a_status_is_one_line_and_not_too_long() {
    assert_eq!(clip("one\nREADY=1\r\u{0}two"), "one READY=1  two");
    let long = clip(&"é".repeat(4_000));
    assert!(long.len() < 1_100 && long.ends_with('…'), "{}", long.len());
}

#[test]
fn a_successor_says_nothing_until_it_is_the_main_process_and_then_where_it_is() {
    let mut told = Heard::new();
    told.machine = Machine::of_successor();
    assert_eq!(told.time(10_000), [""; 0]);
    told.line = "ready";
    assert_eq!(told.whole(11_000, ready()), [""; 0]);
    assert_eq!(told.step(12_000, Input::Main), ["READY=1|STATUS=ready"]);
    assert!(!told.machine.is_silent());
}

#[test]
fn a_successor_that_ends_before_it_is_the_main_process_says_nothing() {
    let mut told = Heard::new();
    told.machine = Machine::of_successor();
    told.whole(0, ready());
    let stopping = EventKind::Stopping(StopReason::Requested);
    assert_eq!(told.whole(1_000, stopping), [""; 0]);
    assert_eq!(told.time(2_000), [""; 0]);
    assert_eq!(told.whole(3_000, stopped(Exit::Stopped)), [""; 0]);
    assert_eq!(told.step(4_000, Input::End), [""; 0]);
}
