//! Files that import each other in a circle, found by their `use` lines.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{File, files};

const CRATES: [&str; 5] = [
    "startstop-core/src",
    "startstop-derive/src",
    "startstop-fleet/src",
    "startstop-host/src",
    "startstop-process/src",
];

/// Files that are in a circle, and why. A circle within these is known; one more file in a circle is a mistake, and one that
/// is in none any more has to be taken off: the list may only become shorter.
const KNOWN: [(&str, &[&str], &str); 13] = [
    (
        "startstop-core/src",
        &[
            "engine::apply",
            "engine::attached",
            "engine::attempt_guard",
            "engine::deadline",
            "engine::deadline::look",
            "engine::deadline::task",
            "engine::deadline::thread",
            "engine::deadline::which",
            "engine::drain",
            "engine::grace",
            "engine::listeners",
            "engine::owners",
            "engine::parts",
            "engine::record",
            "engine::reload",
            "engine::reporting",
            "engine::request",
            "engine::request::caller",
            "engine::request::start",
            "engine::task",
            "engine::tasks",
        ],
        "an effect of one input is another input: what is applied asks, and what is asked is applied",
    ),
    (
        "startstop-core/src",
        &["runner::driver", "runner::driver::shutdown_call"],
        "a driver makes the call of `shutdown`, which finds the service in the driver",
    ),
    (
        "startstop-core/src",
        &[
            "service::context",
            "service::context::detached",
            "service::context::futures",
            "service::context::heard",
        ],
        "a context makes futures, which keep a context",
    ),
    (
        "startstop-core/src",
        &["rules::plan", "rules::plan::counts"],
        "a plan keeps counts, which are taken of a plan",
    ),
    (
        "startstop-core/src",
        &[
            "rules::plan::binding",
            "rules::plan::restart",
            "rules::plan::stopping",
        ],
        "a restart stops who is bound, and a stop ends restarts",
    ),
    (
        "startstop-core/src",
        &[
            "rules::lifecycle::deadlines",
            "rules::lifecycle::requests",
            "rules::lifecycle::stopping",
        ],
        "a request to stop sets a deadline, which goes on with the stop when it comes",
    ),
    (
        "startstop-core/src",
        &[
            "group::supervisor",
            "group::supervisor::reload",
            "group::supervisor::restart",
            "group::supervisor::shares",
        ],
        "parts of one type, which a file each carries on",
    ),
    (
        "startstop-fleet/src",
        &[
            "election",
            "election::call",
            "election::follow",
            "election::lead",
        ],
        PARTS,
    ),
    (
        "startstop-fleet/src",
        &["leader", "leader::led", "leader::run", "leader::run::calls"],
        PARTS,
    ),
    (
        "startstop-fleet/src",
        &["store::etcd", "store::etcd::lease"],
        "a lease is one of a store, and a store grants it",
    ),
    ("startstop-host/src", &["admin", "admin::control"], PARTS),
    (
        "startstop-host/src",
        &["replaceable", "replaceable::run"],
        PARTS,
    ),
    (
        "startstop-process/src",
        &["process::attempt", "process::verdict"],
        "an attempt ends with a verdict, which takes the attempt apart",
    ),
];

const PARTS: &str = "the parts of one type, of which the first calls the others";

#[test]
fn files_are_in_no_circle_but_the_known_ones() {
    for src in CRATES {
        let imports = imports_of(src);
        let in_circle = |name: &&String| reached(name, &imports).contains(*name);
        let found: BTreeSet<_> = imports
            .keys()
            .filter(in_circle)
            .map(String::as_str)
            .collect();
        let of_it = KNOWN.iter().filter(|(of, ..)| *of == src);
        let known: BTreeSet<_> = of_it.flat_map(|(_, names, _)| *names).copied().collect();
        let new = found.difference(&known);
        super::none(new.map(|name| format!("{src}: {name} is in a circle")));
        let gone = known.difference(&found);
        super::none(gone.map(|name| format!("{src}: {name} is in no circle: take it off")));
    }
}

/// A known circle does not grow into another: each has its own reason.
#[test]
fn known_circles_are_apart() {
    for (src, names, why) in KNOWN {
        assert!(!why.is_empty(), "{src}: {names:?}");
        let imports = imports_of(src);
        let circle = |name: &str| {
            let back = reached(name, &imports);
            let closed = |other: &&String| reached(other, &imports).contains(name);
            back.iter().filter(closed).cloned().collect::<Vec<_>>()
        };
        let listed: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let apart = names.iter().filter(|name| circle(name) != listed);
        super::none(apart.map(|name| format!("{src}: {name} is in the circle {:?}", circle(name))));
    }
}

/// The files of a crate, as modules, and what each imports.
fn imports_of(src: &str) -> BTreeMap<String, BTreeSet<String>> {
    let files = files(src);
    let module = |file: &File| module(src, file);
    let modules: BTreeSet<String> = files.iter().map(module).collect();
    // Tests stand at the root and see every module.
    let of = |file| (module(file), imports(&module(file), file, &modules));
    files.iter().map(of).collect()
}

