//! Nothing holds a deadline up: whatever blocks a thread, at whichever deadline, on whichever runtime.
//!
//! [`table`] says what is promised, [`stage`] plays it; `docs/faults.md` shows the table.

mod clock;
mod deep;
mod end_of_an_attempt;
mod let_go;
pub(crate) mod page;
mod stage;
mod table;
mod unpolled;

use std::thread;

use table::{BLOCKS, DUE, On, Then, then};

#[test]
fn two_workers_keep_each_deadline() {
    plays(On::TwoWorkers);
}

#[test]
fn four_workers_beside_tickers_keep_each_deadline() {
    plays(On::FourWorkers);
}

#[test]
fn a_single_worker_keeps_each_deadline() {
    plays(On::OneWorker);
}

#[test]
fn a_single_thread_keeps_each_deadline() {
    plays(On::CurrentThread);
}

/// Plays all that can block at all deadlines, side by side for each of those.
fn plays(on: On) {
    let mut wrong = Vec::new();
    for (due, _) in DUE {
        let games = BLOCKS.map(|(blocks, _)| {
            let game = move || stage::play(blocks, due, on);
            let possible = then(blocks, due, on) != Then::Cannot;
            (blocks, possible.then(|| thread::spawn(game)))
        });
        for (blocks, game) in games {
            let Some(game) = game else { continue };
            let (expected, seen) = (then(blocks, due, on), game.join());
            if seen.as_ref().ok() != Some(&expected) {
                wrong.push(format!(
                    "{blocks:?} at {due:?}: {seen:?} instead of {expected:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
