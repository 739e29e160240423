//! A watch: a response that goes on, a line of JSON for each thing that is told.

use std::collections::VecDeque;

use serde_json::Value;

use super::kv::Kv;
use super::request::decode;
use crate::store::StoreError;

/// A key, and what is there now: nothing if it was deleted.
pub(super) type Told = (String, Option<Kv>);

#[derive(Debug)]
pub(super) struct Watch {
    response: reqwest::Response,
    unread: Vec<u8>,
    told: VecDeque<Told>,
    /// Nobody has looked yet what was there when it began.
    is_new: bool,
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
    let told = is_put.then(|| Kv::parse(kv)).transpose()?;
    Ok((decode(&kv["key"])?, told))
}
