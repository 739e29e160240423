//! The first program of the README prints what stands below it.
//!
//! That all of its programs compile is seen to by the doc tests of `src/lib.rs`.

use std::fs;
use std::path::Path;

use crate::child::run;

#[tokio::test]
async fn the_first_program_prints_what_the_readme_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(folder.join("../README.md")).expect("there is a readme");
    let program = fs::read_to_string(folder.join("bin/readme.rs")).expect("there is a copy");
    let copy = program
        .split_once("\n\n")
        .expect("a header comes before the program")
        .1;
    assert_eq!(block(&readme, "rust"), copy);

    let ended = run(env!("CARGO_BIN_EXE_readme")).await;
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(0), block(&readme, "text"))
    );
}

/// The first block of code in this language.
fn block<'a>(text: &'a str, language: &str) -> &'a str {
    let (_, rest) = text
        .split_once(&format!("```{language}\n"))
        .expect("there is such a block");
    rest.split_once("```\n").expect("a block has an end").0
}
