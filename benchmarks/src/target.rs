//! What is aimed at, and whether it is reached.

use std::fmt::{self, Display};

use crate::contenders::{FLOOR, Gated, STARTSTOP};
use crate::figures;
use crate::flavour::Flavour;
use crate::history::FAILURES;
use crate::results::{Results, What};

/// Two reads that take the same are measured as the same up to this factor.
const SAME: f64 = 1.1;

/// The largest crowd, and the one it is held against.
const MANY: usize = 1_000_000;
const SOME: usize = 10_000;

pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) limit: f64,
    pub(crate) unit: Unit,
    /// As many as it was measured in: on each flavour, or once.
    pub(crate) found: Vec<Option<f64>>,
}

#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Ratio,
    Nanoseconds,
    Bytes,
    Count,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Ratio => format!("{value:.2}"),
            Self::Nanoseconds => figures::time(value),
            Self::Bytes => format!("{value:.0} bytes"),
            Self::Count => format!("{value:.0}"),
        }
    }
}

impl Target {
    fn verdict(&self, found: Option<f64>) -> String {
        match found {
            None => "not measured".to_owned(),
            Some(value) => {
                // What is shown decides: nobody should have to guess at hidden digits.
                let met = (value * 100.0).round() <= (self.limit * 100.0).round();
                let verdict = if met { "met" } else { "**missed**" };
                format!("{}, {verdict}", self.unit.show(value))
            }
        }
    }
}

/// A row of a table: what, at most, and what was found.
impl Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "| {} | {} |", self.what, self.unit.show(self.limit))?;
        self.found
            .iter()
            .try_for_each(|found| write!(f, " {} |", self.verdict(*found)))
    }
}

/// Those that both flavours are held to.
pub(crate) fn of_times(results: &Results) -> Vec<Target> {
    let ratio = |what: &str, limit: f64, ratio: &dyn Fn(Sought) -> Option<f64>| Target {
        what: what.to_owned(),
        limit,
        unit: Unit::Ratio,
        found: Flavour::ALL
            .map(|flavour| ratio(Sought { results, flavour }))
            .to_vec(),
    };
    vec![
        ratio("start and stop, to the floor", 1.1, &|s| {
            s.to_floor(What::Cycle)
        }),
        ratio("the same with a hook that awaits", 1.6, &|s| {
            s.to_floor(What::Hooked)
        }),
        ratio("restart in place, to a bare stop and start", 0.7, &|s| {
            s.to_floor(What::Restart)
        }),
        ratio(
            "`is_running()`, to a relaxed load (1.1 is taken for the same)",
            SAME,
            &|s| s.to_floor(What::Running(1)),
        ),
        ratio("`is_running()` of two threads, to one", SAME, &|s| {
            s.own(What::Running(2), What::Running(1))
        }),
        ratio("`uptime()`, to `Instant::now()`", 1.3, &|s| {
            s.to_floor(What::Uptime(1))
        }),
        ratio("`uptime()` of two threads, to one", SAME, &|s| {
            s.own(What::Uptime(2), What::Uptime(1))
        }),
        ratio("start of each of 1,000,000, to the floor", 1.2, &|s| {
            s.to_floor(What::Start(MANY))
        }),
        ratio("stop of each of 1,000,000, to the floor", 1.2, &|s| {
            s.to_floor(What::Stop(MANY))
        }),
        ratio(
            "the start's ratio at 1,000,000, to that at 10,000",
            SAME,
            &|s| s.growth(What::Start),
        ),
        ratio(
            "the stop's ratio at 1,000,000, to that at 10,000",
            SAME,
            &|s| s.growth(What::Stop),
        ),
        ratio("restart after a failure, to a bare loop", 0.4, &|s| {
            s.to_floor(What::Failing)
        }),
    ]
}

