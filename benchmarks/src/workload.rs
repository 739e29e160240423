//! The workloads: who can do them, and how they are timed.

use std::time::{Duration, Instant};

use crate::contender::{Can, Contender, Many, Pending, Read, Work};
use crate::contenders::ALL;
use crate::crowd::Crowd;
use crate::flavour::Flavour;
use crate::results::{Results, What};
use crate::rounds::{Batch, median, medians};

/// How many idle services there are at once.
pub(crate) const CROWDS: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// How many members a group has.
pub(crate) const MEMBERS: usize = 10_000;

const EACH: [What; 8] = [
    What::Cycle,
    What::Hooked,
    What::Restart,
    What::Failing,
    What::Running(1),
    What::Running(2),
    What::Uptime(1),
    What::Uptime(2),
];

/// Who has taken so long for one crowd is not asked for another round.
const PATIENCE: Duration = Duration::from_secs(3);

/// All that is measured on a runtime of this kind.
pub(crate) fn measure(flavour: Flavour, results: &mut Results) {
    one_by_one(flavour, &EACH, results);
    for size in CROWDS {
        let put = [What::Start(size), What::Stop(size)];
        many(flavour, size, |contender| contender.crowd, put, results);
    }
    let chain = [What::ChainStart, What::ChainStop];
    many(
        flavour,
        MEMBERS,
        |contender| contender.chain,
        chain,
        results,
    );
    let star = [What::StarStart, What::StarStop];
    many(flavour, MEMBERS, |contender| contender.star, star, results);
}

/// What one service costs on it.
pub(crate) fn measure_one(flavour: Flavour, results: &mut Results) {
    one_by_one(flavour, &EACH[..4], results);
}

/// All of it in the same rounds, the contenders of one workload next to each other.
fn one_by_one(flavour: Flavour, whats: &[What], results: &mut Results) {
    eprintln!("{}: one service", flavour.name());
    let runtime = flavour.runtime();
    let able = whats.iter().flat_map(|&what| {
        ALL.iter()
            .filter_map(move |who| Some(((what, who.name), batch(what, who)?)))
    });
    let (keys, works): (Vec<_>, Vec<_>) = able.unzip();
    let runtime = &runtime;
    let on_runtime = |work: Timed| -> Batch { Box::new(move |n| flavour.wait(runtime, work(n))) };
    let batches: Vec<Batch> = works.into_iter().map(on_runtime).collect();
    for ((what, name), time) in keys.into_iter().zip(medians(&batches)) {
        results.put(what, flavour, name, time);
    }
}

/// Does a workload so many times, and tells how long that took.
pub(crate) type Timed = Box<dyn Fn(u32) -> Pending<Duration>>;

/// A workload of one service, if the contender can do it.
pub(crate) fn batch(what: What, contender: &Contender) -> Option<Timed> {
    let work = |work: Can<Work>| -> Option<Timed> {
        let Can::Do(work) = work else { return None };
        Some(Box::new(work))
    };
    let read = |read: Can<Read>, threads: usize| -> Option<Timed> {
        let Can::Do(read) = read else { return None };
        Some(Box::new(move |n| read(threads, n)))
    };
    match what {
        What::Cycle => work(contender.cycle),
        What::Hooked => work(contender.hooked),
        What::Restart => work(contender.restart),
        What::Failing => work(contender.failing),
        What::Running(threads) => read(contender.running, threads),
        What::Uptime(threads) => read(contender.uptime, threads),
        _ => None,
    }
}

/// Rounds of crowds: the fewer, the larger they are.
fn rounds(size: usize) -> usize {
    match size {
        ..=1_000 => 21,
        1_001..=10_000 => 11,
        _ => 3,
    }
}

fn many(
    flavour: Flavour,
    size: usize,
    pick: fn(&Contender) -> Can<Many>,
    [start, stop]: [What; 2],
    results: &mut Results,
) {
    eprintln!("{}: {start:?}", flavour.name());
    let able = ALL.iter().filter_map(|contender| match pick(contender) {
        Can::Do(many) => Some((contender.name, many, Vec::new(), Duration::ZERO)),
        Can::Not(_) => None,
    });
    let mut able: Vec<_> = able.collect();
    for _ in 0..rounds(size) {
        for (_, many, crowds, took) in &mut able {
            if *took < PATIENCE {
                let began = Instant::now();
                // A new one each time: what the last crowd left to be done is not this one's.
                crowds.push(flavour.wait(&flavour.runtime(), many(size)));
                *took = began.elapsed();
            }
        }
    }
    for (name, _, crowds, _) in able {
        results.put(
            start,
            flavour,
            name,
            one_of(size, &crowds, |crowd| crowd.start),
        );
        results.put(
            stop,
            flavour,
            name,
            one_of(size, &crowds, |crowd| crowd.stop),
        );
    }
}

fn one_of(size: usize, crowds: &[Crowd], time: fn(&Crowd) -> Duration) -> f64 {
    let times = crowds
        .iter()
        .map(|crowd| time(crowd).as_secs_f64() * 1e9 / size as f64);
    median(times.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_of_everyone_ends() {
        for flavour in Flavour::ALL {
            let runtime = flavour.runtime();
            for who in ALL {
                for work in EACH.iter().filter_map(|what| batch(*what, who)) {
                    assert!(
                        flavour.wait(&runtime, work(3)) > Duration::ZERO,
                        "{}",
                        who.name
                    );
                }
                for many in [who.crowd, who.chain, who.star] {
                    let Can::Do(many) = many else { continue };
                    let crowd = flavour.wait(&runtime, many(10));
                    assert!(crowd.start.min(crowd.stop) > Duration::ZERO, "{}", who.name);
                }
            }
        }
    }
}
