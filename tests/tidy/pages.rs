//! Pages of the repository: how they begin, what they link to, and that what they name is there.

use super::source::{File, files, root};
use super::{CORE, none};

#[test]
fn the_readme_comes_to_the_point() {
    let readme = File::read("README.md");
    let front: Vec<&str> = readme.text.lines().take(40).collect();
    for line in [
        "```rust",
        "cargo run --example 03_http_server",
        "cargo test --workspace",
    ] {
        assert!(
            front.contains(&line),
            "not in the first forty lines: {line}"
        );
    }
    let before_tables = readme.text.split("## Examples").next().unwrap_or_default();
    assert!(
        before_tables.split_whitespace().count() <= 700,
        "the README is long before its tables"
    );
}

#[test]
fn links_between_files_lead_somewhere() {
    none(
        [
            "README.md",
            "ARCHITECTURE.md",
            "CHANGELOG.md",
            "CONTRIBUTING.md",
        ]
        .into_iter()
        .flat_map(|path| {
            let text = File::read(path).text;
            let links = text
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split([')', '#']).next());
            let links = links.filter(|link| !link.is_empty() && !link.contains("://"));
            let broken = links.filter(|link| !root().join(link).exists());
            broken
                .map(|link| format!("{path}: {link}"))
                .collect::<Vec<_>>()
        }),
    );
}

#[test]
fn each_line_of_the_changelog_begins_with_an_area_that_contributors_know() {
    let text = File::read("CHANGELOG.md").text;
    let lines: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("- "))
        .collect();
    assert!(lines.len() > 100, "the changelog has lines");
    let contributing = File::read("CONTRIBUTING.md").text;
    let is_known = |area: &str| contributing.contains(&format!("`{area}`"));
    let is_area = |areas: &str| areas.split(", ").all(is_known);
    let without = lines
        .into_iter()
        .filter(|line| !line.split_once(": ").is_some_and(|(area, _)| is_area(area)));
    none(without.map(str::to_owned));
}

/// These pages name the tests that hold their claims: [`test`](file).
#[test]
fn every_test_that_a_page_names_is_there() {
    names_tests("docs/coming-from.md");
    names_tests("docs/production.md");
    names_tests("docs/reports.md");
}

fn names_tests(page: &str) {
    let text = File::read(page).text;
    let links = text
        .split('[')
        .skip(1)
        .filter_map(|rest| rest.split_once(')')?.0.split_once("]("))
        .filter(|(_, target)| !target.starts_with("https:"));
    let links: Vec<_> = links.collect();
    assert!(links.len() > 40, "the page has links");
    none(links.into_iter().filter_map(|(name, target)| {
        let file = root().join("docs").join(target);
        let code = std::fs::read_to_string(&file).unwrap_or_default();
        let quoted = name
            .strip_prefix('`')
            .and_then(|name| name.strip_suffix('`'));
        let is_source = file.extension().is_some_and(|extension| extension == "rs");
        let is_there = |test: &str| code.contains(&format!("fn {test}()"));
        let held = file.exists() && (!is_source || quoted.is_none_or(is_there));
        (!held).then(|| format!("{page}: {name} is not in {target}"))
    }));
}

#[test]
fn the_architecture_names_every_module_and_invariant() {
    let architecture = File::read("ARCHITECTURE.md").text;
    let mut missing = Vec::new();
    for file in files(CORE).iter().filter(|file| file.module(CORE) != "lib") {
        let module = file.place(CORE);
        if !architecture.contains(&format!("`{module}`")) {
            missing.push(format!("module {module}"));
        }
        let docs = file.text.lines().map_while(|line| line.strip_prefix("//!"));
        for number in docs.filter_map(|line| line.trim().split_once(". ")?.0.parse::<u8>().ok()) {
            if !architecture.contains(&format!("**{} {number}.**", file.stem())) {
                missing.push(format!("invariant {number} of {}", file.stem()));
            }
        }
    }
    none(missing);
}
