//! The lease of etcd that a key is bound to when it is taken.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::time::Duration;

use serde_json::json;

use super::Etcd;
use super::kv::{BESIDE, parts};
use super::request::signed;
use crate::record::Version;
use crate::store::claim::whole;
use crate::store::{Claim, StoreError};

/// A lease to bind a key to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EtcdLease {
    /// A lease that no other process knows.
    Own(i64),
    /// All who were told that the key is gone ask for it. Whoever puts the key keeps it, so nobody else ends it.
    Shared(i64),
    /// That of another key, which ends both.
    Beside(i64),
}

impl EtcdLease {
    pub(super) fn id(self) -> i64 {
        match self {
            Self::Own(id) | Self::Shared(id) | Self::Beside(id) => id,
        }
    }

    /// Returns the mark that the value of the key bears for it.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Beside(_) => BESIDE,
            Self::Own(_) | Self::Shared(_) => "",
        }
    }
}

/// Returns the lease that a key which was deleted by this revision is bound to next. It is a matter of cost alone: the
/// transaction that puts the key decides who has it.
fn shared(name: &str, gone: u64, seconds: u64) -> i64 {
    let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((name, gone, seconds));
    i64::try_from(hash >> 1).map_or(1, |lease| lease.max(1))
}

/// In whole seconds, rounded up.
fn seconds(lease: Duration) -> u64 {
    whole(lease, Duration::from_secs(1)).max(1)
}

impl Etcd {
    pub(super) async fn lease_for(
        &self,
        name: &str,
        claim: &Claim,
        expected: &Version,
    ) -> Result<EtcdLease, StoreError> {
        if let Some(held) = claim.held_beside() {
            let (_, lease) = parts(held.version()).ok_or(StoreError::Conflict)?;
            return Ok(EtcdLease::Beside(lease));
        }
        let seconds = seconds(claim.lease().unwrap_or_default());
        let told = |watch: &mut super::Watch| {
            let shared = shared(name, watch.gone()?, seconds);
            Some((shared, watch.tries(shared)))
        };
        let Some((lease, tried)) = self.watches.with(name, expected, told).flatten() else {
            return Ok(EtcdLease::Own(self.grant(0, seconds).await?));
        };
        match self.grant(lease, seconds).await {
            // The lease is ours, its answer lost, or its owner never put the key.
            Err(StoreError::Conflict) if tried => self.keep_alive(lease).await?,
            granted => drop(granted?),
        }
        Ok(EtcdLease::Shared(lease))
    }

    /// Makes a lease, of a number that etcd chooses if it is 0.
    async fn grant(&self, lease: i64, seconds: u64) -> Result<i64, StoreError> {
        let body = json!({ "ID": lease.to_string(), "TTL": seconds.to_string() });
        let answer = self.api.call("/v3/lease/grant", &body).await?;
        signed(&answer["ID"])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{seconds, shared};

    #[test]
    fn a_shared_lease_is_of_one_name_one_deletion_and_one_length() {
        let lease = shared("invoices", 7, 15);
        assert_eq!(lease, shared("invoices", 7, 15));
        assert!(lease > 0);
        for other in [
            shared("orders", 7, 15),
            shared("invoices", 8, 15),
            shared("invoices", 7, 16),
        ] {
            assert_ne!(lease, other);
        }
    }

    #[test]
    fn a_lease_is_whole_seconds_rounded_up() {
        let millis = [0, 1, 1_000, 1_001].map(Duration::from_millis);
        assert_eq!(millis.map(seconds), [1, 1, 1, 2]);
    }
}
