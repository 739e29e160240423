//! Every public item of the core shows an example of its own that asserts.

use super::source::{File, files};
use super::{CORE, none};

/// The share of public items, in percent, that have an example of their own.
const OWN: usize = 90;

/// Files whose items are public to the macros alone, or to no one.
const HIDDEN: [&str; 5] = [
    "group/composite.rs",
    "private.rs",
    "private/",
    "sync/",
    "engine/",
];

/// Items without one, and why.
const WITHOUT: [(&str, &str, &str); 21] = [
    ("program.rs", "run_until_signal", "a test gets no signals"),
    ("program/run.rs", "run", "it ends the process"),
    ("report/error.rs", "service", STUCK),
    ("report/error.rs", "parts", STUCK),
    ("report/error.rs", "members", STUCK),
    ("report/error.rs", "waited", STUCK),
    ("report/error.rs", "checkpoint", STUCK),
    ("report/error.rs", "checkpoint_age", STUCK),
    (
        "report/outcome.rs",
        "Returns",
        "it is sealed and named nowhere",
    ),
    ("service.rs", "run", OF_TRAIT),
    ("service.rs", "shutdown", OF_TRAIT),
    ("service/func.rs", "ServiceFn", MADE),
    ("service/func.rs", "ServicePair", MADE),
    ("service/func.rs", "ServiceFnWith", MADE),
    ("service/func.rs", "ServicePairWith", MADE),
    ("service/func/blocking.rs", "BlockingFn", MADE),
    ("service/func/blocking.rs", "BlockingPair", MADE),
    ("service/func/every.rs", "Every", MADE),
    ("service/func/once.rs", "Once", MADE),
    ("service/context/futures.rs", "Cancelled", MADE),
    ("service/context/futures.rs", "CancelledOwned", MADE),
];

const STUCK: &str = "a service that does not yield takes real seconds; `Unresponsive` shows one";
const OF_TRAIT: &str = "the trait shows both, one after the other";
const MADE: &str = "the function that makes it has one";

#[test]
fn public_items_show_examples_of_their_own() {
    let files = files(CORE);
    let items: Vec<_> = files.iter().flat_map(items).collect();
    assert!(
        items.len() > 250,
        "only {} public items are found",
        items.len()
    );
    let without: Vec<_> = items.iter().filter(|item| !item.has_example).collect();
    let own = items.len() - without.len();
    println!(
        "{own} of {} public items have an example of their own",
        items.len()
    );
    assert!(
        own * 100 >= items.len() * OWN,
        "{own} of {} are too few",
        items.len()
    );
    let is = |item: &Item<'_>, path: &str, name: &str| item.path == path && item.name == name;
    let excused = |item: &Item<'_>| WITHOUT.iter().any(|(path, name, _)| is(item, path, name));
    let found = without.iter().filter(|item| !excused(item));
    none(found.map(|item| format!("{}: {}", item.path, item.name)));
    let outdated = WITHOUT
        .iter()
        .filter(|(path, name, _)| !without.iter().any(|item| is(item, path, name)));
    none(outdated.map(|(path, name, _)| format!("{path}: {name} needs no excuse any more")));
}

/// A public item, as it is in its file.
struct Item<'a> {
    path: &'a str,
    name: &'a str,
    has_example: bool,
}

/// The documented public items of a file.
fn items(file: &File) -> Vec<Item<'_>> {
    let path = file
        .path
        .strip_prefix(CORE)
        .expect("it is a file of the core");
    let path = path.trim_start_matches('/');
    let mut items = Vec::new();
    if HIDDEN.iter().any(|hidden| path.starts_with(hidden)) {
        return items;
    }
    let (mut docs, mut open, mut in_trait) = (Vec::new(), 0, false);
    for full in file.text.lines() {
        let line = full.trim();
        in_trait = full.starts_with("pub trait ") || in_trait && !full.starts_with('}');
        let in_attribute = open > 0 || line.starts_with("#[");
        if in_attribute {
            open += line.matches('[').count();
            open -= line.matches(']').count().min(open);
            if line.contains("doc(hidden)") {
                docs.clear();
            }
        } else if let Some(doc) = line.strip_prefix("///") {
            docs.push(doc.trim());
        } else {
            let method = || method(line).filter(|_| in_trait);
            let name = public(line).or_else(method).filter(|_| !docs.is_empty());
            items.extend(name.map(|name| Item {
                path,
                name,
                has_example: asserts(&docs),
            }));
            docs.clear();
        }
    }
    items
}

/// The name of the public item that a line defines.
fn public(line: &str) -> Option<&str> {
    let mut words = line.strip_prefix("pub ")?.split_whitespace();
    let kind = words.find(|word| !["const", "async", "unsafe"].contains(word))?;
    let is_item = ["fn", "struct", "enum", "trait", "type"].contains(&kind);
    let end = |c: char| !c.is_alphanumeric() && c != '_';
    is_item.then(|| words.next()?.split(end).next()).flatten()
}

/// The name of the method of a trait that a line begins.
fn method(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// Whether the code among the docs asserts something.
fn asserts(docs: &[&str]) -> bool {
    let checks = ["assert", "unwrap_err()", "panic!()"];
    let (mut in_block, mut is_code) = (false, false);
    docs.iter().any(|line| {
        if line.starts_with("```") {
            in_block = !in_block;
            is_code = in_block && !line.contains("text");
        }
        is_code && checks.iter().any(|check| line.contains(check))
    })
}
