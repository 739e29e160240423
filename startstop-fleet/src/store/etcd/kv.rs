//! A key as etcd has it, and the record that it is.

use std::time::Duration;

use serde_json::Value;

use super::request::{decode, number, signed};
use crate::record::{Record, Version};
use crate::store::StoreError;

/// A key as etcd has it.
#[derive(Debug, Clone)]
pub(super) struct Kv {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) created: u64,
    pub(super) modified: u64,
    pub(super) lease: i64,
}

impl Kv {
    pub(super) fn all(answer: &Value) -> Result<Vec<Self>, StoreError> {
        let kvs = answer["kvs"].as_array().map_or(&[][..], Vec::as_slice);
        kvs.iter().map(Self::parse).collect()
    }

    pub(super) fn parse(kv: &Value) -> Result<Self, StoreError> {
        Ok(Self {
            key: decode(&kv["key"])?,
            value: decode(&kv["value"])?,
            created: number(&kv["create_revision"])?,
            modified: number(&kv["mod_revision"])?,
            lease: signed(&kv["lease"])?,
        })
    }
}

/// The mark before the holder in the value of a key, and behind its version, if its lease is that of another key.
pub(super) const BESIDE: &str = "~";

/// Splits a version: the revision of the last write, and the lease that the key is bound to.
pub(super) fn parts(version: &Version) -> Option<(u64, i64)> {
    let (modified, lease) = version.text()?.split_once('/')?;
    Some((
        modified.parse().ok()?,
        lease.trim_end_matches(BESIDE).parse().ok()?,
    ))
}

pub(super) fn is_beside(version: &Version) -> bool {
    version.text().is_some_and(|text| text.ends_with(BESIDE))
}

pub(super) fn version(modified: u64, lease: i64, mark: &str) -> Version {
    Version::from(format!("{modified}/{lease}{mark}"))
}

pub(super) fn record(kv: Option<&Kv>) -> Record {
    let Some(kv) = kv else {
        return Record::free(Version::absent());
    };
    let (mark, holder) = match kv.value.strip_prefix(BESIDE) {
        Some(holder) => (BESIDE, holder),
        None => ("", &*kv.value),
    };
    let record = Record::held(holder, kv.created, version(kv.modified, kv.lease, mark));
    // One that was written by hand is bound to no lease, so etcd does not end it.
    record.lasting((kv.lease == 0).then_some(Duration::ZERO))
}