/// Those that are measured once.
pub(crate) fn of_sizes(results: &Results) -> Vec<Target> {
    let own = |what| results.get(what, Flavour::CurrentThread, STARTSTOP.name);
    let once = |what: &str, limit, unit, found| Target {
        what: what.to_owned(),
        limit,
        unit,
        found: vec![found],
    };
    // The value is the user's: here a pointer to what counts those that have been entered.
    #[allow(clippy::cast_precision_loss)]
    let beside = |what| own(what).map(|bytes| bytes - size_of::<Gated>() as f64);
    let snapshots = FAILURES.map(|failures| own(What::History(failures)));
    let worst = snapshots.into_iter().flatten().reduce(f64::max);
    vec![
        once(
            "a running service, beside its own value",
            512.0,
            Unit::Bytes,
            beside(What::Bytes(SOME)),
        ),
        once(
            "its allocations",
            2.0,
            Unit::Count,
            own(What::Allocations(SOME)),
        ),
        once(
            "a stopped one",
            256.0,
            Unit::Bytes,
            beside(What::StoppedBytes(SOME)),
        ),
        once(
            "its allocations",
            1.0,
            Unit::Count,
            own(What::StoppedAllocations(SOME)),
        ),
        once(
            "`errors_last()` without failures",
            5.0,
            Unit::Nanoseconds,
            own(What::ErrorsLast(0)),
        ),
        once("`history()` at any size", 60.0, Unit::Nanoseconds, worst),
    ]
}

/// Of the builds of a program with one service, beside those of one of tokio with macros.
pub(crate) fn of_builds(crates: f64, cold: f64, again: f64, kilobytes: f64) -> Vec<Target> {
    let once = |what: &str, limit, unit, found| Target {
        what: what.to_owned(),
        limit,
        unit,
        found: vec![Some(found)],
    };
    vec![
        once(
            "crates of a program with one service",
            20.0,
            Unit::Count,
            crates,
        ),
        once(
            "its cold build, to that of tokio with macros",
            1.8,
            Unit::Ratio,
            cold,
        ),
        once(
            "its release build after a change of its own, to that",
            2.0,
            Unit::Ratio,
            again,
        ),
        once("kilobytes that are added", 250.0, Unit::Count, kilobytes),
    ]
}

/// What is looked for on one flavour.
#[derive(Clone, Copy)]
struct Sought<'a> {
    results: &'a Results,
    flavour: Flavour,
}

impl Sought<'_> {
    fn get(self, what: What, who: &'static str) -> Option<f64> {
        self.results.get(what, self.flavour, who)
    }

    fn to_floor(self, what: What) -> Option<f64> {
        Some(self.get(what, STARTSTOP.name)? / self.get(what, FLOOR.name)?)
    }

    fn own(self, what: What, other: What) -> Option<f64> {
        Some(self.get(what, STARTSTOP.name)? / self.get(other, STARTSTOP.name)?)
    }

    fn growth(self, what: fn(usize) -> What) -> Option<f64> {
        let ratio = |size| self.to_floor(what(size));
        Some(ratio(MANY)? / ratio(SOME)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_on_each_flavour_whether_it_is_met() {
        let mut results = Results::default();
        for (flavour, time) in Flavour::ALL.into_iter().zip([110.4, 111.0]) {
            results.put(What::Cycle, flavour, FLOOR.name, 100.0);
            results.put(What::Cycle, flavour, STARTSTOP.name, time);
        }
        let row = of_times(&results)[0].to_string();
        assert_eq!(
            row,
            "| start and stop, to the floor | 1.10 | 1.10, met | 1.11, **missed** |"
        );
    }

    #[test]
    fn a_snapshot_is_judged_by_its_slowest() {
        let mut results = Results::default();
        for (failures, time) in FAILURES.into_iter().zip([20.0, 30.0, 70.0]) {
            results.put(
                What::History(failures),
                Flavour::CurrentThread,
                STARTSTOP.name,
                time,
            );
        }
        let target = of_sizes(&results).pop().expect("it is the last one");
        assert_eq!(
            target.to_string(),
            "| `history()` at any size | 60.0 ns | 70.0 ns, **missed** |"
        );
    }
}
