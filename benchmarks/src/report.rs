//! The part of the page that tells what it costs to run.

use std::fmt::{Display, Write};

use crate::contenders::{ALL, FLOOR, STARTSTOP};
use crate::figures::{self, count, digits};
use crate::flavour::Flavour;
use crate::history::FAILURES;
use crate::plot::Panel;
use crate::results::{Results, What};
use crate::table::{Column, Table};
use crate::weather::Weather;
use crate::workload::{CROWDS, MEMBERS};
use crate::{machine, target};

const FROM_MAIN: &str = "\
As it is in the body of `#[tokio::main]`, which is none of the workers: each step is a switch between threads of the operating
system, which costs far more than what is compared. Three take fewer switches: an actor of ractor has started once its `pre_start` has
returned, which the caller runs itself; meltdown runs its services in the caller's task; and tokio-graceful-shutdown asks from a
task of its own. All others wait until a worker has entered the body.
";

/// The Markdown of all of it.
pub(crate) fn part(results: &Results, weather: &Weather) -> String {
    let names = ALL.iter().map(|who| who.name);
    let crates: Vec<&str> = ["startstop-core", "tokio", "tokio-util"]
        .into_iter()
        .chain(names)
        .collect();
    let mut text = format!(
        "## What it costs to run\n\n{} {}\n",
        machine::described(&crates),
        weather.report()
    );
    let mut add = |part: &dyn Display| {
        let _ = write!(text, "\n{part}");
    };
    add(&"![Ratios to bare tokio](benchmarks.svg)\n");
    add(&targets(results));
    for flavour in Flavour::ALL {
        add(&format!("### One service, {}\n", flavour.name()));
        add(&Table::new(results, flavour, one_service()));
        add(&"Reads, with one thread that reads and with two:\n");
        add(&Table::new(results, flavour, reads()));
    }
    add(&format!("### One service, {}\n", Flavour::FromMain.name()));
    add(&FROM_MAIN);
    add(&Table::new(results, Flavour::FromMain, one_service()));
    for flavour in Flavour::ALL {
        add(&format!("### Many idle services, {}\n", flavour.name()));
        add(&"To start each of so many:\n");
        add(&Table::new(results, flavour, crowds(What::Start)));
        add(&"To stop each of so many:\n");
        add(&Table::new(results, flavour, crowds(What::Stop)));
    }
    add(&"### Memory\n\nBytes of each of so many that run:\n");
    add(&Table::new(
        results,
        Flavour::CurrentThread,
        sizes(What::Bytes),
    ));
    add(&"Allocations of each:\n");
    add(&Table::new(
        results,
        Flavour::CurrentThread,
        sizes(What::Allocations),
    ));
    add(&stopped(results));
    add(&history(results));
    for flavour in Flavour::ALL {
        add(&format!(
            "### Groups of {}, {}\n",
            count(MEMBERS),
            flavour.name()
        ));
        add(
            &"For each member. In a chain each needs the one before it, in a star all need the first.\n",
        );
        add(&Table::new(results, flavour, groups()));
    }
    add(&how());
    text
}

/// What the plot shows.
pub(crate) fn panels(results: &Results) -> Vec<Panel> {
    let panel = |title: &str, what: What, flavour: Flavour| {
        let floor = results.get(what, flavour, FLOOR.name)?;
        let rest = ALL.iter().filter(|who| who.name != FLOOR.name);
        let bars =
            rest.filter_map(|who| Some((who.name, results.get(what, flavour, who.name)? / floor)));
        Some(Panel {
            title: title.to_owned(),
            bars: bars.collect(),
        })
    };
    let [one, two] = Flavour::ALL;
    let panels = [
        panel("Start and stop, current_thread", What::Cycle, one),
        panel("Start and stop, multi_thread", What::Cycle, two),
        panel("Restart, current_thread", What::Restart, one),
        panel(
            "Restart after a failure, current_thread",
            What::Failing,
            one,
        ),
        panel(
            "Start of each of 100,000, current_thread",
            What::Start(100_000),
            one,
        ),
        panel("Heap of a running service", What::Bytes(10_000), one),
    ];
    panels.into_iter().flatten().collect()
}

fn one_service() -> Vec<Column> {
    vec![
        Column::time("start and stop", What::Cycle),
        Column::time("with a hook that awaits", What::Hooked),
        Column::time("restart", What::Restart),
        Column::time("restart after a failure", What::Failing),
    ]
}

fn reads() -> Vec<Column> {
    vec![
        Column::time("does it run, one thread", What::Running(1)),
        Column::time("two threads", What::Running(2)),
        Column::time("uptime, one thread", What::Uptime(1)),
        Column::time("two threads", What::Uptime(2)),
    ]
}

fn crowds(what: fn(usize) -> What) -> Vec<Column> {
    CROWDS
        .map(|size| Column::time(count(size), what(size)))
        .into()
}

fn sizes(what: fn(usize) -> What) -> Vec<Column> {
    CROWDS
        .map(|size| Column {
            show: digits,
            ..Column::time(count(size), what(size))
        })
        .into()
}

fn groups() -> Vec<Column> {
    vec![
        Column::time("start of a chain", What::ChainStart),
        Column::time("its stop", What::ChainStop),
        Column::time("start of a star", What::StarStart),
        Column::time("its stop", What::StarStop),
    ]
}

fn stopped(results: &Results) -> String {
    let rows = CROWDS.iter().filter_map(|&size| {
        let own = |what| results.get(what, Flavour::CurrentThread, STARTSTOP.name);
        let (bytes, allocations) = (
            own(What::StoppedBytes(size))?,
            own(What::StoppedAllocations(size))?,
        );
        Some(format!(
            "| {} | {} | {} |\n",
            count(size),
            digits(bytes),
            digits(allocations)
        ))
    });
    let rows: String = rows.collect();
    format!(
        "A startstop service that never ran:\n\n| of so many | bytes | allocations |\n|---:|---:|---:|\n{rows}"
    )
}

fn history(results: &Results) -> String {
    let rows = FAILURES.iter().map(|&failures| {
        let time = |what: fn(u32) -> What| {
            let found = results.get(what(failures), Flavour::CurrentThread, STARTSTOP.name);
            found.map_or_else(|| "–".to_owned(), figures::time)
        };
        let cells = [What::ErrorsLast, What::ErrorsList, What::History]
            .map(time)
            .join(" | ");
        format!("| {} | {cells} |\n", count(failures as usize))
    });
    let rows: String = rows.collect();
    format!(
        "### History\n\nThat of startstop; none of the others keeps one.\n\n\
         | failures | `errors_last()` | `errors_list()` | `history()` |\n|---:|---:|---:|---:|\n{rows}"
    )
}

fn targets(results: &Results) -> String {
    let flavours = Flavour::ALL.map(Flavour::name).join(" | ");
    let times = target::of_times(results)
        .into_iter()
        .map(|target| format!("{target}\n"));
    let sizes = target::of_sizes(results)
        .into_iter()
        .map(|target| format!("{target}\n"));
    format!(
        "### Targets\n\n| ratio | at most | {flavours} |\n|---|---:|---:|---:|\n{}\n\
         | size or time | at most | found |\n|---|---:|---:|\n{}",
        times.collect::<String>(),
        sizes.collect::<String>(),
    )
}

fn how() -> String {
    let lines = ALL
        .iter()
        .map(|who| format!("- **{}:** {}.\n", who.name, who.how));
    format!(
        "### How each of them was used\n\n{}",
        lines.collect::<String>()
    )
}
