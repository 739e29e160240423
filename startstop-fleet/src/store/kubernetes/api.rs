//! Requests to the API server, and what its answers mean.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::Stream;
use http::{Method, Request};
use kube::Client;
use kube::client::Body;
use kube::core::{ErrorResponse, WatchEvent};
use serde_json::{Value, json};

use super::clients::Clients;
use super::object::{Lease, parts};
use super::token::TokenFile;
use crate::record::Version;
use crate::store::StoreError;
use crate::store::error::is_no_http;
use crate::store::way::WayCall;

#[derive(Clone)]
pub(super) struct Api {
    clients: Clients,
    pub(super) namespace: Arc<str>,
    /// That of the token, if the client does not know it.
    token_file: Option<TokenFile>,
    /// The objects as they were last seen, so that a renewal needs one request.
    seen: Arc<Mutex<HashMap<String, Lease>>>,
}

/// A message of a watch.
pub(super) type LeaseEvent = WatchEvent<Value>;

/// Events as they come.
pub(super) type LeaseWatch = Pin<Box<dyn Stream<Item = Result<LeaseEvent, kube::Error>> + Send>>;

/// After so many seconds the server ends a watch, and it is begun anew.
const WATCH: u32 = 300;

/// Tries a write without any effect.
const DRY: &str = "?dryRun=All";

impl Api {
    pub(super) fn new(clients: Clients, namespace: &str, token_file: Option<TokenFile>) -> Self {
        Self {
            clients,
            // A file that somebody has written by hand ends with a line end.
            namespace: namespace.trim().into(),
            token_file,
            seen: Arc::default(),
        }
    }

    pub(super) async fn get(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        match self.send(Method::GET, &format!("/{name}"), None).await {
            Ok(lease) => Ok(Some(self.remember(name, expect_lease(lease)?))),
            Err(kube::Error::Api(error)) if error.code == 404 && is_status(&error) => Ok(None),
            Err(error) => Err(said(error)),
        }
    }

    /// Returns the object in the version that is expected.
    pub(super) async fn seen(&self, name: &str, expected: &Version) -> Result<Lease, StoreError> {
        let known = self
            .lock()
            .get(name)
            .filter(|lease| lease.version() == *expected)
            .cloned();
        if let Some(lease) = known {
            return Ok(lease);
        }
        let now = self.get(name).await?;
        now.filter(|lease| lease.version() == *expected)
            .ok_or(StoreError::Conflict)
    }

    pub(super) async fn create(&self, lease: Lease) -> Result<Lease, StoreError> {
        let name = lease.object_name();
        match self.send(Method::POST, "", Some(&lease.0)).await {
            Ok(lease) => Ok(self.remember(&name, expect_lease(lease)?)),
            Err(error) => Err(not_created(error)),
        }
    }

    pub(super) async fn update(&self, name: &str, lease: Lease) -> Result<Lease, StoreError> {
        match self
            .send(Method::PUT, &format!("/{name}"), Some(&lease.0))
            .await
        {
            Ok(answer) => {
                let now = self.remember(name, expect_lease(answer)?);
                // One that was gone may have been made again.
                let is_same = now.uid() == lease.uid();
                is_same.then_some(now).ok_or(StoreError::Conflict)
            }
            Err(kube::Error::Api(error)) if error.code == 404 && is_status(&error) => {
                Err(StoreError::Conflict)
            }
            Err(error) => Err(said(error)),
        }
    }

