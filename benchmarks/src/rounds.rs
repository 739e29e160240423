//! Interleaved rounds, and their medians.

use std::time::Duration;

const ROUNDS: usize = 31;

/// How long one batch should take. Long enough for the clock, short enough to meet the same weather
/// as the batch of the next contender.
const BATCH: Duration = Duration::from_millis(8);

/// Does it so many times and tells how long that took.
pub(crate) type Batch<'a> = Box<dyn Fn(u32) -> Duration + 'a>;

/// The median time of one, in nanoseconds, for each of those that are compared.
pub(crate) fn medians(batches: &[Batch]) -> Vec<f64> {
    let sizes: Vec<u32> = batches.iter().map(size).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); batches.len()];
    for round in 0..ROUNDS {
        // Nobody always comes right after the same one: in each round they are gone through in other steps.
        let step = step(round, batches.len());
        for place in 0..batches.len() {
            let who = (round + place * step) % batches.len();
            let time = batches[who](sizes[who]);
            times[who].push(time.as_secs_f64() * 1e9 / f64::from(sizes[who]));
        }
    }
    times.into_iter().map(median).collect()
}

/// A step that comes to each of so many once, another one in the next round.
fn step(round: usize, of: usize) -> usize {
    let comes_to_each = |step: &usize| {
        (2..=of.min(*step)).all(|by| !(of.is_multiple_of(by) && step.is_multiple_of(by)))
    };
    let steps: Vec<usize> = (1..=of).filter(comes_to_each).collect();
    steps[round % steps.len()]
}

/// How many fit into a batch. It warms up as well.
fn size(batch: &Batch) -> u32 {
    let mut size = 1;
    loop {
        // The first ones find everything cold, and a few would be taken for many.
        let tries = [(); 3].map(|()| batch(size));
        let time = tries.into_iter().min().unwrap_or_default();
        if time >= BATCH / 2 || size > u32::MAX / 8 {
            let fitting = BATCH.as_secs_f64() / time.as_secs_f64() * f64::from(size);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // It saturates.
            return fitting.ceil().max(1.0) as u32;
        }
        size *= 4;
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_goes_through_all() {
        for of in 1..40 {
            for round in 0..9 {
                let mut all: Vec<usize> = (0..of)
                    .map(|place| (round + place * step(round, of)) % of)
                    .collect();
                all.sort_unstable();
                assert!(all.into_iter().eq(0..of), "{round} of {of}");
            }
        }
    }

    #[test]
    fn the_median_is_in_the_middle() {
        let found = [vec![9.0, 1.0, 2.0], vec![4.0, 1.0]].map(|values| median(values).to_string());
        assert_eq!(found, ["2", "2.5"]);
    }

    #[test]
    fn what_takes_a_microsecond_is_told_to() {
        let batch: Batch = Box::new(|n| Duration::from_micros(n.into()));
        let twice: Batch = Box::new(|n| Duration::from_micros((2 * n).into()));
        let found: Vec<String> = medians(&[batch, twice])
            .iter()
            .map(|time| format!("{time:.0}"))
            .collect();
        assert_eq!(found, ["1000", "2000"]);
    }
}
