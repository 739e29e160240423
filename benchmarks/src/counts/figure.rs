//! The figures: what is counted, and what it is held against.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Display};

use super::count;
use super::work::Work;
use crate::crowd::Until;
use crate::flavour::Flavour;

/// From when to when it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    All,
    Start,
    Stop,
}

/// A ratio of two counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) title: &'static str,
    pub(crate) flavour: Flavour,
    pub(crate) what: &'static str,
    pub(crate) span: Span,
    /// What it is held against: who does what.
    pub(crate) against: (&'static str, &'static str),
    /// What it should be at most.
    pub(crate) target: f64,
    /// What was reached: it is not to be left again.
    pub(crate) reached: f64,
}

impl Figure {
    /// Whether nothing else runs meanwhile, so that next to nothing varies. A crowd that is told to stop takes longer than it
    /// is until the thread looks that sees to deadlines, and how much that finds to be done depends on the machine.
    fn has_one_thread(&self) -> bool {
        self.flavour == One && (self.what, self.span) != ("crowd", Span::Stop)
    }
}

/// A figure, as it was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) figure: Figure,
    pub(crate) own: f64,
    pub(crate) other: f64,
}

const BARE: &str = "bare tokio";
const BY_HAND: &str = "by hand";
const OWN: &str = "startstop";

