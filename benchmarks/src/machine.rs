//! When and where it was measured, and of what.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

/// One sentence of it, with the versions of these crates.
pub(crate) fn described(crates: &[&str]) -> String {
    let versions = crates
        .iter()
        .filter_map(|name| Some(format!("{name} {}", version(name)?)));
    format!(
        "Measured on {} with {} on {}, {} cores, {}. Versions: {}.",
        today(),
        rustc(),
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| env::consts::ARCH.to_owned()),
        thread::available_parallelism().map_or(1, std::num::NonZero::get),
        field("/etc/os-release", "PRETTY_NAME").unwrap_or_else(|| env::consts::OS.to_owned()),
        versions.collect::<Vec<_>>().join(", "),
    )
}

/// The version of a crate in the lock file of the benchmarks.
pub(crate) fn version(name: &str) -> Option<String> {
    let lock = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).ok()?;
    locked(&lock, name)
}

fn locked(lock: &str, name: &str) -> Option<String> {
    let (_, package) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    Some(package.split_once('"')?.0.to_owned())
}

fn rustc() -> String {
    let version = Command::new("rustc").arg("--version").output();
    let version = version
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok());
    let words = version
        .as_deref()
        .map(|version| version.split(' ').take(2).collect::<Vec<_>>());
    words.map_or_else(|| "an unknown compiler".to_owned(), |words| words.join(" "))
}

/// The value of `name = value` or `name: value` in a file.
fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let (_, value) = line.split_once(['=', ':'])?;
    Some(value.trim().trim_matches('"').to_owned())
}

fn today() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is later than 1970");
    date(since.as_secs() / 86_400)
}

/// The date so many days after the first of January 1970.
fn date(mut day: u64) -> String {
    let mut year = 1970;
    while day >= days_of(year) {
        day -= days_of(year);
        year += 1;
    }
    let february = days_of(year) - 337;
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while day >= months[month] {
        day -= months[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, day + 1)
}

fn days_of(year: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    if leap { 366 } else { 365 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        let found = [0, 58, 59, 11_016, 19_782, 20_088].map(date);
        let dates = [
            "1970-01-01",
            "1970-02-28",
            "1970-03-01",
            "2000-02-29",
            "2024-02-29",
            "2024-12-31",
        ];
        assert_eq!(found, dates);
    }

    #[test]
    fn a_locked_version_is_found() {
        let lock = "[[package]]\nname = \"tokio-util\"\nversion = \"0.7.20\"\n\n\
                    [[package]]\nname = \"tokio\"\nversion = \"1.54.1\"\n";
        assert_eq!(locked(lock, "tokio").as_deref(), Some("1.54.1"));
        assert_eq!(locked(lock, "toki"), None);
    }
}
