//! Each fault in each phase of a life: what becomes of the service, from one table.
//!
//! `docs/faults.md` is that table as a page. After a change of the table it is written anew by
//! `UPDATE_DOCS=1 cargo test --package tests faults::`.

mod page;
mod stage;
mod subject;
mod table;

use startstop_core::State;

use stage::Seen;
use table::{Cell, During, FAULTS, PHASES, TABLE, Then};

#[test]
fn a_fault_while_starting_ends_as_the_table_says() {
    plays(During::Starting);
}

#[test]
fn a_fault_while_running_ends_as_the_table_says() {
    plays(During::Running);
}

#[test]
fn a_fault_while_stopping_ends_as_the_table_says() {
    plays(During::Stopping);
}

#[test]
fn a_fault_in_backoff_ends_as_the_table_says() {
    plays(During::Backoff);
}

#[test]
fn each_fault_is_in_each_phase_once() {
    let cells: Vec<_> = TABLE.iter().map(|cell| (cell.during, cell.fault)).collect();
    let all = PHASES
        .into_iter()
        .flat_map(|during| FAULTS.map(|(fault, _)| (during, fault)));
    assert_eq!(cells, all.collect::<Vec<_>>());
}

#[test]
fn the_page_is_the_table() {
    page::check(&page::written());
}

/// Plays all cells of a phase, and tells of all that came out otherwise.
fn plays(during: During) {
    let cells = TABLE.iter().filter(|cell| cell.during == during);
    let wrong = cells.filter_map(|cell| {
        let (seen, expected) = (stage::play(cell.during, cell.fault), expected(cell));
        (seen != expected).then(|| format!("{cell:?}\n  came out as {seen:?}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn expected(cell: &Cell) -> Seen {
    let (state, exit, failures) = match cell.then {
        Then::Ends(state, exit, failures) => (state, Some(exit), failures),
        Then::GoesOn => (State::Running, None, &[][..]),
        Then::Cannot => (State::Backoff, None, &[][..]),
    };
    Seen {
        state,
        exit,
        failures: failures.to_vec(),
    }
}
