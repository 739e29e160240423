//! What came of each mistake.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::list::Mutant;

/// What came of a mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It does not compile.
    Unviable,
    /// This test fails.
    Caught(String),
    /// This test takes for ever.
    Hung(String),
    /// All tests that come across it pass.
    Missed,
    /// No test comes across it.
    Unmet,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unviable => f.write_str("unviable"),
            Self::Caught(test) => write!(f, "caught by {test}"),
            Self::Hung(test) => write!(f, "hangs in {test}"),
            Self::Missed => f.write_str("missed"),
            Self::Unmet => f.write_str("missed, no test comes across it"),
        }
    }
}

/// What came of all of them.
pub(crate) struct Report<'a> {
    mutants: &'a [Mutant],
    outcomes: Vec<Option<Outcome>>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(mutants: &'a [Mutant]) -> Self {
        Self {
            mutants,
            outcomes: vec![None; mutants.len()],
        }
    }

    pub(crate) fn all(&mut self, ids: Vec<usize>, outcome: &Outcome) {
        for id in ids {
            self.outcomes[id] = Some(outcome.clone());
        }
    }

    pub(crate) fn one(&mut self, id: usize, outcome: Outcome) {
        if matches!(outcome, Outcome::Missed | Outcome::Unmet) {
            println!("{outcome}: {}", self.mutants[id].name);
        }
        self.outcomes[id] = Some(outcome);
    }

    /// Those of which nothing is known yet.
    pub(crate) fn left(&self) -> impl Iterator<Item = usize> {
        (0..self.outcomes.len()).filter(|id| self.outcomes[*id].is_none())
    }

    pub(crate) fn write(&self, path: &Path) -> std::io::Result<()> {
        let lines = self.mutants.iter().zip(self.outcomes.iter().flatten());
        let lines: Vec<_> = lines
            .map(|(mutant, outcome)| format!("{}: {outcome}\n", mutant.name))
            .collect();
        fs::write(path, lines.concat())
    }

    fn count(&self, of_it: impl Fn(&Outcome) -> bool) -> usize {
        self.outcomes
            .iter()
            .flatten()
            .filter(|outcome| of_it(outcome))
            .count()
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let caught = self.count(|outcome| matches!(outcome, Outcome::Caught(_)));
        let hung = self.count(|outcome| matches!(outcome, Outcome::Hung(_)));
        let missed = self.count(|outcome| matches!(outcome, Outcome::Missed | Outcome::Unmet));
        writeln!(
            f,
            "{} mutants: {} do not compile, {caught} caught, {hung} by a hang, {missed} missed",
            self.mutants.len(),
            self.count(|outcome| *outcome == Outcome::Unviable),
        )
    }
}
