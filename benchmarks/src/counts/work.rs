//! What is counted: a workload of a contender, or something that startstop alone does.

use std::time::Duration;

use crate::contender::{Can, Contender, Pending};
use crate::contenders::{ALL, STARTSTOP, groups, listened};
use crate::flavour::Flavour;

/// Done so many times.
type Do = fn(u32) -> Pending<Duration>;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) who: &'static str,
    pub(crate) what: &'static str,
}

/// What others do not do, or not like that.
const OWN: [(&str, Do); 6] = [
    ("insert beside 100", |n| Box::pin(groups::inserting(100, n))),
    ("insert beside 10,000", |n| {
        Box::pin(groups::inserting(10_000, n))
    }),
    ("restart beside 10", |n| Box::pin(groups::restarting(10, n))),
    ("restart beside 20,000", |n| {
        Box::pin(groups::restarting(20_000, n))
    }),
    ("nobody listens", |n| Box::pin(listened::before(n))),
    ("one listens", |n| Box::pin(listened::meanwhile(n))),
];

impl Work {
    /// The one with these names.
    pub(crate) fn called(who: &str, what: &str) -> Option<Self> {
        let who = ALL.iter().find(|contender| contender.name == who)?;
        let own = OWN.iter().map(|(name, _)| *name);
        let all = [
            "cycle", "hooked", "ready", "restart", "failing", "crowd", "chain", "star",
        ];
        let what = all.into_iter().chain(own).find(|name| *name == what)?;
        let work = Self {
            who: who.name,
            what,
        };
        work.of(who).map(|_| work)
    }

    /// How many are counted: enough that what is done only sometimes does not count. Many that stop on several threads are to be
    /// down before the thread looks at deadlines, as they are where nothing makes the processor fifty times slower.
    pub(crate) fn rounds(&self, flavour: Flavour) -> u32 {
        match self.what {
            what if what.contains(" beside ") => 200,
            "crowd" if flavour == Flavour::MultiThread => 100,
            "star" | "chain" if flavour == Flavour::MultiThread => 150,
            _ => 2_000,
        }
    }

    /// Does it so many times.
    pub(crate) fn begin(&self, n: u32) -> Pending<()> {
        let who = ALL.iter().find(|contender| contender.name == self.who);
        let begun = who.and_then(|who| self.of(who));
        begun.expect("only work that there is has a name")(n)
    }

    fn of(&self, who: &Contender) -> Option<Box<dyn Fn(u32) -> Pending<()>>> {
        let one = |work: Can<Do>| match work {
            Can::Do(work) => Some(timed(work)),
            Can::Not(_) => None,
        };
        match self.what {
            "cycle" => one(who.cycle),
            "hooked" => one(who.hooked),
            "ready" => one(who.ready),
            "restart" => one(who.restart),
            "failing" => one(who.failing),
            "crowd" => many(who.crowd),
            "chain" => many(who.chain),
            "star" => many(who.star),
            what if who.name == STARTSTOP.name => OWN
                .iter()
                .find(|(name, _)| *name == what)
                .map(|(_, work)| timed(*work)),
            _ => None,
        }
    }
}

fn timed(work: Do) -> Box<dyn Fn(u32) -> Pending<()>> {
    Box::new(move |n| {
        let work = work(n);
        Box::pin(async move {
            work.await;
        })
    })
}

fn many(work: Can<crate::contender::Many>) -> Option<Box<dyn Fn(u32) -> Pending<()>>> {
    let Can::Do(work) = work else { return None };
    Some(Box::new(move |n| {
        let work = work(n as usize);
        Box::pin(async move {
            work.await;
        })
    }))
}
