//! Files that import each other in a circle, found by their `use` lines.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{File, files};

const DERIVE: &str = "startstop-derive/src";

#[test]
fn no_file_of_the_derive_is_in_a_circle() {
    let files = files(DERIVE);
    let modules: BTreeSet<String> = files.iter().map(module).collect();
    // Tests stand at the root and look at all.
    let imports: BTreeMap<String, BTreeSet<String>> = files
        .iter()
        .map(|file| (module(file), imports(file, &modules)))
        .collect();
    super::none(
        modules
            .iter()
            .filter(|name| reached(name, &imports).contains(*name))
            .cloned(),
    );
}

/// The path of a module, as `parse::args`; of the crate itself it is empty.
fn module(file: &File) -> String {
    let path = file
        .path
        .strip_prefix(DERIVE)
        .expect("the file is below that folder");
    let path = path
        .trim_start_matches('/')
        .trim_end_matches(".rs")
        .replace('/', "::");
    if path == "lib" { String::new() } else { path }
}

/// The modules that a file takes something from: its parents only name them.
fn imports(file: &File, modules: &BTreeSet<String>) -> BTreeSet<String> {
    let own = module(file);
    let parent = own.rsplit_once("::").map_or("", |(parent, _)| parent);
    let paths = uses(&file.text).into_iter().filter_map(|path| {
        let (base, rest) = match path.split_once("::")? {
            ("super", rest) => (parent, rest),
            ("crate", rest) => ("", rest),
            ("self", rest) => (own.as_str(), rest),
            _ => return None,
        };
        Some(format!("{base}::{rest}"))
    });
    let named = |path: String| {
        let path = path.trim_start_matches("::").to_owned();
        let longest =
            |module: &&String| path == **module || path.starts_with(&format!("{module}::"));
        modules
            .iter()
            .filter(|module| !module.is_empty())
            .rfind(longest)
            .cloned()
    };
    // What it re-exports of its own is no import.
    paths
        .filter_map(named)
        .filter(|name| *name != own)
        .collect()
}

/// The paths that the `use` items of a file name, each in full. An item may take several lines.
fn uses(text: &str) -> Vec<String> {
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
        let tree = item.split_once("use ").expect("it starts so").1;
        leaves("", tree.split(';').next().unwrap_or_default(), &mut found);
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
        "std::fmt",
        "super::keys",
        "super::args::Args",
        "super::args::entries",
    ];
    assert_eq!(found, expected);
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
