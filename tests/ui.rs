//! Code that compiles, and the compiler's messages about code that does not.
//!
//! What is accepted is in `src/accepted`.
//! The expected messages in `ui/fail` are those of one toolchain. On another one those cases are
//! skipped, and the test says so.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The toolchain whose messages are expected.
const EXPECTED: &str = "1.95";

#[test]
fn accepted_declarations_compile() {
    tests::accepted::run();
}

#[test]
fn mistakes_are_explained() {
    let version = rustc_version();
    if is_expected(&version) {
        trybuild::TestCases::new().compile_fail("ui/fail/*.rs");
    } else {
        println!("skipped ui/fail: its messages are of rustc {EXPECTED}, this is {version}");
    }
}

#[test]
fn no_message_names_what_is_hidden() {
    for (file, messages) in messages() {
        let hidden = |line: &&str| {
            ["__private", "composite::"]
                .iter()
                .any(|of| line.contains(of))
        };
        assert_eq!(messages.lines().find(hidden), None, "in {file}");
    }
}

/// But for a type that can neither be sent nor shared: the bounds of `Service` are two, and each is missed.
#[test]
fn each_mistake_is_told_once() {
    for (file, messages) in messages() {
        let mut places = HashSet::new();
        for (title, place) in messages.split("\n\n").filter_map(title_and_place) {
            let part = title.contains("be sent between threads");
            assert!(places.insert((place, part)), "{title} at {place} in {file}");
        }
    }
}

/// Returns the first line of a message, and that with its place.
fn title_and_place(message: &str) -> Option<(&str, &str)> {
    let mut lines = message.lines();
    let title = lines.find(|line| line.starts_with("error"))?;
    Some((title, lines.next()?.trim()))
}

/// Returns all expected messages, by their file.
fn messages() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/fail");
    let entries = fs::read_dir(folder).expect("the cases are there");
    let paths = entries.map(|entry| entry.expect("it is readable").path());
    let expected = paths.filter(|path| path.extension().is_some_and(|end| end == "stderr"));
    let read = |path: std::path::PathBuf| {
        let text = fs::read_to_string(&path).expect("it is text");
        (path.display().to_string(), text)
    };
    let all: Vec<_> = expected.map(read).collect();
    assert!(all.len() > 10, "only {} files are found", all.len());
    all
}

fn rustc_version() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("--version")
        .output()
        .expect("rustc runs this test");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A nightly of the same version words some messages differently.
fn is_expected(version: &str) -> bool {
    let number = version.split_whitespace().nth(1).unwrap_or_default();
    number.starts_with(&format!("{EXPECTED}.")) && !number.contains('-')
}
