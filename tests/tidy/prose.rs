//! The prose of comments: documentation opens with its subject or its verb.

use super::none;
use super::source::{File, files};

/// The folders whose documentation is read.
const READ: [&str; 7] = [
    "startstop-core",
    "startstop-derive",
    "startstop-host",
    "startstop-process",
    "startstop-fleet",
    "examples",
    "tests",
];

/// Words that a line of documentation does not open with: what they stand for comes later in the line, or never.
const OPENINGS: [&str; 6] = ["Has", "Of", "What", "Who", "Whoever", "Whom"];

#[test]
fn documentation_opens_with_its_subject() {
    none(READ.into_iter().flat_map(files).flat_map(|file| {
        let found = openings(&file).filter(|(_, text)| OPENINGS.contains(&first_word(text)));
        found
            .map(|(number, text)| format!("{}:{number} {text}", file.path))
            .collect::<Vec<_>>()
    }));
}

/// The first lines of documentation, with their numbers.
fn openings(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut goes_on = false;
    file.text
        .lines()
        .zip(1..)
        .filter_map(move |(line, number)| {
            let line = line.trim_start();
            let text = line
                .strip_prefix("///")
                .or_else(|| line.strip_prefix("//!"));
            let opens = !std::mem::replace(&mut goes_on, text.is_some());
            Some((number, text?.trim_start())).filter(|_| opens)
        })
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}
