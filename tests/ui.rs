//! What compiles, and what the compiler says where it does not.
//!
//! The expected messages in `ui/fail` are those of one toolchain. On another one those cases are
//! skipped, and the test says so.

use std::process::Command;

/// The toolchain whose messages are expected.
const EXPECTED: &str = "1.95";

#[test]
fn accepted_declarations_compile() {
    trybuild::TestCases::new().pass("ui/pass/*.rs");
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
