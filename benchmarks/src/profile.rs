//! Where the instructions of a start, a stop and a restart go.
//!
//! Each workload is run twice by callgrind, in a process of its own, once for twice as many rounds: the
//! difference is what the rounds took, without the start of the process. Instructions are the same on a
//! loaded machine.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;

use crate::callgrind::{self, Spent};
use crate::contenders::{ALL, FLOOR, STARTSTOP};
use crate::flavour::Flavour;
use crate::results::What;
use crate::{figures, machine, page, workload};

/// The word for the process that is watched.
pub(crate) const ONE: &str = "one";

const ROUNDS: u32 = 5_000;

/// What is watched: the title of its column, who does it, and what.
const COLUMNS: [(&str, &str, What); 6] = [
    ("bare tokio: start and stop", FLOOR.name, What::Cycle),
    ("start and stop", STARTSTOP.name, What::Cycle),
    ("with a hook that awaits", STARTSTOP.name, What::Hooked),
    ("restart", STARTSTOP.name, What::Restart),
    (
        "bare tokio: restart after a failure",
        FLOOR.name,
        What::Failing,
    ),
    ("restart after a failure", STARTSTOP.name, What::Failing),
];

/// Who spends it, as a row of the table: by the files of the source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spender {
    Task,
    Runtime,
    Sync,
    Locks,
    Heap,
    Clock,
    Cell,
    Rules,
    Calls,
    Driver,
    Failures,
    Rest,
}

impl Spender {
    const ALL: [(Self, &'static str); 12] = [
        (Self::Task, "tokio: the task, from its spawn to its end"),
        (Self::Runtime, "tokio: its queue, its turns, its timers"),
        (Self::Sync, "tokio: the token and the `Notify` of the floor"),
        (Self::Locks, "locks and atomic counters"),
        (Self::Heap, "the heap"),
        (Self::Clock, "the clock"),
        (
            Self::Cell,
            "startstop: the lock, and what is done under it and after it",
        ),
        (Self::Rules, "startstop: the rules of the lifecycle"),
        (Self::Calls, "startstop: calls, and who waits for what"),
        (
            Self::Driver,
            "startstop: the driver, the context, what fences panics",
        ),
        (
            Self::Failures,
            "startstop: failures, the history, the policy",
        ),
        (Self::Rest, "the rest: copies of memory, the body itself"),
    ];

    fn of(spent: &Spent<'_>) -> Self {
        let named = [spent.file, spent.home, spent.function];
        named
            .into_iter()
            .find_map(Self::of_path)
            .unwrap_or(Self::Rest)
    }

    /// Whose file that is; a function of the standard library is known by the type that it is about.
    fn of_path(path: &str) -> Option<Self> {
        let has = |parts: &[&str]| parts.iter().any(|part| path.contains(part));
        if path.contains("startstop") {
            return Self::of_own(path);
        }
        let spenders: [(&[&str], Self); 5] = [
            (
                &[
                    "library/core/src/sync",
                    "library/std/src/sync",
                    "std/src/sys/sync",
                    "alloc/src/sync",
                ],
                Self::Locks,
            ),
            (
                &["malloc", "alloc/src/alloc.rs", "__rust_alloc", "__rdl_"],
                Self::Heap,
            ),
            (
                &[
                    "sys/pal/unix/time.rs",
                    "std/src/time.rs",
                    "clock_gettime",
                    "vdso",
                ],
                Self::Clock,
            ),
            (
                &["tokio-util", "/src/sync/", "tokio::sync", "tokio_util"],
                Self::Sync,
            ),
            (&["runtime/task", "/src/task/", "runtime::task"], Self::Task),
        ];
        let found = spenders.into_iter().find(|(parts, _)| has(parts));
        let runtime = || has(&["tokio", "/mio-", "mio::"]).then_some(Self::Runtime);
        found.map(|(_, spender)| spender).or_else(runtime)
    }

    fn of_own(path: &str) -> Option<Self> {
        let module = path
            .split_once("startstop-core/src/")
            .map(|(_, module)| module);
        let module = module.or(path
            .split_once("startstop_core::")
            .map(|(_, module)| module))?;
        let module = module.replace("::", "/");
        let is = |names: &[&str]| names.iter().any(|name| module.starts_with(name));
        let spenders: [(&[&str], Self); 6] = [
            (&["sync/clock"], Self::Clock),
            (
                &["rules/restart_counter", "settings/restart_policy"],
                Self::Failures,
            ),
            (
                &["report/failure", "report/history", "engine/record"],
                Self::Failures,
            ),
            (&["rules"], Self::Rules),
            (
                &[
                    "runner/driver",
                    "service",
                    "engine/catch_unwind",
                    "engine/task",
                    "report/panic",
                ],
                Self::Driver,
            ),
            (&["engine/request", "engine/waiters", "runner"], Self::Calls),
        ];
        let found = spenders.into_iter().find(|(names, _)| is(names));
        Some(found.map_or(Self::Cell, |(_, spender)| spender))
    }
}

/// Does the work of one column so many times, to be watched.
pub(crate) fn one(who: &str, what: &str, rounds: &str) -> Result<(), Box<dyn Error>> {
    let column = COLUMNS
        .iter()
        .find(|column| column.1 == who && format!("{:?}", column.2) == what);
    let &(_, name, what) = column.ok_or("no such workload")?;
    let contender = ALL
        .iter()
        .find(|contender| contender.name == name)
        .ok_or("nobody")?;
    let work = workload::batch(what, contender).ok_or("it cannot do that")?;
    let flavour = Flavour::CurrentThread;
    flavour.wait(&flavour.runtime(), work(rounds.parse()?));
    Ok(())
}

/// Watches all columns, and writes the part of the page that tells of it.
pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    let mut columns = Vec::new();
    for (title, who, what) in COLUMNS {
        eprintln!("{who}: {what:?}");
        let once = watched(who, what, ROUNDS)?;
        let twice = watched(who, what, 2 * ROUNDS)?;
        let of = |(spender, count): (&Spender, &u64)| {
            let start = once.get(spender).copied().unwrap_or_default();
            (
                *spender,
                count.saturating_sub(start) as f64 / f64::from(ROUNDS),
            )
        };
        columns.push((title, twice.iter().map(of).collect()));
    }
    page::write("profile", &part(&columns))?;
    Ok(())
}