const fn figure(
    title: &'static str,
    flavour: Flavour,
    (what, span): (&'static str, Span),
    against: (&'static str, &'static str),
    [target, reached]: [f64; 2],
) -> Figure {
    Figure {
        title,
        flavour,
        what,
        span,
        against,
        target,
        reached,
    }
}

use Flavour::{CurrentThread as One, MultiThread as Several};
use Span::{All, Start, Stop};

/// All of them.
pub(crate) const FIGURES: &[Figure] = &[
    figure(
        "cycle, to bare tokio",
        One,
        ("cycle", All),
        (BARE, "cycle"),
        [1.30, 1.72],
    ),
    figure(
        "cycle, to bare tokio",
        Several,
        ("cycle", All),
        (BARE, "cycle"),
        [1.30, 1.836],
    ),
    figure(
        "cycle, to the same by hand",
        One,
        ("cycle", All),
        (BY_HAND, "cycle"),
        [1.15, 1.55],
    ),
    figure(
        "cycle, to the same by hand",
        Several,
        ("cycle", All),
        (BY_HAND, "cycle"),
        [1.15, 1.606],
    ),
    figure(
        "hook that awaits, to bare tokio",
        One,
        ("hooked", All),
        (BARE, "cycle"),
        [1.55, 2.26],
    ),
    figure(
        "hook that awaits, to bare tokio",
        Several,
        ("hooked", All),
        (BARE, "cycle"),
        [1.75, 2.439],
    ),
    figure(
        "hook that is ready, to bare tokio",
        One,
        ("ready", All),
        (BARE, "cycle"),
        [1.50, 1.935],
    ),
    figure(
        "hook that is ready, to bare tokio",
        Several,
        ("ready", All),
        (BARE, "cycle"),
        [1.60, 2.113],
    ),
    figure(
        "restart, to a bare stop and start",
        One,
        ("restart", All),
        (BARE, "cycle"),
        [0.62, 0.988],
    ),
    figure(
        "restart, to a bare stop and start",
        Several,
        ("restart", All),
        (BARE, "cycle"),
        [0.62, 1.05],
    ),
    figure(
        "failing restart, to a loop",
        One,
        ("failing", All),
        (BY_HAND, "failing"),
        [1.25, 1.96],
    ),
    figure(
        "failing restart, to a loop",
        Several,
        ("failing", All),
        (BY_HAND, "failing"),
        [1.25, 2.20],
    ),
    figure(
        "crowd, start",
        One,
        ("crowd", Start),
        (BARE, "crowd"),
        [2.10, 2.47],
    ),
    figure(
        "crowd, stop",
        One,
        ("crowd", Stop),
        (BARE, "crowd"),
        [1.90, 2.722],
    ),
    figure(
        "crowd, start",
        Several,
        ("crowd", Start),
        (BARE, "crowd"),
        [2.10, 2.98],
    ),
    figure(
        "crowd, stop",
        Several,
        ("crowd", Stop),
        (BARE, "crowd"),
        [2.00, 2.75],
    ),
    figure(
        "star, start",
        One,
        ("star", Start),
        (BARE, "star"),
        [3.30, 3.855],
    ),
    figure(
        "star, stop",
        One,
        ("star", Stop),
        (BARE, "star"),
        [4.00, 4.775],
    ),
    figure(
        "chain, start",
        One,
        ("chain", Start),
        (BARE, "chain"),
        [3.80, 3.507],
    ),
    figure(
        "chain, stop",
        One,
        ("chain", Stop),
        (BARE, "chain"),
        [4.20, 4.15],
    ),
    figure(
        "star, start",
        Several,
        ("star", Start),
        (BARE, "star"),
        [3.30, 4.000],
    ),
    figure(
        "star, stop",
        Several,
        ("star", Stop),
        (BARE, "star"),
        [4.00, 4.500],
    ),
    figure(
        "chain, start",
        Several,
        ("chain", Start),
        (BARE, "chain"),
        [3.80, 4.050],
    ),
    figure(
        "chain, stop",
        Several,
        ("chain", Stop),
        (BARE, "chain"),
        [4.20, 4.300],
    ),
    figure(
        "`insert` and `remove` at 10,000",
        One,
        ("insert beside 10,000", All),
        (OWN, "insert beside 100"),
        [1.5, 1.017],
    ),
    figure(
        "a member's restart at 20,000",
        One,
        ("restart beside 20,000", All),
        (OWN, "restart beside 10"),
        [1.5, 1.017],
    ),
    figure(
        "cycle while nobody listens",
        One,
        ("nobody listens", All),
        (OWN, "cycle"),
        [1.0, 1.01],
    ),
    figure(
        "cycle while one listens",
        One,
        ("one listens", All),
        (OWN, "cycle"),
        [1.25, 1.25],
    ),
];

/// What was counted already: most of what is held against something is asked for more than once.
#[derive(Debug, Default)]
pub(crate) struct Counts(BTreeMap<(&'static str, &'static str, Flavour, Until), f64>);

impl Counts {
    fn get(
        &mut self,
        (who, what): (&'static str, &'static str),
        flavour: Flavour,
        until: Until,
    ) -> Result<f64, Box<dyn Error>> {
        if let Some(known) = self.0.get(&(who, what, flavour, until)) {
            return Ok(*known);
        }
        let work = Work::called(who, what).ok_or("no such work")?;
        let counted = count(&work, flavour, until)?;
        self.0.insert((who, what, flavour, until), counted);
        Ok(counted)
    }

    /// How many instructions one takes, in this span of it.
    pub(crate) fn of(
        &mut self,
        work: (&'static str, &'static str),
        flavour: Flavour,
        span: Span,
    ) -> Result<f64, Box<dyn Error>> {
        let mut until = |until| self.get(work, flavour, until);
        Ok(match span {
            All => until(Until::Stopped)?,
            Start => until(Until::Started)? - until(Until::Made)?,
            Stop => until(Until::Stopped)? - until(Until::Started)?,
        })
    }

    /// One figure.
    pub(crate) fn measure(&mut self, figure: Figure) -> Result<Measured, Box<dyn Error>> {
        let mut of = |work| self.of(work, figure.flavour, figure.span);
        let (own, other) = (of((OWN, figure.what))?, of(figure.against)?);
        Ok(Measured { figure, own, other })
    }
}

impl Measured {
    /// The ratio that the figure is about.
    pub(crate) fn ratio(&self) -> f64 {
        self.own / self.other
    }

    /// Whether it is above what was reached by more than what varies.
    pub(crate) fn is_above(&self) -> bool {
        let slack = if self.figure.has_one_thread() {
            1.02
        } else {
            1.10
        };
        self.ratio() > self.figure.reached * slack
    }
}

impl Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            figure:
                Figure {
                    title,
                    flavour,
                    target,
                    reached,
                    ..
                },
            own,
            other,
        } = self;
        let ratio = self.ratio();
        write!(
            f,
            "{title} | {flavour:?} | {own:.0} | {other:.0} | {ratio:.3} | {reached:.3} | {target:.2}"
        )
    }
}
