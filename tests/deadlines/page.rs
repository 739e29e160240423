//! The table as a part of `docs/faults.md`.

use std::fmt::Write;

use super::table::{BLOCKS, DUE, On, Then, then};

const HEAD: &str = "
## What blocks at a deadline

Services block threads where they should await. Each line is something that blocks its thread for good, each column the
deadline that comes meanwhile; a test plays them all on two workers, on four with other tasks beside, on a single worker and
on a single-threaded runtime, where a blocked service leaves nobody who could poll a timer. In each case it is seen from
another thread that the deadline came in time:

- *given up*: what was left at the deadline was aborted, and after `abort_timeout` the service is `Unresponsive`; the state is
  `Stopping` until it yields.
- *ended*: what blocks is not a part of the service, which is aborted and ends. With a single worker it cannot be
  polled any more, and is given up as well.

| what blocks |";

const IMPOSSIBLE: &str = "
What is impossible: an abort calls no `shutdown` that could block; a start that fills a `Slot` is ready with
that. On a single worker or thread that is blocked no task runs, so nothing that is awaited *there* is answered before it yields;
the deadlines themselves, and what is awaited on other threads, come in time. Where time is paused it does not pass while
a thread is blocked, and so no deadline does.
";

/// The table, for the page.
pub(crate) fn section() -> String {
    let mut page = HEAD.to_owned();
    for (_, due) in DUE {
        write!(page, " {due} |").expect("a string takes it");
    }
    page.push_str("\n|---|---|---|---|---|---|\n");
    for (blocks, name) in BLOCKS {
        write!(page, "| {name} |").expect("a string takes it");
        for (due, _) in DUE {
            let cell = match then(blocks, due, On::TwoWorkers) {
                Then::GivenUp => "given up",
                Then::Ended => "ended",
                Then::Cannot => "impossible",
            };
            write!(page, " {cell} |").expect("a string takes it");
        }
        page.push('\n');
    }
    page.push_str(IMPOSSIBLE);
    page
}
