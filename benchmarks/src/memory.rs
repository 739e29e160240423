//! How much heap a service takes, while it runs and before it ever did.

use std::env;
use std::error::Error;
use std::process::Command;

use crate::contender::{Can, Contender};
use crate::contenders::{ALL, FLOOR, STARTSTOP, stopped};
use crate::crowd::Heap;
use crate::flavour::Flavour;
use crate::results::{Results, What};
use crate::workload::CROWDS;

/// How many of a rival are counted at most.
const MOST: usize = 100_000;

const RUNNING: &str = "running";
const STOPPED: &str = "stopped";

/// Counts, and prints a line for each crowd. For a program with a counting allocator.
pub fn count() {
    for size in CROWDS {
        for contender in ALL.iter().filter(|who| size <= most(who)) {
            let (Can::Do(bare), Can::Do(crowd)) = (FLOOR.crowd, contender.crowd) else {
                continue;
            };
            // A new one each time: what the last crowd left to be freed is not this one's.
            let runtime = Flavour::CurrentThread.runtime();
            // Its queue grows now, not in the crowd that is counted.
            runtime.block_on(bare(size));
            print(
                RUNNING,
                contender.name,
                size,
                runtime.block_on(crowd(size)).heap,
            );
        }
        print(STOPPED, STARTSTOP.name, size, stopped(size));
    }
}

/// A million of some take gigabytes, and tell no more than a hundred thousand.
fn most(who: &Contender) -> usize {
    if [FLOOR.name, STARTSTOP.name].contains(&who.name) {
        usize::MAX
    } else {
        MOST
    }
}

fn print(state: &str, name: &str, size: usize, heap: Heap) {
    assert!(heap.bytes > 0, "what was there before is freed meanwhile");
    println!(
        "{state}\t{name}\t{size}\t{}\t{}",
        heap.bytes, heap.allocations
    );
}

/// Runs that program.
pub(crate) fn measure(results: &mut Results) -> Result<(), Box<dyn Error>> {
    for line in counted(&[], &[])?.lines() {
        put(line, results).ok_or_else(|| format!("the program that counts: {line}"))?;
    }
    Ok(())
}

fn put(line: &str, results: &mut Results) -> Option<()> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [state, name, size, bytes, allocations] = fields[..] else {
        return None;
    };
    let name = ALL.iter().find(|contender| contender.name == name)?.name;
    let size: usize = size.parse().ok()?;
    let (bytes, allocations): (f64, f64) = (bytes.parse().ok()?, allocations.parse().ok()?);
    let [of_bytes, of_allocations] = match state {
        RUNNING => [What::Bytes(size), What::Allocations(size)],
        STOPPED => [What::StoppedBytes(size), What::StoppedAllocations(size)],
        _ => return None,
    };
    results.put(of_bytes, Flavour::CurrentThread, name, bytes / size as f64);
    results.put(
        of_allocations,
        Flavour::CurrentThread,
        name,
        allocations / size as f64,
    );
    Some(())
}

/// Runs it for the sizes that [`count_sizes`](crate::count_sizes) tells: a list.
pub(crate) fn sizes() -> Result<String, Box<dyn Error>> {
    let mut text = "Counted by an allocator:\n\n".to_owned();
    for features in [&[][..], &["tracing"]] {
        for line in counted(&["sizes"], features)?.lines() {
            text = text + "- " + line + " allocations.\n";
        }
    }
    Ok(text)
}

/// What that program prints, built with these features as well.
fn counted(words: &[&str], features: &[&str]) -> Result<String, Box<dyn Error>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    let run = ["run", "--quiet", "--release", "--bin", "memory"];
    command.args(run).arg("--manifest-path");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    if !cfg!(feature = "rivals") {
        command.arg("--no-default-features");
    }
    for feature in features {
        command.args(["--features", feature]);
    }
    command.arg("--").args(words);
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("the program that counts: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_line_is_understood() {
        let mut results = Results::default();
        let put = put("running\tstartstop\t1000\t512000\t2000", &mut results);
        let found = |what| results.get(what, Flavour::CurrentThread, "startstop");
        assert_eq!(put, Some(()));
        assert_eq!(found(What::Bytes(1_000)), Some(512.0));
        assert_eq!(found(What::Allocations(1_000)), Some(2.0));
    }
}
