//! The restart policy of the reference.

use super::Failed;
use super::attempt::Why;
use crate::model::plan::{On, Policy};
use crate::model::script::End;

#[derive(Default)]
pub(super) struct Retries {
    /// Restarts since the cycle began or since the last healthy run.
    steps: u32,
    /// When there were restarts in this cycle.
    at: Vec<u64>,
}

impl Policy {
    /// Whether another attempt is to follow.
    pub(super) fn wants(&self, why: Option<Why>, ended_by: Option<Failed>) -> bool {
        match ended_by {
            _ if self.on == On::Never => false,
            None => self.on == On::Always,
            Some(_) if why == Some(Why::Failed(End::Permanent)) => false,
            Some(failed) => !(self.fears_panics && failed.is_panic()),
        }
    }

    fn delay(&self, step: u32) -> u64 {
        let factor = self.factor.saturating_pow(step);
        self.first.saturating_mul(factor).min(self.most)
    }
}

impl Retries {
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The delay before the next attempt, or `None` at the limit.
    pub(super) fn next(&mut self, policy: &Policy, healthy: u64, now: u64) -> Option<u64> {
        if healthy >= policy.reset_after {
            self.steps = 0;
        }
        if let Some((max, window)) = policy.limit {
            let recent = self.at.iter().filter(|at| now - **at < window).count();
            if recent >= max as usize {
                return None;
            }
        }
        self.at.push(now);
        self.steps += 1;
        Some(policy.delay(self.steps - 1))
    }
}
