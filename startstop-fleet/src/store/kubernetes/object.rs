//! A `Lease` as JSON: what is ours in it, and all the rest as it is.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::record::{Record, Version};
use crate::store::claim::whole;
use crate::store::{Claim, StoreError};
use crate::wall;

#[derive(Debug, Clone)]
pub(super) struct Lease(pub(super) Value);

/// Transitions above do not fit into a fence beside the second of the creation.
const MOST_TRANSITIONS: u64 = (1 << 30) - 1;

impl Lease {
    pub(super) fn empty(name: &str) -> Self {
        Self(json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "name": name },
            "spec": {},
        }))
    }

    pub(super) fn new(name: &str, claim: &Claim) -> Self {
        let mut lease = Self::empty(name);
        lease.hold(claim);
        lease.0["spec"]["leaseTransitions"] = json!(0);
        lease
    }

    pub(super) fn object_name(&self) -> String {
        self.0["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// Returns the name of the lease: dots were slashes.
    pub(super) fn name(&self) -> String {
        self.object_name().replace('.', "/")
    }

    pub(super) fn uid(&self) -> Option<&str> {
        self.0["metadata"]["uid"].as_str()
    }

    pub(super) fn version(&self) -> Version {
        let metadata = &self.0["metadata"];
        let text = |key: &str| metadata[key].as_str().unwrap_or_default().to_owned();
        version(&text("uid"), &text("resourceVersion"))
    }

    pub(super) fn record(&self) -> Record {
        let holder = self.0["spec"]["holderIdentity"]
            .as_str()
            .filter(|holder| !holder.is_empty());
        let Some(holder) = holder else {
            return Record::free(self.version());
        };
        let lease = self.0["spec"]["leaseDurationSeconds"]
            .as_u64()
            .unwrap_or_default();
        Record::held(holder, self.fence(), self.version()).lasting(Duration::from_secs(lease))
    }

    fn transitions(&self) -> u64 {
        self.0["spec"]["leaseTransitions"]
            .as_u64()
            .unwrap_or_default()
    }

    fn fence(&self) -> u64 {
        let created = self.0["metadata"]["creationTimestamp"].as_str();
        let created = created.and_then(wall::parse_seconds).unwrap_or_default();
        // Those of somebody else may be any number.
        created
            .saturating_mul(1 << 30)
            .saturating_add(self.transitions())
            .min(i64::MAX as u64)
    }

    pub(super) fn take(&mut self, claim: &Claim) -> Result<(), StoreError> {
        let transitions = self.transitions().saturating_add(1);
        if transitions >= MOST_TRANSITIONS {
            let name = self.object_name();
            return Err(StoreError::refused(format!(
                "{name} has too many transitions: delete it"
            )));
        }
        self.hold(claim);
        self.0["spec"]["leaseTransitions"] = json!(transitions);
        Ok(())
    }

    fn hold(&mut self, claim: &Claim) {
        let now = wall::micros(SystemTime::now());
        let spec = &mut self.0["spec"];
        spec["holderIdentity"] = json!(claim.holder());
        spec["acquireTime"] = json!(now);
        spec["renewTime"] = json!(now);
        let seconds = |lease| whole(lease, Duration::from_secs(1)).max(1);
        match claim.lease() {
            Some(lease) => spec["leaseDurationSeconds"] = json!(seconds(lease)),
            None => drop(
                spec.as_object_mut()
                    .map(|spec| spec.remove("leaseDurationSeconds")),
            ),
        }
    }

    /// The time is another one than before, whatever the clock says.
    pub(super) fn renew(&mut self) {
        let now = SystemTime::now();
        let mut text = wall::micros(now);
        if self.0["spec"]["renewTime"] == json!(text) {
            text = wall::micros(now + Duration::from_micros(1));
        }
        self.0["spec"]["renewTime"] = json!(text);
    }

    pub(super) fn release(&mut self) {
        self.0["spec"]["holderIdentity"] = json!("");
        self.renew();
    }
}

pub(super) fn version(uid: &str, resource_version: &str) -> Version {
    Version::from(format!("{uid}/{resource_version}"))
}

/// Returns the uid and the resource version.
pub(super) fn parts(version: &Version) -> Option<(&str, &str)> {
    version.text()?.split_once('/')
}

/// Returns the name of the object: lower-case letters, digits and dashes, with dots for slashes.
pub(super) fn rename(name: &str) -> Result<String, StoreError> {
    if name.len() > 253 || !name.split('/').all(is_label) {
        return Err(StoreError::refused(format!(
            "{name:?} is no name of a lease in Kubernetes: lower-case letters, digits and dashes, parted by slashes, at most 253"
        )));
    }
    Ok(name.replace('/', "."))
}

/// Refuses what no namespace is called, for the server would be asked for something else.
pub(super) fn check_namespace(name: &str) -> Result<(), StoreError> {
    if name.len() > 63 || !is_label(name) {
        return Err(StoreError::refused(format!(
            "{name:?} is no name of a namespace in Kubernetes: lower-case letters, digits and dashes, at most 63"
        )));
    }
    Ok(())
}

fn is_label(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    part.starts_with(plain) && part.ends_with(plain) && part.chars().all(|c| plain(c) || c == '-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Lease, rename};

    #[test]
    fn a_name_that_no_object_can_have_is_refused() {
        assert_eq!(rename("orders/shards/17").unwrap(), "orders.shards.17");
        for name in ["", "Orders", "a.b", "a//b", "-a", "ä", &"a".repeat(300)] {
            assert!(rename(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_fence_grows_with_the_transitions_and_with_the_creation() {
        let fence = |created: &str, transitions: u64| {
            let metadata = json!({ "creationTimestamp": created });
            let spec = json!({ "holderIdentity": "a", "leaseTransitions": transitions });
            Lease(json!({ "metadata": metadata, "spec": spec }))
                .record()
                .fence()
        };
        let (early, late) = ("2026-11-29T08:00:00Z", "2026-11-29T08:00:01Z");
        assert_eq!(fence(early, 5), (1_795_939_200 << 30) + 5);
        assert!(fence(early, 0) < fence(early, 1));
        assert!(fence(early, 1 << 29) < fence(late, 0));
        assert!(i64::try_from(fence("2200-01-01T00:00:00Z", 0)).is_ok());
        for transitions in [u64::MAX, i64::MAX as u64, 1 << 31] {
            assert!(i64::try_from(fence("9999-12-31T23:59:59Z", transitions)).is_ok());
        }
    }
}
