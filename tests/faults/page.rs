//! The table as a page.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use startstop_core::State;

use super::table::{Cell, During, FAULTS, Fault, PHASES, TABLE, Then};

const HEAD: &str = "\
# What becomes of a service when something goes wrong

Each fault in each phase of a life, and what is promised of it. This page is written from the table in
`tests/faults/table.rs`, and each of its rows is played by a test: a real service is brought into the phase,
the fault is done to it, and state, exit and failures are compared.

";

const PHASES_TEXT: &str = "
The service has `Readiness::Explicit`. `starting` is before it says that it is ready, `stopping` is after a
stop was asked for and before `run` has returned, `backoff` is between two attempts of a restart policy; in the
other phases there is no policy. A failure is written as the part that failed and the cause; in backoff, the
one before it is left out.
";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/faults.md")
}

/// Compares the page in the repository, or writes it.
pub(super) fn check(page: &str) {
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path().with_file_name("")).expect("the folder can be made");
        fs::write(path(), page).expect("the page can be written");
    }
    let kept = fs::read_to_string(path()).unwrap_or_default();
    assert!(
        kept == page,
        "docs/faults.md is not what the table gives; to write it anew:\n\
         UPDATE_DOCS=1 cargo test --package tests faults::"
    );
}

/// The page that the table gives.
pub(super) fn written() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| fault | what happens |\n|---|---|\n");
    for (fault, happens) in FAULTS {
        writeln!(page, "| {} | {happens} |", name(fault)).expect("a string takes it");
    }
    page.push_str(PHASES_TEXT);
    for during in PHASES {
        page.push_str(&section(during));
    }
    page.push_str(&crate::deadlines::page::section());
    #[cfg(unix)]
    page.push_str(&crate::programs::stuck::page::section());
    page
}

fn section(during: During) -> String {
    let title = format!("{during:?}").to_lowercase();
    let mut section = format!("\n## {title}\n\n");
    section.push_str("| fault | state | exit | failures | why |\n|---|---|---|---|---|\n");
    for cell in TABLE.iter().filter(|cell| cell.during == during) {
        section.push_str(&row(cell));
    }
    section
}

fn row(cell: &Cell) -> String {
    let (fault, why) = (name(cell.fault), cell.why);
    match cell.then {
        Then::Cannot => format!("| {fault} | cannot happen | | | {why} |\n"),
        Then::GoesOn => format!("| {fault} | running | | none | {why} |\n"),
        Then::Ends(state, exit, failures) => {
            let stuck = if state == State::Stopped {
                ""
            } else {
                " until it yields"
            };
            let list = failures
                .iter()
                .map(|(phase, cause)| format!("{phase}: {cause:?}"));
            let list = list.collect::<Vec<_>>().join(", ");
            let list = if list.is_empty() { "none" } else { &list };
            format!("| {fault} | {state}{stuck} | {exit} | {list} | {why} |\n")
        }
    }
}

fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::Error => "error",
        Fault::Panic => "panic",
        Fault::Hang => "hang",
        Fault::Block => "thread block",
        Fault::FutureDrop => "future drop",
        Fault::HandleDrop => "handle drop",
        Fault::ParentCancel => "parent cancel",
        Fault::RuntimeEnd => "runtime end",
        Fault::PanicInDrop => "panic in drop",
    }
}
