//! One run: measures, then writes.

use std::error::Error;

use crate::contenders::STARTSTOP;
use crate::flavour::Flavour;
use crate::results::Results;
use crate::weather::Weather;
use crate::{cold, counts, history, memory, page, plot, profile, report, workload};

/// Measures what the words ask for and writes it into `docs`: nothing for what it costs to run,
/// `build` for what it costs to build, `profile` for where the instructions go, `instructions` for how many there are, and
/// `floor` for those of the contenders alone.
///
/// # Errors
///
/// Where it is not understood, or cannot run what it has to, or cannot write.
pub fn run(words: &[String]) -> Result<(), Box<dyn Error>> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => measure(),
        ["build"] => cold::measure(),
        ["profile"] => profile::measure(),
        [profile::ONE, who, what, rounds] => profile::one(who, what, rounds),
        ["instructions"] => counts::measure(),
        ["floor"] => counts::measure_floor(),
        ["instructions", "check"] => counts::check(),
        [counts::ONE, who, what, flavour, until, n] => counts::one(who, what, flavour, until, n),
        _ => Err(
            "either nothing, or `build`, `profile`, `floor`, `instructions` or `instructions check`"
                .into(),
        ),
    }
}

fn measure() -> Result<(), Box<dyn Error>> {
    let weather = Weather::watch();
    let mut results = Results::default();
    for flavour in Flavour::ALL {
        workload::measure(flavour, &mut results);
    }
    workload::measure_one(Flavour::FromMain, &mut results);
    history::measure(&mut results);
    memory::measure(&mut results)?;
    page::write("run", &report::part(&results, &weather))?;
    page::write_plot(&plot::draw(&report::panels(&results), STARTSTOP.name))?;
    Ok(())
}
