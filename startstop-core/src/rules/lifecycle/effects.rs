//! The effects of an input.

/// The effects of an input, which the engine carries out: a set.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Effects(u16);

impl Effects {
    pub(crate) const NONE: Self = Self(0);
    /// A new cycle begins.
    pub(crate) const BEGIN_CYCLE: Self = Self(1);
    /// An attempt may begin: the driver has to enter it.
    pub(crate) const BEGIN_ATTEMPT: Self = Self(1 << 1);
    /// The drain begins.
    pub(crate) const DRAIN: Self = Self(1 << 2);
    /// The context is cancelled.
    pub(crate) const CANCEL: Self = Self(1 << 3);
    /// `shutdown` is to be called.
    pub(crate) const CALL_SHUTDOWN: Self = Self(1 << 4);
    /// The parts that are left are to be dropped.
    pub(crate) const ABORT: Self = Self(1 << 5);
    /// The deadline has changed: see [`Lifecycle::timer`](super::Lifecycle::timer).
    pub(crate) const TIMER: Self = Self(1 << 6);
    /// Pending starts have succeeded.
    pub(crate) const STARTED: Self = Self(1 << 7);
    /// Pending starts are cancelled by a stop.
    pub(crate) const CANCEL_STARTS: Self = Self(1 << 8);
    /// The parts that are left do not yield: pending starts and stops end with that.
    pub(crate) const GIVE_UP: Self = Self(1 << 9);
    /// The cycle has ended.
    pub(crate) const ENDED: Self = Self(1 << 10);
    /// The driver has something to look at.
    pub(crate) const WAKE_DRIVER: Self = Self(1 << 11);
    /// A deadline was missed: a failure is to be recorded.
    pub(crate) const RECORD_TIMEOUT: Self = Self(1 << 12);

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// For what the tests say.
#[cfg(test)]
impl std::fmt::Debug for Effects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const NAMES: [&str; 13] = [
            "BEGIN_CYCLE",
            "BEGIN_ATTEMPT",
            "DRAIN",
            "CANCEL",
            "CALL_SHUTDOWN",
            "ABORT",
            "TIMER",
            "STARTED",
            "CANCEL_STARTS",
            "GIVE_UP",
            "ENDED",
            "WAKE_DRIVER",
            "RECORD_TIMEOUT",
        ];
        let names = NAMES
            .iter()
            .enumerate()
            .filter(|(bit, _)| self.0 & (1 << bit) != 0);
        f.debug_set().entries(names.map(|(_, name)| name)).finish()
    }
}
