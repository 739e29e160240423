//! Checks of what people forget: headers, headings, lists of files, the direction of imports, the size of files.

mod circles;
mod examples;
mod homes;
mod pages;
mod prose;
mod source;

use std::collections::BTreeMap;

use source::{File, files, root};

const CORE: &str = "startstop-core/src";

const FOLDERS: [&str; 10] = [
    "startstop-core",
    "startstop-derive/src",
    "startstop-host",
    "startstop-process",
    "startstop-fleet",
    "examples",
    "tests",
    "benchmarks/src",
    "mutants/src",
    "systems",
];

/// The sections of the documentation of an item, in their order.
const SECTIONS: [&str; 4] = ["Examples", "Errors", "Panics", "Cancel safety"];

/// Sections that one item has, beside those.
const OWN_SECTIONS: [(&str, &str); 5] = [
    ("startstop-core/src/service.rs", "Building one"),
    ("startstop-core/src/group.rs", "Stopping"),
    ("startstop-core/src/runner.rs", "What a call does"),
    ("startstop-core/src/runner.rs", "The steps of a stop"),
    (
        "startstop-core/src/runner.rs",
        "What each timeout counts from",
    ),
];

/// A file of more than this many lines of code is most likely two.
const LONG: usize = 330;

/// Modules that are no room: they may import from everywhere.
const APART: [&str; 2] = ["models", "private"];

/// Locks and atomics of std in the core, which no model sees, need a reason.
const PLAIN: [(&str, &str); 14] = [
    ("startstop-core/src/sync.rs", "it is where they come from"),
    (
        "startstop-core/src/engine/parent.rs",
        "numbers that are told apart, from a counter that is static",
    ),
    (
        "startstop-core/src/engine/runtimes.rs",
        "what the process has once is static",
    ),
    (
        "startstop-core/src/program/aside.rs",
        "work that is taken once",
    ),
    (
        "startstop-core/src/program/handoff.rs",
        "threads of a program, which no model is about",
    ),
    (
        "startstop-core/src/program/hub.rs",
        "what the process has once is static",
    ),
    (
        "startstop-core/src/program/on_exit.rs",
        "what the process has once is static",
    ),
    (
        "startstop-core/src/program/signals/unix.rs",
        "what the process has once is static",
    ),
    (
        "startstop-core/src/program/stderr.rs",
        "what the process has once is static",
    ),
    (
        "startstop-core/src/program/subject.rs",
        "it is shared with what is static",
    ),
    (
        "startstop-core/src/program/whole.rs",
        "the threads of a runtime of tokio, counted",
    ),
    (
        "startstop-core/src/models.rs",
        "what models note for themselves",
    ),
    (
        "startstop-core/src/models/parts.rs",
        "what models note for themselves",
    ),
    (
        "startstop-core/src/models/stopping.rs",
        "what models note for themselves",
    ),
];

#[test]
fn every_file_opens_with_what_it_is() {
    let files = FOLDERS.into_iter().flat_map(files);
    none(
        files
            .filter(|file| !file.text.starts_with("//! "))
            .map(|file| file.path),
    );
}

#[test]
fn sections_are_spelt_and_ordered_alike() {
    none(files(CORE).iter().flat_map(|file| {
        let wrong = move |(headings, item): (Vec<&str>, &str)| {
            let own = |heading: &&str| OWN_SECTIONS.contains(&(&file.path, heading));
            let headings = headings.into_iter().filter(|heading| !own(heading));
            let places =
                headings.map(|heading| SECTIONS.iter().position(|known| *known == heading));
            let places: Vec<_> = places.collect();
            let known = places.iter().all(Option::is_some) && places.is_sorted();
            (!known).then(|| format!("{}: {item}", file.path))
        };
        file.items().into_iter().filter_map(wrong)
    }));
}

#[test]
fn every_async_function_tells_of_its_cancel_safety() {
    none(files(CORE).iter().flat_map(|file| {
        let silent = move |(headings, item): (Vec<&str>, &str)| {
            let told = !item.starts_with("pub async fn") || headings.contains(&"Cancel safety");
            (!told).then(|| format!("{}: {item}", file.path))
        };
        file.items().into_iter().filter_map(silent)
    }));
}

#[test]
fn every_file_is_part_of_a_program() {
    let modules = files(CORE)
        .into_iter()
        .chain(files("startstop-derive/src"))
        .chain(files("tests"));
    none(modules.filter_map(|file| {
        let (folder, name) = file.path.rsplit_once('/')?;
        let stem = name.strip_suffix(".rs")?;
        let (listed_in, line) = match folder {
            "tests" if stem == "main" => return None,
            // The failing cases are compiled one by one.
            "tests/ui/fail" => return None,
            "tests/bin" => (
                "tests/Cargo.toml".to_owned(),
                format!("path = \"bin/{name}\""),
            ),
            "tests" => ("tests/main.rs".to_owned(), format!("mod {stem};")),
            _ if folder.ends_with("/src") && stem == "lib" => return None,
            _ if folder.ends_with("/src") => (format!("{folder}/lib.rs"), format!("mod {stem};")),
            _ => (format!("{folder}.rs"), format!("mod {stem};")),
        };
        let by_path = format!("#[path = \"{name}\"]");
        let lists = |found: &str| found.ends_with(&line) || found == by_path;
        let list = std::fs::read_to_string(root().join(&listed_in)).unwrap_or_default();
        let listed = list.lines().any(|found| lists(found.trim()));
        (!listed).then(|| format!("{} is not in {listed_in}", file.path))
    }));
}

