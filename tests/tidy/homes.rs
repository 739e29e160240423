//! Where things are at home: the methods of a type in few files, a name for one type, a file for something.

use std::collections::BTreeMap;

use super::source::{File, files};
use super::{CORE, none};

const DERIVE: &str = "startstop-derive/src";

/// The crates that are published.
const CRATES: [&str; 5] = [
    CORE,
    DERIVE,
    "startstop-host/src",
    "startstop-process/src",
    "startstop-fleet/src",
];

/// The methods of a type are in no more files than this.
const HOMES: usize = 3;

/// Types whose methods are in more files.
const MANY: [(&str, &str); 1] = [(
    "Election",
    "what a follower, a leader and the answers of a store bring about are three pages of rules",
)];

/// Names of private types that are there twice.
const TWICE: [(&str, &str); 3] = [
    ("Nudge", "a model has another thread in its place"),
    ("QueueEntry", "a model has another queue in its place"),
    ("Signals", "one for each system, of which one is compiled"),
];

/// Files that define nothing of their own.
const EMPTY: [(&str, &str); 4] = [
    ("startstop-core/src/lib.rs", "the front page"),
    ("startstop-core/src/report.rs", "the room is what is in it"),
    ("startstop-core/src/rules.rs", "the room is what is in it"),
    (
        "startstop-core/src/sync.rs",
        "tokio's and std's, or those of the models",
    ),
];

/// Pairs of which the first does not know the second: each was a circle once.
const ONE_WAY: [(&str, &str); 2] = [
    ("startstop-core/src/engine/synced.rs", "Shared"),
    ("startstop-core/src/runner/driver/drive/attempt.rs", "super"),
];

#[test]
fn the_methods_of_a_type_are_in_at_most_three_files() {
    let found = homes(CORE, inherent_impls).len();
    assert!(found > 100, "no inherent impls are found any more");
    let all = CRATES.iter().flat_map(|src| homes(src, inherent_impls));
    let excused = |name: &str| MANY.iter().any(|(known, _)| *known == name);
    let many = all.filter(|(name, paths)| paths.len() > HOMES && !excused(name));
    none(many.map(|(name, paths)| format!("{name} is in {}", paths.join(", "))));
}

/// The files that each of the names is in.
fn homes(src: &str, names: fn(&File) -> Vec<&str>) -> BTreeMap<String, Vec<String>> {
    let mut homes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files(src) {
        for name in names(&file) {
            let paths = homes.entry(name.to_owned()).or_default();
            // Two in one file are one type, with a feature and without.
            if !paths.contains(&file.path) {
                paths.push(file.path.clone());
            }
        }
    }
    homes
}

/// The types that a file has an inherent impl of.
fn inherent_impls(file: &File) -> Vec<&str> {
    let lines = file.text.lines().filter(|line| line.starts_with("impl"));
    let heads = lines.filter(|line| !line.contains(" for "));
    heads
        .filter_map(|line| after_generics(line.strip_prefix("impl")?))
        .collect()
}

/// The first name after the parameters of an impl.
fn after_generics(rest: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let end = rest.char_indices().find(|(_, c)| {
        match c {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ => {}
        }
        depth == 0 && *c == ' '
    });
    let name = rest[end?.0..].trim_start();
    name.split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
}

#[test]
fn no_name_of_a_private_type_is_there_twice() {
    let twice: Vec<_> = CRATES.iter().flat_map(|src| twice(src)).collect();
    let excused = |name: &str| TWICE.iter().any(|(known, _)| *known == name);
    let found = twice.iter().filter(|(name, _)| !excused(name));
    none(found.map(|(name, paths)| format!("{name} is in {}", paths.join(", "))));
    let is_there = |name: &str| twice.iter().any(|(found, _)| found == name);
    let outdated = TWICE.iter().filter(|(name, _)| !is_there(name));
    none(outdated.map(|(name, _)| format!("{name} needs no excuse any more")));
}

/// The names of types that are in more than one file of a crate.
fn twice(src: &str) -> BTreeMap<String, Vec<String>> {
    let homes = homes(src, types);
    assert!(homes.len() > 10, "no types are found any more in {src}");
    homes
        .into_iter()
        .filter(|(_, paths)| paths.len() > 1)
        .collect()
}

/// The names of the types that a file defines; what belongs to an impl is none.
fn types(file: &File) -> Vec<&str> {
    let kinds = ["struct ", "enum ", "trait ", "union "];
    let lines = file.text.lines().filter(|line| {
        let is_alias = !line.starts_with(' ') && item(line).starts_with("type ");
        is_alias || kinds.iter().any(|kind| item(line).starts_with(kind))
    });
    let names = lines.filter_map(|line| Some(item(line).split_once(' ')?.1));
    names
        .filter_map(|rest| rest.split(is_no_letter).next())
        .collect()
}

/// A line of code without who may see it.
fn item(line: &str) -> &str {
    let code = line.trim_start();
    match code.strip_prefix("pub(") {
        Some(rest) => rest.split_once(") ").map_or(code, |(_, rest)| rest),
        None => code.strip_prefix("pub ").unwrap_or(code),
    }
}

fn is_no_letter(c: char) -> bool {
    !c.is_alphanumeric() && c != '_'
}

#[test]
fn every_file_defines_something_of_its_own() {
    let heads = [
        "fn ",
        "async fn ",
        "const ",
        "static ",
        "type ",
        "impl",
        "struct ",
        "enum ",
        "trait ",
        "macro_rules!",
        "pin_project!",
    ];
    let defines = |file: &File| {
        let mut items = file.code().map(|(_, line)| item(line));
        items.any(|line| heads.iter().any(|head| line.starts_with(head)))
    };
    let files = files(CORE);
    let empty: Vec<&str> = files
        .iter()
        .filter(|file| !defines(file))
        .map(|file| file.path.as_str())
        .collect();
    let excused = |path: &str| EMPTY.iter().any(|(known, _)| *known == path);
    none(
        empty
            .iter()
            .filter(|path| !excused(path))
            .map(|path| format!("{path} defines nothing")),
    );
    let outdated = EMPTY.iter().filter(|(path, _)| !empty.contains(path));
    none(outdated.map(|(path, _)| format!("{path} needs no excuse any more")));
}

#[test]
fn no_private_function_takes_a_bool() {
    none(CRATES.iter().flat_map(|src| files(src)).flat_map(|file| {
        let code: Vec<&str> = file.code().map(|(_, line)| line).collect();
        let code = code.join(" ");
        let starts = code.match_indices("fn ").map(|(at, _)| at);
        let private = starts.filter(|at| !code[..*at].trim_end().ends_with("pub"));
        let takes = private.filter(|at| parameters(&code[*at..]).contains(": bool"));
        let found = takes.filter_map(|at| code[at + 3..].split(is_no_letter).next());
        found
            .map(|name| format!("{}: {name}", file.path))
            .collect::<Vec<_>>()
    }));
}

/// The text between the parentheses of a function.
fn parameters(code: &str) -> &str {
    let end = code.find(['{', ';']).unwrap_or(code.len());
    let list = code[..end].split_once('(').map_or("", |(_, list)| list);
    list.split("->").next().unwrap_or_default()
}

#[test]
fn circles_that_were_cut_stay_so() {
    for (path, other) in ONE_WAY {
        let file = File::read(path);
        let mut code = file.code().filter(|(_, line)| line.starts_with("use "));
        let found = code.find(|(_, line)| line.split(is_no_letter).any(|word| word == other));
        assert!(found.is_none(), "{path} imports {other}");
    }
}
