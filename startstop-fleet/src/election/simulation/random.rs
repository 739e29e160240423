//! Random numbers that depend on a seed alone.

use std::time::Duration;

#[derive(Debug)]
pub(super) struct Random(fastrand::Rng);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end)
    }

    pub(super) fn chance(&mut self, percent: u32) -> bool {
        self.0.u32(..1000) < percent * 10
    }

    pub(super) fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_micros(self.0.u64(from * 1000..to * 1000))
    }

    /// Returns a waiting time of this mean, as of things that happen by themselves.
    pub(super) fn around(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-(1.0 - self.0.f64()).ln())
    }
}
