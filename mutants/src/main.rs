//! Runs the tests on each small mistake that cargo-mutants makes in the core.
//!
//! cargo-mutants builds the tests anew for each of them, which takes most of a minute; there are over
//! two thousand. This makes the same mistakes, all in one build: each stands in a copy of the core behind a
//! switch, and one environment variable turns one of them on. A switch also tells which tests come
//! across it, so that only these are run, in the order of the time they take, until one fails.
//!
//! Where a constant is computed no switch is known yet: these mistakes are built one by one, and all tests are run.
//!
//! `list` reads what cargo-mutants lists, `sites` finds the places in the text, `rewrite` puts the
//! switches in, `tree` is the copy that is built, `trial` runs the tests, `report` says what came of it.

mod list;
mod report;
mod rewrite;
mod sites;
mod tree;
mod trial;

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

use self::report::{Outcome, Report};
use self::tree::Tree;

const USAGE: &str = "usage: mutants LIST FOLDER [SKIPPED MODULE OF TESTS]…
  LIST    what `cargo mutants --list --json` says, run in the folder above
  FOLDER  where the copy is built, and outcomes.txt is written";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (list, folder) = arguments.next().zip(arguments.next()).ok_or(USAGE)?;
    let mutants = list::read(&fs::read_to_string(list)?)?;
    let folder = PathBuf::from(folder);
    let tree = Tree::copy(&folder)?;
    let mut report = Report::new(&mutants);

    let found = sites::find(&tree, &mutants)?;
    report.all(found.unviable, &Outcome::Unviable);
    report.all(tree.make(&found.places)?, &Outcome::Unviable);
    let tests = trial::tests(&tree, &arguments.collect::<Vec<_>>())?;
    let switched: Vec<_> = report
        .left()
        .filter(|id| !found.constant.contains(id))
        .collect();
    trial::run(&tests, &mut report, &switched)?;
    for id in found.constant {
        let compiles = tree.make_alone(&mutants[id])?;
        let outcome = if compiles {
            trial::run_all(&tests, id)?
        } else {
            Outcome::Unviable
        };
        report.one(id, outcome);
    }
    report.write(&folder.join("outcomes.txt"))?;
    print!("{report}");
    Ok(())
}
