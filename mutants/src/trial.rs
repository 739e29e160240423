//! The tests, and what comes of them with a mistake turned on.

use std::collections::BTreeSet;
use std::error::Error;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use crate::report::{Outcome, Report};
use crate::tree::{Executable, Tree};

/// A test takes at most this long, and so many times what it takes without a mistake.
const PATIENCE: (Duration, u32) = (Duration::from_secs(2), 5);

/// In KiB: a mistake may fill the memory.
const MOST_MEMORY: usize = 10 << 20;

/// What `timeout` says of a program that it has killed.
const KILLED: i32 = 137;

/// A test, what it takes, and which switches it comes across.
pub(crate) struct Test {
    path: PathBuf,
    package: PathBuf,
    name: String,
    took: Duration,
    met: BTreeSet<usize>,
}

/// Runs each test without a mistake.
pub(crate) fn tests(tree: &Tree, skipped: &[String]) -> Result<Vec<Test>, Box<dyn Error>> {
    let mut tests = Vec::new();
    for executable in tree.tests()? {
        for name in names(&executable)? {
            let is_in = |module: &String| name.starts_with(&format!("{module}::"));
            if skipped.iter().any(is_in) {
                continue;
            }
            match Test::new(&executable, name)? {
                Ok(test) => tests.push(test),
                Err(name) => println!("left out, since it fails without a mistake: {name}"),
            }
        }
    }
    tests.sort_by_key(|test| test.took);
    Ok(tests)
}

fn names(executable: &Executable) -> Result<Vec<String>, Box<dyn Error>> {
    let output = Command::new(&executable.path).arg("--list").output()?;
    let listed = String::from_utf8(output.stdout)?;
    Ok(listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .map(str::to_owned)
        .collect())
}

impl Test {
    /// The test, or its name if it fails without a mistake.
    fn new(executable: &Executable, name: String) -> Result<Result<Self, String>, Box<dyn Error>> {
        let (path, package) = (executable.path.clone(), executable.package.clone());
        let took = Duration::from_mins(10);
        let mut test = Self {
            path,
            package,
            name,
            took,
            met: BTreeSet::new(),
        };
        let begin = Instant::now();
        if !test.run(("STARTSTOP_MUTANT", "none"))?.success() {
            return Ok(Err(test.name));
        }
        test.took = begin.elapsed();
        let file = env::temp_dir().join(format!("startstop-mutants-{}", process::id()));
        fs::write(&file, "")?;
        let path = file
            .to_str()
            .ok_or("the path of a temporary file is not UTF-8")?;
        if !test.run(("STARTSTOP_MUTANTS_MET", path))?.success() {
            return Ok(Err(test.name));
        }
        test.met = fs::read_to_string(&file)?
            .lines()
            .map(str::parse)
            .collect::<Result<_, _>>()?;
        fs::remove_file(file)?;
        Ok(Ok(test))
    }

    fn run(&self, (variable, value): (&str, &str)) -> std::io::Result<ExitStatus> {
        let limit = PATIENCE.0 + self.took * PATIENCE.1;
        Command::new("sh")
            .arg("-c")
            .arg(format!("ulimit -c 0 -v {MOST_MEMORY}; exec \"$@\""))
            .args([
                "sh",
                "timeout",
                "--signal=KILL",
                &limit.as_secs_f64().to_string(),
            ])
            .arg(&self.path)
            .args(["--exact", &self.name])
            .current_dir(&self.package)
            .env(variable, value)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
    }

    fn outcome(&self, id: usize) -> std::io::Result<Option<Outcome>> {
        let status = self.run(("STARTSTOP_MUTANT", &id.to_string()))?;
        let name = self.name.clone();
        Ok(match status.code() {
            Some(0) => None,
            None | Some(KILLED) => Some(Outcome::Hung(name)),
            Some(_) => Some(Outcome::Caught(name)),
        })
    }
}

/// Turns on one mistake after another, and runs the tests that come across it until one fails.
pub(crate) fn run(tests: &[Test], report: &mut Report<'_>, ids: &[usize]) -> std::io::Result<()> {
    let report = Mutex::new(report);
    in_parallel(ids, |&id| {
        let outcome = outcome(tests, id)?;
        report.lock().expect("no worker panics").one(id, outcome);
        Ok(ControlFlow::Continue(()))
    })
}

fn outcome(tests: &[Test], id: usize) -> std::io::Result<Outcome> {
    let mut outcome = Outcome::Unmet;
    for test in tests.iter().filter(|test| test.met.contains(&id)) {
        if let Some(found) = test.outcome(id)? {
            return Ok(found);
        }
        outcome = Outcome::Missed;
    }
    Ok(outcome)
}

/// Runs all tests, in which a mistake is built, until one fails.
pub(crate) fn run_all(tests: &[Test], id: usize) -> std::io::Result<Outcome> {
    let outcome = Mutex::new(Outcome::Missed);
    in_parallel(tests, |test| {
        Ok(match test.outcome(id)? {
            None => ControlFlow::Continue(()),
            Some(found) => {
                *outcome.lock().expect("no worker panics") = found;
                ControlFlow::Break(())
            }
        })
    })?;
    Ok(outcome.into_inner().expect("no worker panics"))
}

/// Works on each item, until a worker breaks off.
fn in_parallel<T: Sync>(
    items: &[T],
    work: impl Fn(&T) -> std::io::Result<ControlFlow<()>> + Sync,
) -> std::io::Result<()> {
    let next = AtomicUsize::new(0);
    let worker = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            if work(item)?.is_break() {
                next.store(items.len(), Ordering::Relaxed);
            }
        }
        Ok(())
    };
    // One more than there are processors, since some only wait for what hangs.
    let workers = 1 + thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().expect("no worker panics"))
    })
}