/// The path of a module, as `parse::args`; of the crate itself it is empty.
fn module(src: &str, file: &File) -> String {
    let path = file
        .path
        .strip_prefix(src)
        .expect("the file is below that folder");
    let path = path
        .trim_start_matches('/')
        .trim_end_matches(".rs")
        .replace('/', "::");
    if path == "lib" { String::new() } else { path }
}

/// The modules that a file takes something from: its parents only name them, and what it passes on of its own is no import.
fn imports(own: &str, file: &File, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let found = uses(&file.text).into_iter().filter_map(|(is, path)| {
        let name = named(&absolute(own, &path, modules)?, modules)?;
        let below = own.is_empty() || name.starts_with(&format!("{own}::"));
        (is == Use::Own || !below).then_some(name)
    });
    found.filter(|name| name != own).collect()
}

/// The path from the root of the crate; `None` if it is of another crate.
fn absolute(own: &str, path: &str, modules: &BTreeSet<String>) -> Option<String> {
    let parent = |of: &str| {
        of.rsplit_once("::")
            .map_or("", |(parent, _)| parent)
            .to_owned()
    };
    let (first, mut rest) = path.split_once("::")?;
    let base = match first {
        "super" => {
            let mut base = parent(own);
            while let Some(further) = rest.strip_prefix("super::") {
                (base, rest) = (parent(&base), further);
            }
            base
        }
        "crate" => String::new(),
        "self" => own.to_owned(),
        child if modules.contains(format!("{own}::{child}").trim_start_matches("::")) => {
            return Some(format!("{own}::{path}"));
        }
        _ => return None,
    };
    Some(format!("{base}::{rest}"))
}

/// The module that a path is in.
fn named(path: &str, modules: &BTreeSet<String>) -> Option<String> {
    let path = path.trim_start_matches("::");
    let is_in = |module: &&String| path == **module || path.starts_with(&format!("{module}::"));
    let real = modules.iter().filter(|module| !module.is_empty());
    real.filter(is_in)
        .max_by_key(|module| module.len())
        .cloned()
}

/// Whether a `use` is for the file itself, or passes something on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Own,
    PassesOn,
}

/// The paths that the `use` items of a file name, each in full. An item may take several lines.
fn uses(text: &str) -> Vec<(Use, String)> {
    let starts = |line: &str| {
        let item = line.strip_prefix("pub").map_or(line, |rest| {
            rest.strip_prefix('(')
                .and_then(|rest| Some(rest.split_once(')')?.1))
                .unwrap_or(rest)
                .trim_start()
        });
        item.starts_with("use ")
    };
    let mut lines = text.lines();
    let mut found = Vec::new();
    while let Some(first) = lines.next() {
        if !starts(first) {
            continue;
        }
        let mut item = first.to_owned();
        while !item.contains(';') {
            item.push_str(lines.next().expect("an item ends").trim());
        }
        let (before, tree) = item.split_once("use ").expect("it starts so");
        let is = if before.is_empty() {
            Use::Own
        } else {
            Use::PassesOn
        };
        let mut paths = Vec::new();
        leaves("", tree.split(';').next().unwrap_or_default(), &mut paths);
        found.extend(paths.into_iter().map(|path| (is, path)));
    }
    found
}

/// The paths of a tree behind `base`: `a::{b, c::{d}}` is `a::b` and `a::c::d`.
fn leaves(base: &str, tree: &str, found: &mut Vec<String>) {
    let Some((head, list)) = tree.trim().split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        if !path.is_empty() {
            found.push(format!("{base}{path}"));
        }
        return;
    };
    let base = format!("{base}{head}");
    let list = list.strip_suffix('}').expect("what opens closes");
    let mut depth = 0_usize;
    let parts = list.split(|c| {
        depth = match c {
            '{' => depth + 1,
            '}' => depth - 1,
            _ => depth,
        };
        depth == 0 && c == ','
    });
    parts.for_each(|part| leaves(&base, part, found));
}

#[test]
fn a_use_of_several_lines_is_read_to_its_end() {
    let text = "use std::fmt;\npub(super) use super::{\n    keys,\n    args::{Args, entries as all},\n};\nfn f() {}\n";
    let found = uses(text);
    let expected = [
        (Use::Own, "std::fmt"),
        (Use::PassesOn, "super::keys"),
        (Use::PassesOn, "super::args::Args"),
        (Use::PassesOn, "super::args::entries"),
    ];
    assert_eq!(found, expected.map(|(is, path)| (is, path.to_owned())));
}

/// All that is reached by imports, over others too.
fn reached(from: &str, imports: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = vec![from];
    while let Some(next) = open.pop() {
        for name in &imports[next] {
            if found.insert(name.clone()) {
                open.push(name);
            }
        }
    }
    found
}
