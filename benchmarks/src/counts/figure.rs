//! The figures: what is counted, and what it is held against.

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
    target: f64,
) -> Figure {
    Figure { title, flavour, what, span, against, target }
}

use Flavour::{CurrentThread as One, MultiThread as Several};
use Span::{All, Start, Stop};

/// All of them.
pub(crate) const FIGURES: &[Figure] = &[
    figure("cycle, to bare tokio", One, ("cycle", All), (BARE, "cycle"), 1.30),
    figure("cycle, to bare tokio", Several, ("cycle", All), (BARE, "cycle"), 1.30),
    figure("cycle, to the same by hand", One, ("cycle", All), (BY_HAND, "cycle"), 1.15),
    figure("cycle, to the same by hand", Several, ("cycle", All), (BY_HAND, "cycle"), 1.15),
    figure("hook that awaits, to bare tokio", One, ("hooked", All), (BARE, "cycle"), 1.55),
    figure("hook that awaits, to bare tokio", Several, ("hooked", All), (BARE, "cycle"), 1.75),
    figure("hook that is ready, to bare tokio", One, ("ready", All), (BARE, "cycle"), 1.50),
    figure("hook that is ready, to bare tokio", Several, ("ready", All), (BARE, "cycle"), 1.60),
    figure("restart, to a bare stop and start", One, ("restart", All), (BARE, "cycle"), 0.62),
    figure("restart, to a bare stop and start", Several, ("restart", All), (BARE, "cycle"), 0.62),
    figure("failing restart, to a loop", One, ("failing", All), (BY_HAND, "failing"), 1.25),
    figure("failing restart, to a loop", Several, ("failing", All), (BY_HAND, "failing"), 1.25),
    figure("crowd, start", One, ("crowd", Start), (BARE, "crowd"), 2.10),
    figure("crowd, stop", One, ("crowd", Stop), (BARE, "crowd"), 1.90),
    figure("crowd, start", Several, ("crowd", Start), (BARE, "crowd"), 2.10),
    figure("crowd, stop", Several, ("crowd", Stop), (BARE, "crowd"), 2.00),
    figure("star, start", One, ("star", Start), (BARE, "star"), 3.30),
    figure("star, stop", One, ("star", Stop), (BARE, "star"), 4.00),
    figure("chain, start", One, ("chain", Start), (BARE, "chain"), 3.80),
    figure("chain, stop", One, ("chain", Stop), (BARE, "chain"), 4.20),
    figure("star, start", Several, ("star", Start), (BARE, "star"), 3.30),
    figure("star, stop", Several, ("star", Stop), (BARE, "star"), 4.00),
    figure("chain, start", Several, ("chain", Start), (BARE, "chain"), 3.80),
    figure("chain, stop", Several, ("chain", Stop), (BARE, "chain"), 4.20),
    figure("`insert` and `remove` at 10,000", One, ("insert beside 10,000", All), (OWN, "insert beside 100"), 1.5),
    figure("a member's restart at 20,000", One, ("restart beside 20,000", All), (OWN, "restart beside 10"), 1.5),
    figure("cycle while nobody listens", One, ("nobody listens", All), (OWN, "cycle"), 1.0),
    figure("cycle while one listens", One, ("one listens", All), (OWN, "cycle"), 1.25),
];

impl Figure {
    pub(crate) fn measured(self) -> Result<Measured, Box<dyn Error>> {
        let (who, what) = self.against;
        let own = self.counted(OWN, self.what)?;
        let other = self.counted(who, what)?;
        Ok(Measured { figure: self, own, other })
    }

    /// What it takes of our own.
    pub(crate) fn counted(self, who: &str, what: &str) -> Result<f64, Box<dyn Error>> {
        let work = Work::called(who, what).ok_or("no such work")?;
        let until = |until| count(&work, self.flavour, until);
        match self.span {
            All => until(Until::Stopped),
            Start => Ok(until(Until::Started)? - until(Until::Made)?),
            Stop => Ok(until(Until::Stopped)? - until(Until::Started)?),
        }
    }
}

impl Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { figure: Figure { title, flavour, target, .. }, own, other } = self;
        let ratio = own / other;
        write!(f, "{title:36} {flavour:?}: {own:.0} / {other:.0} = {ratio:.2}, at most {target:.2}")
    }
}
