//! The promises for a program whose service blocks, and the part of `docs/faults.md` that states them.

use std::fmt::Write;

pub(super) const PLACES: [(&str, &str); 9] = [
    ("first poll", "the first poll of `run`"),
    (
        "later poll",
        "a later poll of `run`, after a timer of its own",
    ),
    ("shutdown", "`shutdown`"),
    ("task", "a task of the context, after a timer of its own"),
    ("drop of run", "the destructor of the future of `run`"),
    ("drop of task", "the destructor of a task"),
    ("drop of value", "the destructor of the value of a `Slot`"),
    ("predicate", "the predicate of `retry_if`"),
    (
        "children",
        "`children()`, asked for by a task that has nothing to do with the service",
    ),
];

pub(super) const RUNTIMES: [(&str, &str); 4] = [
    ("2", "two workers"),
    ("4", "four, others beside"),
    ("1", "one worker"),
    ("current", "single-threaded"),
];

/// With which code the program exits.
pub(super) fn code(place: &str, runtime: &str) -> u8 {
    // Code beside the service blocks it only where there is no other thread.
    let is_beside = place == "children" && matches!(runtime, "2" | "4");
    u8::from(!is_beside)
}

const HEAD: &str = "
## What blocks when a signal comes

The same in a program under `main`, which a test plays with real processes: each is sent one signal, two, or three, with deadlines
that are soon; with an hour for the stop; with an hour for the stop and one for the abort. The process always ends:

- *signal 1*: `stop_timeout` and `abort_timeout` after it, when the service is given up; and at the latest when `grace_period()` and a
  second have passed.
- *signal 2*: `abort_timeout` after it, for it aborts.
- *signal 3*: at once.

It exits with 1 and names what is stuck, but where the service itself ends in order: then with 0.

| what blocks |";

/// The table, for the page.
pub(crate) fn section() -> String {
    let mut page = HEAD.to_owned();
    for (_, runtime) in RUNTIMES {
        write!(page, " {runtime} |").expect("a string takes it");
    }
    page.push_str("\n|---|---|---|---|---|\n");
    for (place, name) in PLACES {
        write!(page, "| {name} |").expect("a string takes it");
        for (runtime, _) in RUNTIMES {
            write!(page, " {} |", code(place, runtime)).expect("a string takes it");
        }
        page.push('\n');
    }
    page
}