/// How many instructions each of them spends in so many rounds.
fn watched(who: &str, what: What, rounds: u32) -> Result<BTreeMap<Spender, u64>, Box<dyn Error>> {
    let text = callgrind::watched(&[ONE, who, &format!("{what:?}"), &rounds.to_string()])?;
    let mut all = BTreeMap::new();
    for spent in callgrind::read(&text) {
        *all.entry(Spender::of(&spent)).or_default() += spent.instructions;
    }
    Ok(all)
}

fn part(columns: &[(&str, BTreeMap<Spender, f64>)]) -> String {
    let titles: Vec<&str> = columns.iter().map(|(title, _)| *title).collect();
    let mut text = format!(
        "{}\n\n| instructions of one | {} |\n|---|{}\n",
        machine::described(&["startstop-core", "tokio", "tokio-util"]),
        titles.join(" | "),
        "---:|".repeat(titles.len())
    );
    for (spender, title) in Spender::ALL {
        let spent = columns
            .iter()
            .map(|(_, all)| all.get(&spender).copied().unwrap_or_default());
        let _ = writeln!(text, "| {title} | {} |", cells(spent));
    }
    let sums = columns.iter().map(|(_, all)| all.values().sum());
    let _ = writeln!(text, "| **all** | {} |", cells(sums));
    text
}

fn cells(values: impl Iterator<Item = f64>) -> String {
    let shown = values.map(|value| {
        if value < 0.5 {
            "–".to_owned()
        } else {
            figures::whole(value)
        }
    });
    shown.collect::<Vec<_>>().join(" | ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_are_known_by_their_files() {
        let of = |file, home, function| {
            Spender::of(&Spent {
                file,
                function,
                home,
                instructions: 1,
            }) as u8
        };
        let option = "/rustc/1/library/core/src/option.rs";
        let cell = "startstop-core/src/engine/apply.rs";
        assert_eq!(of(option, cell, "step"), Spender::Cell as u8);
        assert_eq!(
            of("startstop-core/src/rules/lifecycle/parts.rs", cell, ""),
            Spender::Rules as u8
        );
        assert_eq!(
            of("./malloc/malloc.c", "./malloc/malloc.c", ""),
            Spender::Heap as u8
        );
        let drop = "core::ptr::drop_in_place<startstop_core::engine::waiters::Wakes>";
        assert_eq!(of(option, option, drop), Spender::Calls as u8);
        assert_eq!(
            of("t/tokio-1.0/src/runtime/task/raw.rs", "", ""),
            Spender::Task as u8
        );
        assert_eq!(
            of("t/tokio-1.0/src/runtime/time/mod.rs", "", ""),
            Spender::Runtime as u8
        );
        let lock = "/rustc/1/library/std/src/sys/sync/mutex/futex.rs";
        assert_eq!(of(lock, cell, "step"), Spender::Locks as u8);
        assert_eq!(
            of("t/tokio-1.0/src/sync/notify.rs", "", ""),
            Spender::Sync as u8
        );
        assert_eq!(of("???", "???", "memcpy"), Spender::Rest as u8);
    }

    #[test]
    fn every_column_can_be_watched() {
        for (_, who, what) in COLUMNS {
            one(who, &format!("{what:?}"), "2").expect("it is known and ends");
        }
        one("bare tokio", "Running", "2").unwrap_err();
    }
}
