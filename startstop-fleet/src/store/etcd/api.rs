//! Calls of the gateway, by the endpoint that has answered last.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::request::{decode, number};
use super::watch::Watch;
use crate::store::StoreError;

#[derive(Debug, Clone)]
pub(super) struct Api {
    client: reqwest::Client,
    endpoints: Arc<Vec<String>>,
    /// The endpoint to begin with.
    first: Arc<AtomicUsize>,
}

/// A key as etcd has it.
#[derive(Debug, Clone)]
pub(super) struct Kv {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) created: u64,
    pub(super) modified: u64,
    pub(super) lease: u64,
}

impl Kv {
    pub(super) fn all(answer: &Value) -> Result<Vec<Self>, StoreError> {
        let kvs = answer["kvs"].as_array().map_or(&[][..], Vec::as_slice);
        kvs.iter().map(Self::parse).collect()
    }

    fn parse(kv: &Value) -> Result<Self, StoreError> {
        Ok(Self {
            key: decode(&kv["key"])?,
            value: decode(&kv["value"])?,
            created: number(&kv["create_revision"])?,
            modified: number(&kv["mod_revision"])?,
            lease: number(&kv["lease"])?,
        })
    }
}

impl Api {
    pub(super) fn new(client: reqwest::Client, endpoints: Vec<String>) -> Self {
        let endpoints = endpoints.into_iter().map(|url| url.trim_end_matches('/').to_owned());
        Self { client, endpoints: Arc::new(endpoints.collect()), first: Arc::default() }
    }

    pub(super) async fn call(&self, path: &str, body: &Value) -> Result<Value, StoreError> {
        let response = self.send(path, body).await?;
        response.json().await.map_err(StoreError::unavailable)
    }

    pub(super) async fn watch(&self, key: &str) -> Result<Watch, StoreError> {
        let body = serde_json::json!({ "create_request": { "key": key } });
        let response = self.send("/v3/watch", &body).await?;
        Watch::begin(response).await
    }

    /// An endpoint that cannot be connected to has not seen the request: the next one gets it. One that does not
    /// answer is begun with no more, also when nobody waits for it any longer.
    async fn send(&self, path: &str, body: &Value) -> Result<reqwest::Response, StoreError> {
        let first = self.first.load(Ordering::Relaxed);
        let count = self.endpoints.len();
        let mut failed = None;
        for place in (first..first + count).map(|place| place % count) {
            self.first.store((place + 1) % count, Ordering::Relaxed);
            let url = format!("{}{path}", self.endpoints[place]);
            match self.client.post(url).json(body).send().await {
                Ok(response) => {
                    self.first.store(place, Ordering::Relaxed);
                    return answered(response).await;
                }
                Err(error) if error.is_connect() => failed = Some(error),
                Err(error) => return Err(StoreError::unavailable(error)),
            }
        }
        Err(failed.map_or_else(|| StoreError::unavailable("no endpoint"), StoreError::unavailable))
    }
}

/// The codes are those of gRPC: 3 invalid argument, 5 not found, 7 permission denied, 16 unauthenticated.
async fn answered(response: reqwest::Response) -> Result<reqwest::Response, StoreError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let text = response.text().await.unwrap_or_default();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let message = body["message"].as_str().or(body["error"].as_str()).unwrap_or(&text);
    let message = format!("etcd says {}: {}", status.as_u16(), message.trim());
    match body["code"].as_u64() {
        Some(5) => Err(StoreError::Conflict),
        Some(3 | 7 | 16) => Err(StoreError::refused(message)),
        None if status.as_u16() == 404 => {
            Err(StoreError::refused(format!("{message}; is this etcd 3.4 or later?")))
        }
        _ => Err(StoreError::unavailable(message)),
    }
}
