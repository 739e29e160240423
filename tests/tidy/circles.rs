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
    let uses = file
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("use "));
    let paths = uses.flat_map(|line| {
        let line = line.trim_end_matches(';');
        let (base, line) = match line.split_once("::") {
            Some(("super", rest)) => (parent, rest),
            Some(("crate", rest)) => ("", rest),
            _ => return Vec::new(),
        };
        let list = line
            .strip_prefix('{')
            .map(|list| list.trim_end_matches('}'));
        let names = list.map_or(vec![line], |list| list.split(", ").collect());
        names
            .into_iter()
            .map(|name| format!("{base}::{name}"))
            .collect()
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
    paths.filter_map(named).collect()
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
