//! The failure table of `docs/fleet.md`: each row names tests, and each of these is there.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

/// Returns the sentences in backticks.
fn tests_of(line: &str) -> Vec<&str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted
        .filter(|name| name.matches('_').count() >= 3 && !name.contains(' '))
        .collect()
}

#[test]
fn each_row_of_the_failure_table_names_tests_that_are_there() {
    let page = fs::read_to_string(root().join("docs/fleet.md")).unwrap();
    let mut text = String::new();
    for folder in [
        "startstop-fleet/src",
        "startstop-fleet/tests",
        "systems/fleet/tests",
    ] {
        sources(&root().join(folder), &mut text);
    }
    let rows: Vec<&str> = page
        .split("## What happens when")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .unwrap()
        .lines()
        .filter(|line| {
            line.starts_with("| ") && !line.starts_with("| |") && !line.starts_with("| what |")
        })
        .collect();
    assert!(rows.len() > 12, "{}", rows.len());
    for row in rows {
        let tests = tests_of(row);
        let documented = row.contains("not solved") || row.contains("the example of");
        assert!(!tests.is_empty() || documented, "no test: {row}");
        for test in tests {
            assert!(
                text.contains(&format!("fn {test}(")),
                "no such test: {test}"
            );
        }
    }
}

#[test]
fn the_role_for_kubernetes_has_just_the_verbs_that_are_tried_at_the_start() {
    let role = fs::read_to_string(root().join("startstop-fleet/role.yaml")).unwrap();
    assert!(role.contains(r#"verbs: ["get", "list", "watch", "create", "update"]"#));
    let manifest = role.split_once('\n').unwrap().1;
    let page = fs::read_to_string(root().join("docs/fleet.md")).unwrap();
    assert!(page.contains(manifest), "the page shows the same");
}