    /// Deletes what is of this version, and leaves anything else.
    pub(super) async fn delete(&self, name: &str, version: &Version) -> Result<(), StoreError> {
        let Some((uid, version)) = parts(version) else {
            return Ok(());
        };
        let preconditions = json!({ "uid": uid, "resourceVersion": version });
        let body =
            json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions });
        let path = format!("/{name}");
        match self.send(Method::DELETE, &path, Some(&body)).await {
            Ok(_) => self.forget(name),
            Err(kube::Error::Api(error)) if matches!(error.code, 404 | 409) => {}
            Err(error) => return Err(said(error)),
        }
        Ok(())
    }

    pub(super) async fn list(&self) -> Result<Vec<Lease>, StoreError> {
        let list = self.send(Method::GET, "", None).await.map_err(said)?;
        expect_kind(&list, "LeaseList")?;
        let items = list["items"].as_array().cloned().unwrap_or_default();
        Ok(items.into_iter().map(Lease).collect())
    }

    /// Tells what comes after the version, or of one that is absent what there is.
    pub(super) async fn watch(&self, name: &str, seen: &Version) -> Result<LeaseWatch, StoreError> {
        let version = parts(seen).map_or("0", |(_, version)| version);
        self.events(&watching(name, version)).await
    }

    /// Tells of all leases of the namespace, first what there is.
    pub(super) async fn watch_all(&self) -> Result<LeaseWatch, StoreError> {
        self.events(&format!(
            "?watch=1&resourceVersion=0&timeoutSeconds={WATCH}"
        ))
        .await
    }

    async fn events(&self, path: &str) -> Result<LeaseWatch, StoreError> {
        let request = self.request(Method::GET, path, None).map_err(said)?;
        let (client, called) = self.clients.next().await.map_err(said)?;
        let events = client.request_events::<Value>(request).await;
        self.note(called, &events);
        Ok(Box::pin(events.map_err(said)?))
    }

    pub(super) async fn try_create(&self, name: &str) -> Result<(), StoreError> {
        let body = Lease::empty(name);
        match self
            .send(Method::POST, DRY, Some(&body.0))
            .await
            .map_err(not_created)
        {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// With an uid that no object has: that is a conflict, if it is allowed at all.
    pub(super) async fn try_update(&self, name: &str) -> Result<(), StoreError> {
        let mut body = Lease::empty(name).0;
        body["metadata"]["uid"] = json!("00000000-0000-0000-0000-000000000000");
        body["metadata"]["resourceVersion"] = json!("1");
        let path = format!("/{name}{DRY}");
        match self.send(Method::PUT, &path, Some(&body)).await {
            Err(kube::Error::Api(error)) if matches!(error.code, 404 | 409) => Ok(()),
            Err(error) => Err(said(error)),
            Ok(_) => Ok(()),
        }
    }

    /// The head of the answer says whether it is allowed; the events are not waited for.
    pub(super) async fn try_watch(&self, name: &str) -> Result<(), StoreError> {
        let request = || self.request(Method::GET, &watching(name, "0"), None);
        let request_body = request().map_err(said)?.map(Body::from);
        let (client, called) = self.clients.next().await.map_err(said)?;
        let answer = client.send(request_body).await;
        self.note(called, &answer);
        if answer.map_err(said)?.status().is_success() {
            return Ok(());
        }
        let refused = client.request::<Value>(request().map_err(said)?).await;
        refused.map(drop).map_err(said)
    }

    pub(super) fn remember(&self, name: &str, lease: Lease) -> Lease {
        self.lock().insert(name.to_owned(), lease.clone());
        lease
    }

    pub(super) fn forget(&self, name: &str) {
        self.lock().remove(name);
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value, kube::Error> {
        let request = self.request(method, path, body)?;
        let (client, called) = self.clients.next().await?;
        let answer = client.request::<Value>(request).await;
        self.note(called, &answer);
        answer
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Request<Vec<u8>>, kube::Error> {
        let namespace = &self.namespace;
        let base = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
        let bytes = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let request = Request::builder()
            .method(method)
            .uri(format!("{base}{path}"))
            .header(http::header::CONTENT_TYPE, "application/json");
        let config = self.clients.config();
        let server = config.and_then(|config| config.cluster_url.authority());
        let request = match server {
            Some(server) => request.header(http::header::HOST, server.as_str()),
            None => request,
        };
        let request = match &self.token_file {
            Some(file) => {
                let token = file.read();
                let token = token.map_err(|error| kube::Error::Service(error.into()))?;
                request.header(http::header::AUTHORIZATION, format!("Bearer {token}"))
            }
            None => request,
        };
        request.body(bytes).map_err(kube::Error::HttpError)
    }

    /// A server that says no has answered, unless it is of no use. One that does not know who asks may know who asks with what there is by
    /// now: a plugin need not say for how long its token goes, and the files of a certificate may be other ones.
    fn note<T>(&self, called: WayCall<Client>, answer: &Result<T, kube::Error>) {
        match answer {
            Err(kube::Error::Api(error)) if error.code >= 500 => {}
            Err(kube::Error::Api(error)) => {
                called.answered();
                if error.code == 401 {
                    self.clients.make_anew();
                }
            }
            Ok(_) => called.answered(),
            Err(_) => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Lease>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn watching(name: &str, version: &str) -> String {
    let selector = format!("fieldSelector=metadata.name%3D{name}");
    format!("?watch=1&{selector}&resourceVersion={version}&timeoutSeconds={WATCH}")
}

/// A lease cannot be missing when it is made: it is the namespace.
fn not_created(error: kube::Error) -> StoreError {
    match error {
        kube::Error::Api(error) if error.code == 404 && is_status(&error) => {
            StoreError::refused(error.message)
        }
        error => said(error),
    }
}

/// 409 is a conflict, or one that exists already; what is not allowed or not valid does not become so by waiting, nor does a server
/// of another kind become this one. A proxy in between may have an error of its own, which is no `Status` either.
pub(super) fn said(error: kube::Error) -> StoreError {
    match error {
        kube::Error::Api(error) => match error.code {
            429 | 500.. => StoreError::unavailable(kube::Error::Api(error)),
            code if !is_status(&error) => other(&format!("{code}: {}", short(&error.message))),
            409 => StoreError::Conflict,
            400 | 401 | 403 | 405 | 415 | 422 => StoreError::refused(error.message),
            _ => StoreError::unavailable(kube::Error::Api(error)),
        },
        kube::Error::SerdeError(_) => other("its answer is none of that API"),
        error if is_no_http(&error) => other("it does not speak HTTP"),
        error => StoreError::unavailable(error),
    }
}

/// Returns whether the server has answered as an API server does.
fn is_status(error: &ErrorResponse) -> bool {
    error.reason != "Failed to parse error data"
}

fn expect_lease(answer: Value) -> Result<Lease, StoreError> {
    expect_kind(&answer, "Lease")?;
    Ok(Lease(answer))
}

fn expect_kind(answer: &Value, kind: &str) -> Result<(), StoreError> {
    if answer["kind"] == kind {
        Ok(())
    } else {
        Err(other(&format!("its answer is no {kind}")))
    }
}

fn other(why: &str) -> StoreError {
    StoreError::refused(format!(
        "what answers is no Kubernetes API with leases of coordination.k8s.io/v1: {why}"
    ))
}

/// Whatever answers may answer with a page.
fn short(text: &str) -> String {
    text.chars().take(200).collect()
}
