//! How many instructions things take, and whether that is more than it was.
//!
//! Each is counted by callgrind in a process of its own, twice, the second time for twice as many: the difference is what
//! they took, without what comes before and after. On one thread the same program takes the same each time; on several,
//! what runs beside what varies, and with it the count.

mod work;
mod figure;
mod floor;

use std::error::Error;
use std::fmt::Write;

use crate::contenders::ALL;
use crate::crowd::Until;
use crate::flavour::Flavour;
use crate::{callgrind, figures, machine, memory, page};

use figure::{Counts, FIGURES, Figure, Measured, Span};
use work::Work;

/// The word for the process that is watched.
pub(crate) const ONE: &str = "count";

/// Does one piece of work so many times, to be watched.
pub(crate) fn one(
    who: &str,
    what: &str,
    flavour: &str,
    until: &str,
    n: &str,
) -> Result<(), Box<dyn Error>> {
    let flavour = Flavour::called(flavour).ok_or("no such flavour")?;
    let until = Until::ALL
        .into_iter()
        .find(|it| format!("{it:?}") == until)
        .ok_or("until when?")?;
    until.set();
    let work = Work::called(who, what).ok_or("no such work")?;
    flavour.wait(&flavour.runtime(), work.begin(n.parse()?));
    Ok(())
}

/// How many instructions it took until then, for each of `n`.
pub(crate) fn count(work: &Work, flavour: Flavour, until: Until) -> Result<f64, Box<dyn Error>> {
    let rounds = work.rounds(flavour);
    let once = watched(work, flavour, until, rounds)?;
    let twice = watched(work, flavour, until, 2 * rounds)?;
    #[allow(clippy::cast_possible_wrap)] // They are far from that.
    Ok((twice as i64 - once as i64) as f64 / f64::from(rounds))
}

fn watched(work: &Work, flavour: Flavour, until: Until, n: u32) -> Result<u64, Box<dyn Error>> {
    let (flavour, until) = (format!("{flavour:?}"), format!("{until:?}"));
    let text = callgrind::watched(&[ONE, work.who, work.what, &flavour, &until, &n.to_string()])?;
    let total = text
        .lines()
        .find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.ok_or_else(|| "callgrind has not said how many".into())
}

/// Measures all figures, and writes the part of the page that tells of them.
pub(crate) fn measure() -> Result<(), Box<dyn Error>> {
    let mut counts = Counts::default();
    let all: Result<Vec<_>, _> = FIGURES
        .iter()
        .map(|figure| tried(&mut counts, *figure))
        .collect();
    let text = part(&all?) + "\n" + &memory::sizes()?;
    page::write("instructions", &text)?;
    page::write("rivals", &rivals(&mut counts)?)?;
    page::write("floor", &floor::table(&mut counts)?)?;
    Ok(())
}

/// Measures the two tables of all contenders, on one thread, and writes them.
pub(crate) fn measure_floor() -> Result<(), Box<dyn Error>> {
    let mut counts = Counts::default();
    page::write("floor", &floor::table(&mut counts)?)?;
    page::write("rivals", &rivals(&mut counts)?)?;
    Ok(())
}

/// What is counted of all contenders: the title of its column, and what of what.
const COLUMNS: [(&str, &str, Span); 7] = [
    ("start and stop", "cycle", Span::All),
    ("with a hook that awaits", "hooked", Span::All),
    ("restart", "restart", Span::All),
    ("restart after a failure", "failing", Span::All),
    ("one of many: start", "crowd", Span::Start),
    ("stop", "crowd", Span::Stop),
    ("a star: stop of each", "star", Span::Stop),
];

/// The table of all contenders, each beside the others in the same run.
fn rivals(counts: &mut Counts) -> Result<String, Box<dyn Error>> {
    let mut text = String::from("| instructions of one |");
    for (title, ..) in COLUMNS {
        let _ = write!(text, " {title} |");
    }
    text = text + "\n|---|" + &"---:|".repeat(COLUMNS.len());
    for who in ALL {
        let _ = write!(text, "\n| {} |", who.name);
        for (_, what, span) in COLUMNS {
            let cell = match Work::called(who.name, what) {
                Some(_) => {
                    figures::whole(counts.of((who.name, what), Flavour::CurrentThread, span)?)
                }
                None => String::new(),
            };
            let _ = write!(text, " {cell} |");
        }
    }
    Ok(text + "\n")
}

/// The figure; it is counted again where it is more than it was, for what the machine does beside it may keep threads from
/// each other, the thread that looks at deadlines too, and the least counts.
fn tried(counts: &mut Counts, figure: Figure) -> Result<Measured, Box<dyn Error>> {
    let mut least = counts.measure(figure)?;
    for _ in 1..TRIES {
        if least.is_above() {
            let again = Counts::default().measure(figure)?;
            if again.ratio() < least.ratio() {
                least = again;
            }
        }
    }
    Ok(least)
}

fn part(all: &[Measured]) -> String {
    let mut text = format!(
        "{}\n\n",
        machine::described(&["startstop-core", "tokio", "tokio-util"])
    );
    for (about, title, of) in PRACTICE {
        let found = all
            .iter()
            .find(|one| (one.figure.title, one.figure.flavour) == (title, Flavour::CurrentThread));
        let Some(found) = found else { continue };
        let (own, other) = (
            figures::whole(found.own * of),
            figures::whole(found.other * of),
        );
        let _ = writeln!(
            text,
            "- {about}: {own} instructions; bare tokio takes {other}."
        );
    }
    text.push_str(
        "\n| instructions of one | runtime | startstop | held against | ratio | not above | target |\n\
         |---|---|---:|---:|---:|---:|---:|\n",
    );
    for one in all {
        let _ = writeln!(text, "| {one} |");
    }
    text
}

/// What a reader may want to know, the figure that tells it, and how many of them it is.
const PRACTICE: [(&str, &str, f64); 5] = [
    (
        "A service that starts and stops",
        "cycle, to bare tokio",
        1.0,
    ),
    (
        "A restart, held against a stop and a start",
        "restart, to a bare stop and start",
        1.0,
    ),
    (
        "A hundred services that nobody orders, to start",
        "crowd, start",
        100.0,
    ),
    ("A group of a hundred, to start", "star, start", 100.0),
    ("A group of a hundred, to stop", "star, stop", 100.0),
];

/// How often it is counted on several threads before it is taken for more than it was.
const TRIES: usize = 3;

/// Prints all figures, and fails if one is above what was reached.
pub(crate) fn check() -> Result<(), Box<dyn Error>> {
    let mut counts = Counts::default();
    let mut above = 0;
    for figure in FIGURES {
        let measured = tried(&mut counts, *figure)?;
        println!(
            "{measured}{}",
            if measured.is_above() { " | ABOVE" } else { "" }
        );
        above += usize::from(measured.is_above());
    }
    if above == 0 {
        Ok(())
    } else {
        Err(format!("{above} are above what was reached").into())
    }
}
