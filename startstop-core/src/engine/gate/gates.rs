//! The gates: locks that the upgrade of a weak reference passes, and the drop of the last runner.

use std::sync::PoisonError;

use crate::sync::{Mutex, MutexGuard};

const COUNT: usize = 64;

/// The gates; the services share a few. Each has the addresses of services that have stopped, and whose last runner is being
/// dropped.
pub(crate) struct Gates([Mutex<Vec<usize>>; COUNT]);

/// The gate of a service. Nobody else passes while it is held.
pub(crate) struct HeldGate<'a> {
    leaving: MutexGuard<'a, Vec<usize>>,
    address: usize,
}

impl Gates {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(Vec::new())))
    }

    /// Returns the gate of a service, by its address.
    pub(crate) fn of(&self, address: usize) -> HeldGate<'_> {
        // The lowest bits are those of the alignment.
        let leaving = self.0[(address >> 6) % COUNT]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        HeldGate { leaving, address }
    }

    /// Passes the gate with a reference to the service, if there is one to be had.
    pub(crate) fn enter<R>(
        &self,
        address: usize,
        upgrade: impl FnOnce() -> Option<R>,
    ) -> Option<(HeldGate<'_>, R)> {
        let gate = self.of(address);
        if gate.leaving.contains(&address) {
            return None;
        }
        let reference = upgrade()?;
        Some((gate, reference))
    }

    /// Drops the last runner of a service that has stopped: nobody comes to another reference from now on until it is gone.
    pub(crate) fn leave<R>(&self, mut gate: HeldGate<'_>, reference: R) {
        /// Lets others in again, also if the drop of the service panics.
        struct OutOfGate<'a>(&'a Gates, usize);

        impl Drop for OutOfGate<'_> {
            fn drop(&mut self) {
                let mut leaving = self.0.of(self.1).leaving;
                if let Some(at) = leaving.iter().position(|other| *other == self.1) {
                    leaving.swap_remove(at);
                }
            }
        }

        let leaving = OutOfGate(self, gate.address);
        gate.leaving.push(gate.address);
        drop(gate);
        drop(reference);
        drop(leaving);
    }
}
