//! How many instructions things take, and whether that is more than it was.
//!
//! Each is counted by callgrind in a process of its own, twice, the second time for twice as many: the difference is what
//! they took, without what comes before and after. On one thread the same program takes the same each time; on several,
//! what runs beside what varies, and with it the count.

mod work;
mod figure;
mod limits;

use std::error::Error;
use std::process::{self, Command, Stdio};
use std::{env, fs};

use crate::crowd::Until;
use crate::flavour::Flavour;

pub(crate) use figure::FIGURES;
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
    let until = Until::ALL.into_iter().find(|it| format!("{it:?}") == until).ok_or("until when?")?;
    until.set();
    let work = Work::called(who, what).ok_or("no such work")?;
    flavour.wait(&flavour.runtime(), work.begin(n.parse()?));
    Ok(())
}

/// How many instructions it took until then, for each of `n`.
pub(crate) fn count(work: &Work, flavour: Flavour, until: Until) -> Result<f64, Box<dyn Error>> {
    let rounds = work.rounds();
    let once = watched(work, flavour, until, rounds)?;
    let twice = watched(work, flavour, until, 2 * rounds)?;
    #[allow(clippy::cast_possible_wrap)] // They are far from that.
    Ok((twice as i64 - once as i64) as f64 / f64::from(rounds))
}

fn watched(work: &Work, flavour: Flavour, until: Until, n: u32) -> Result<u64, Box<dyn Error>> {
    let file = env::temp_dir().join(format!("startstop-count-{}", process::id()));
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind", "--fair-sched=yes"]);
    command.arg(format!("--callgrind-out-file={}", file.display())).arg(env::current_exe()?);
    let words = [format!("{flavour:?}"), format!("{until:?}"), n.to_string()];
    command.args([ONE, work.who, work.what]).args(words).stdout(Stdio::null());
    let status =
        command.status().map_err(|error| format!("valgrind: {error}; is it installed?"))?;
    if !status.success() {
        return Err(format!("valgrind: {status}").into());
    }
    let text = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    total.ok_or_else(|| "callgrind has not said how many".into())
}

/// Prints all figures.
pub(crate) fn print() -> Result<(), Box<dyn Error>> {
    for figure in FIGURES {
        println!("{}", figure.measured()?);
    }
    Ok(())
}

/// Fails if a figure is above its limit.
pub(crate) fn check() -> Result<(), Box<dyn Error>> {
    limits::check()
}
