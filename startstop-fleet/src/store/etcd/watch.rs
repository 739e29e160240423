//! A watch: a response that goes on, a line of JSON for each thing that is told.

use std::collections::VecDeque;

use serde_json::Value;

use super::kv::Kv;
use super::request::{decode, number};
use crate::store::StoreError;

/// A change of a key.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) key: String,
    /// The present value: nothing if it was deleted.
    pub(super) kv: Option<Kv>,
    /// By which revision.
    revision: u64,
}

#[derive(Debug)]
pub(super) struct Watch {
    response: reqwest::Response,
    unread: Vec<u8>,
    told: VecDeque<Told>,
    /// Whether the value at its beginning was not read yet.
    is_new: bool,
    /// By which revision the key was deleted that it has told last.
    gone: Option<u64>,
    /// The lease that was last asked for to bind the key to.
    tried: Option<i64>,
}

impl Watch {
    /// Waits until the watch has begun.
    pub(super) async fn begin(response: reqwest::Response) -> Result<Self, StoreError> {
        let (unread, told) = (Vec::new(), VecDeque::new());
        let mut watch = Self {
            response,
            unread,
            told,
            is_new: true,
            gone: None,
            tried: None,
        };
        let first = watch.line().await?;
        match first["result"]["created"].as_bool() {
            Some(true) if first["result"]["canceled"].as_bool() != Some(true) => Ok(watch),
            _ => Err(StoreError::unavailable(format!("no watch: {first}"))),
        }
    }

    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    pub(super) fn was_compared(&mut self) {
        self.is_new = false;
    }

    /// Waits for the next event. Nothing is lost if that is given up.
    pub(super) async fn next(&mut self) -> Result<Told, StoreError> {
        loop {
            if let Some(told) = self.told.pop_front() {
                return Ok(told);
            }
            let line = self.line().await?;
            let result = &line["result"];
            if result.is_null() || result["canceled"].as_bool() == Some(true) {
                return Err(StoreError::unavailable(format!(
                    "the watch has ended: {line}"
                )));
            }
            for event in result["events"].as_array().into_iter().flatten() {
                self.told.push_back(parse(event)?);
            }
        }
    }

    /// Returns the last change of the key that has arrived already: a key that was given up and taken at once need not be
    /// wanted. For a watch of one key.
    pub(super) async fn newest(&mut self, told: Told) -> Result<Told, StoreError> {
        let mut newest = told;
        loop {
            tokio::select! {
                biased;
                told = self.next() => newest = told?,
                () = std::future::ready(()) => break,
            }
        }
        self.gone = newest.kv.is_none().then_some(newest.revision);
        Ok(newest)
    }

    /// Returns by which revision the key is gone, if it has told that it is.
    pub(super) fn gone(&self) -> Option<u64> {
        self.gone
    }

    /// Notes that this lease is asked for, and tells whether it was before.
    pub(super) fn tries(&mut self, lease: i64) -> bool {
        self.tried.replace(lease) == Some(lease)
    }

    async fn line(&mut self) -> Result<Value, StoreError> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return serde_json::from_slice(&line).map_err(StoreError::unavailable);
            }
            match self
                .response
                .chunk()
                .await
                .map_err(StoreError::unavailable)?
            {
                Some(chunk) => self.unread.extend_from_slice(&chunk),
                None => return Err(StoreError::unavailable("the watch has ended")),
            }
        }
    }
}

/// A put is left out, since it is the first kind.
fn parse(event: &Value) -> Result<Told, StoreError> {
    let kv = &event["kv"];
    let is_put = event["type"].as_str().is_none_or(|kind| kind == "PUT");
    Ok(Told {
        key: decode(&kv["key"])?,
        kv: is_put.then(|| Kv::parse(kv)).transpose()?,
        revision: number(&kv["mod_revision"])?,
    })
}
