//! A watch: a response that goes on, a line of JSON for each thing that is told.

use serde_json::Value;

use crate::store::StoreError;

#[derive(Debug)]
pub(super) struct Watch {
    response: reqwest::Response,
    unread: Vec<u8>,
}

impl Watch {
    /// Waits until the watch has begun.
    pub(super) async fn begin(response: reqwest::Response) -> Result<Self, StoreError> {
        let mut watch = Self { response, unread: Vec::new() };
        let first = watch.line().await?;
        match first["result"]["created"].as_bool() {
            Some(true) => Ok(watch),
            _ => Err(StoreError::unavailable(format!("no watch: {first}"))),
        }
    }

    /// Waits for the next event.
    pub(super) async fn next(&mut self) -> Result<(), StoreError> {
        loop {
            let line = self.line().await?;
            let told = &line["result"];
            if told["events"].as_array().is_some_and(|events| !events.is_empty()) {
                return Ok(());
            }
            if told.is_null() || told["canceled"].as_bool() == Some(true) {
                return Err(StoreError::unavailable(format!("the watch has ended: {line}")));
            }
        }
    }

    async fn line(&mut self) -> Result<Value, StoreError> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.unread.drain(..=end).collect();
                return serde_json::from_slice(&line).map_err(StoreError::unavailable);
            }
            match self.response.chunk().await.map_err(StoreError::unavailable)? {
                Some(chunk) => self.unread.extend_from_slice(&chunk),
                None => return Err(StoreError::unavailable("the watch has ended")),
            }
        }
    }
}