#[test]
fn the_front_page_of_the_core_defines_nothing() {
    let lib = File::read(&format!("{CORE}/lib.rs"));
    let code = lib
        .code()
        .map(|(_, line)| line)
        .filter(|line| !line.starts_with('#'));
    let code = code.collect::<Vec<_>>().join(" ");
    let statements = code.split_terminator(';').map(str::trim);
    let only_names = |statement: &str| {
        let is_mod = statement.starts_with("mod ") || statement.starts_with("pub mod ");
        let is_use = statement.starts_with("pub use ") || statement.starts_with("extern crate ");
        is_use || (is_mod && !statement.contains('{'))
    };
    none(
        statements
            .filter(|statement| !only_names(statement))
            .map(str::to_owned),
    );
}

/// The rooms in the order of `lib.rs`, from the user inwards.
fn rooms(lib: &File) -> BTreeMap<&str, usize> {
    let names = lib
        .code()
        .filter_map(|(_, line)| line.rsplit_once("mod ")?.1.strip_suffix(';'));
    names
        .map(|name| name.trim_start_matches('_'))
        .zip(0..)
        .collect()
}

#[test]
fn imports_point_down_the_rooms() {
    let lib = File::read(&format!("{CORE}/lib.rs"));
    let order = rooms(&lib);
    let below = |file: &&File| file.path != lib.path && !APART.contains(&file.module(CORE));
    none(files(CORE).iter().filter(below).flat_map(|file| {
        // `every_file_is_part_of_a_program` tells of a file that is no module.
        let at = order.get(file.module(CORE)).copied().unwrap_or(0);
        let upward = |(number, line): (usize, &str)| {
            let above = imported(line).find(|name| order.get(name).is_none_or(|room| *room < at));
            above.map(|name| format!("{}:{number} looks up to {name}", file.path))
        };
        file.code().filter_map(upward).collect::<Vec<_>>()
    }));
}

#[test]
fn the_rules_are_pure() {
    let allowed = [
        "crate::report::",
        "crate::rules::",
        "crate::settings::",
        "crate::sync::clock",
    ];
    let impure = |line: &str| {
        let ours = |path: &str| allowed.iter().any(|allowed| path.starts_with(allowed));
        let foreign = line
            .match_indices("crate::")
            .any(|(at, _)| !ours(&line[at..]));
        foreign || line.contains("tokio::") || line.contains("std::sync") || line.contains("Mutex")
    };
    let files = files(&format!("{CORE}/rules"));
    // Tests of the rules share what they have found.
    let rules = files.iter().filter(|file| !file.path.contains("/tests"));
    none(rules.flat_map(|file| {
        let code = file.code().filter(|(_, line)| impure(line));
        code.map(|(number, line)| format!("{}:{number} {line}", file.path))
            .collect::<Vec<_>>()
    }));
}

#[test]
fn what_threads_share_comes_from_sync() {
    let kinds = ["Mutex", "RwLock", "Condvar", "Atomic"];
    // An import may take several lines.
    let plain = |statement: &str| {
        let from = statement.find("std::sync").unwrap_or(statement.len());
        let own = statement[from..].replace("AtomicState", "");
        kinds.iter().any(|kind| own.contains(kind))
    };
    let code = |file: &File| {
        file.code()
            .map(|(_, line)| line)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let files = files(CORE);
    let found = files.iter().filter(|file| code(file).split(';').any(plain));
    let found: Vec<&str> = found.map(|file| file.path.as_str()).collect();
    let excused = |path: &str| PLAIN.iter().any(|(known, _)| *known == path);
    none(
        found
            .iter()
            .filter(|path| !excused(path))
            .map(|path| format!("{path} bypasses sync")),
    );
    let outdated = PLAIN.iter().filter(|(known, _)| !found.contains(known));
    none(outdated.map(|(path, _)| format!("{path} needs no excuse any more")));
}

/// The top-level modules that a line names.
fn imported(line: &str) -> impl Iterator<Item = &str> {
    let ends = |c: char| !c.is_alphanumeric() && c != '_';
    let mentions = line.split("crate::").skip(1);
    mentions
        .flat_map(move |rest| match rest.strip_prefix('{') {
            Some(list) => list.split(',').map(str::trim).collect(),
            None => vec![rest],
        })
        .filter_map(move |path| path.trim_start_matches('_').split(ends).next())
        .filter(|name| !name.is_empty())
}

#[test]
fn no_file_is_long() {
    let long = FOLDERS
        .into_iter()
        .flat_map(files)
        .filter(|file| file.code().count() > LONG);
    none(long.map(|file| file.path));
}

/// Fails with all that was found.
#[track_caller]
fn none(found: impl IntoIterator<Item = String>) {
    let found: Vec<String> = found.into_iter().collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}
