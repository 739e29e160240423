//! Callgrind, and what it writes: how many instructions each line of each function took.
//!
//! The format is described in valgrind's manual, "Callgrind Format Specification".

use std::collections::HashMap;
use std::error::Error;
use std::process::{self, Command, Stdio};
use std::{env, fs};

/// Instructions that were executed in one place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Spent<'a> {
    /// Where the source is, also that of a function that was inlined.
    pub(crate) file: &'a str,
    /// The function that it was compiled into.
    pub(crate) function: &'a str,
    /// Where the source of that is.
    pub(crate) home: &'a str,
    pub(crate) instructions: u64,
}

/// Names are written out once, with a number, and are that number from then on.
#[derive(Default)]
struct Names<'a>(HashMap<&'a str, &'a str>);

impl<'a> Names<'a> {
    fn name(&mut self, text: &'a str) -> &'a str {
        let (number, name) = match text.split_once(' ') {
            Some((number, name)) => (number, Some(name)),
            None => (text, None),
        };
        match name {
            Some(name) => {
                self.0.insert(number, name);
                name
            }
            None => self.0.get(number).copied().unwrap_or("???"),
        }
    }
}

/// Has this program run with these words, and returns what callgrind writes of it. Threads take turns, so that each goes on.
pub(crate) fn watched(words: &[&str]) -> Result<String, Box<dyn Error>> {
    let file = env::temp_dir().join(format!("startstop-callgrind-{}", process::id()));
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind", "--fair-sched=yes"]);
    command
        .arg(format!("--callgrind-out-file={}", file.display()))
        .arg(env::current_exe()?);
    command.args(words).stdout(Stdio::null());
    let status = command
        .status()
        .map_err(|error| format!("valgrind: {error}; is it installed?"))?;
    if !status.success() {
        return Err(format!("valgrind: {status}").into());
    }
    let text = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    Ok(text)
}

/// All that was spent, without what the functions called have spent.
pub(crate) fn read(text: &str) -> Vec<Spent<'_>> {
    let (mut files, mut functions) = (Names::default(), Names::default());
    let (mut file, mut home, mut function) = ("???", "???", "???");
    let mut of_callee = false;
    let mut spent = Vec::new();
    for line in text.lines() {
        match line.split_once('=') {
            Some(("fl", name)) => {
                home = files.name(name);
                file = home;
            }
            Some(("fi" | "fe", name)) => file = files.name(name),
            Some(("fn", name)) => function = functions.name(name),
            Some(("cfi" | "cfl", name)) => drop(files.name(name)),
            Some(("cfn", name)) => drop(functions.name(name)),
            Some(("calls", _)) => of_callee = true,
            Some(_) => {}
            None if std::mem::take(&mut of_callee) => {}
            None => {
                if let Some(instructions) = cost(line) {
                    spent.push(Spent {
                        file,
                        function,
                        home,
                        instructions,
                    });
                }
            }
        }
    }
    spent
}

/// A line number, perhaps relative to the one before, and what was spent there.
fn cost(line: &str) -> Option<u64> {
    let (place, cost) = line.split_once(' ')?;
    let is_place = place.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c));
    is_place.then(|| cost.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callees_have_spent_is_left_out_and_names_are_looked_up() {
        let text = "events: Ir\n\nfl=(1) a.rs\nfn=(1) outer\n3 10\ncfi=(2) b.rs\ncfn=(2) inner\n\
                    calls=1 0\n4 1000\nfi=(3) inlined.rs\n+1 5\n\nfl=(2)\nfn=(2)\n* 990\n";
        let found = read(text);
        let spent = |file, function, home, instructions| Spent {
            file,
            function,
            home,
            instructions,
        };
        assert_eq!(
            found,
            [
                spent("a.rs", "outer", "a.rs", 10),
                spent("inlined.rs", "outer", "a.rs", 5),
                spent("b.rs", "inner", "b.rs", 990),
            ]
        );
    }
}
