//! A stand-in for the API server: leases of one namespace, with the rules that were seen on a real one, 1.20.2.

mod checks;
mod failure;
mod following;
mod replace;
mod time;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::sync::watch;

use checks::{allowed, missing, namespace, valid};
use failure::{Failure, details, failure};
use following::follow;
use replace::{merge, replace};
use time::seconds;

pub(crate) const NAMESPACE: &str = "billing";

#[derive(Clone)]
pub(crate) struct Server {
    table: Arc<Mutex<Table>>,
    version: Arc<watch::Sender<u64>>,
    frozen: Arc<watch::Sender<bool>>,
    /// How many requests are still told to come back later.
    busy: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Table {
    leases: BTreeMap<String, Value>,
    /// All that has happened, with its resource version.
    events: Vec<(u64, &'static str, Value)>,
    version: u64,
    uids: u64,
    /// What is older than that is not told any more.
    compacted: u64,
    /// It looks at no uid, as what stands before a server and keeps objects of its own may not.
    is_careless: bool,
}

type Answer = Result<(StatusCode, Value), Box<Failure>>;

impl Server {
    pub(crate) async fn start() -> (Self, SocketAddr) {
        let server = Self {
            table: Arc::default(),
            version: Arc::new(watch::Sender::new(0)),
            frozen: Arc::new(watch::Sender::new(false)),
            busy: Arc::default(),
        };
        let base = "/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases";
        let router = Router::new()
            .route(base, get(list).post(create))
            .route(
                &format!("{base}/{{name}}"),
                get(read).put(update).patch(patch).delete(delete),
            )
            .with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (server, addr)
    }

    /// Connections stay open, and nothing comes.
    pub(crate) fn freeze(&self, frozen: bool) {
        self.frozen.send_replace(frozen);
    }

    /// Tells so many requests to come back later.
    pub(crate) fn be_busy(&self, requests: usize) {
        self.busy.store(requests, Ordering::SeqCst);
    }

    /// From now on it looks at no uid.
    pub(crate) fn be_careless(&self) {
        self.table.lock().unwrap().is_careless = true;
    }

    pub(crate) fn delete(&self, name: &str) {
        let mut table = self.table.lock().unwrap();
        table.remove(name);
        let version = table.version;
        drop(table);
        self.version.send_replace(version);
    }

    pub(crate) fn compact(&self) {
        let mut table = self.table.lock().unwrap();
        table.compacted = table.version;
    }

    /// Writes into a lease, as somebody with `kubectl edit` does.
    pub(crate) fn edit(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        let mut table = self.table.lock().unwrap();
        let mut lease = table.leases[name].clone();
        edit(&mut lease);
        table.put(name, lease, "MODIFIED");
        let version = table.version;
        drop(table);
        self.version.send_replace(version);
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.table.lock().unwrap().leases.keys().cloned().collect()
    }

    pub(crate) fn lease(&self, name: &str) -> Value {
        self.table.lock().unwrap().leases[name].clone()
    }

    async fn thawed(&self) {
        self.frozen
            .subscribe()
            .wait_for(|frozen| !frozen)
            .await
            .ok();
    }

    async fn answer(&self, act: impl FnOnce(&mut Table) -> Answer) -> Response {
        self.thawed().await;
        let fewer = |busy: usize| busy.checked_sub(1);
        if self
            .busy
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer)
            .is_ok()
        {
            let busy = failure(429, "TooManyRequests", "too many requests", Value::Null);
            return ([("retry-after", "1")], *busy).into_response();
        }
        let (answer, version) = {
            let mut table = self.table.lock().unwrap();
            (act(&mut table), table.version)
        };
        self.version.send_replace(version);
        self.thawed().await;
        match answer {
            Ok((code, value)) => (code, axum::Json(value)).into_response(),
            Err(failure) => failure.into_response(),
        }
    }
}

impl Table {
    fn tell(&mut self, kind: &'static str, mut lease: Value) {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.events.push((self.version, kind, lease));
    }

    fn put(&mut self, name: &str, lease: Value, kind: &'static str) -> Value {
        self.tell(kind, lease);
        let (_, _, lease) = self.events.last().unwrap().clone();
        self.leases.insert(name.to_owned(), lease.clone());
        lease
    }

    fn remove(&mut self, name: &str) -> Option<Value> {
        let lease = self.leases.remove(name)?;
        self.tell("DELETED", lease.clone());
        Some(lease)
    }

    fn make(&mut self, name: &str, mut lease: Value, dry: Dry) -> Value {
        self.uids += 1;
        lease["metadata"]["uid"] = json!(format!("uid-{}", self.uids));
        lease["metadata"]["namespace"] = json!(NAMESPACE);
        lease["metadata"]["creationTimestamp"] = json!(seconds());
        match dry {
            Dry::Run => lease,
            Dry::No => self.put(name, lease, "ADDED"),
        }
    }
}

#[derive(Clone, Copy)]
enum Dry {
    Run,
    No,
}

type Parameters = BTreeMap<String, String>;

fn dry(query: &Parameters) -> Dry {
    if query.get("dryRun").is_some_and(|dry| dry == "All") {
        Dry::Run
    } else {
        Dry::No
    }
}

async fn read(
    State(server): State<Server>,
    Path((_, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let act = |table: &mut Table| {
        allowed(&headers, "get")?;
        let lease = table
            .leases
            .get(&name)
            .cloned()
            .ok_or_else(|| missing(&name))?;
        Ok((StatusCode::OK, lease))
    };
    server.answer(act).await
}

async fn create(
    State(server): State<Server>,
    Path(space): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let act = |table: &mut Table| {
        allowed(&headers, "create")?;
        namespace(&space)?;
        let lease = valid(&body)?;
        let name = lease["metadata"]["name"].as_str().unwrap().to_owned();
        if lease["metadata"]["resourceVersion"].is_string() {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(failure(500, "InternalError", message, Value::Null));
        }
        if table.leases.contains_key(&name) {
            let message = format!("leases.coordination.k8s.io \"{name}\" already exists");
            return Err(failure(409, "AlreadyExists", message, details(&name)));
        }
        Ok((StatusCode::CREATED, table.make(&name, lease, dry(&query))))
    };
    server.answer(act).await
}

async fn update(
    State(server): State<Server>,
    Path((space, name)): Path<(String, String)>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let act = |table: &mut Table| {
        allowed(&headers, "update")?;
        namespace(&space)?;
        let lease = valid(&body)?;
        replace(table, &name, lease, dry(&query))
    };
    server.answer(act).await
}

/// A merge patch: what it does not name stays, and it compares a version only if it bears one.
async fn patch(
    State(server): State<Server>,
    Path((space, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let act = |table: &mut Table| {
        allowed(&headers, "patch")?;
        namespace(&space)?;
        let old = table.leases.get(&name).ok_or_else(|| missing(&name))?;
        let bad =
            |error: serde_json::Error| failure(400, "BadRequest", error.to_string(), Value::Null);
        let mut merged = old.clone();
        merge(&mut merged, &serde_json::from_slice(&body).map_err(bad)?);
        let merged = valid(&Bytes::from(merged.to_string()))?;
        replace(table, &name, merged, Dry::No)
    };
    server.answer(act).await
}

async fn delete(
    State(server): State<Server>,
    Path((space, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let act = |table: &mut Table| {
        allowed(&headers, "delete")?;
        namespace(&space)?;
        let metadata = &table.leases.get(&name).ok_or_else(|| missing(&name))?["metadata"];
        let options: Value = serde_json::from_slice(&body).unwrap_or_default();
        for key in ["uid", "resourceVersion"] {
            let wanted = &options["preconditions"][key];
            if wanted.is_string() && *wanted != metadata[key] {
                let message = format!("Precondition failed: {key} in precondition");
                return Err(failure(409, "Conflict", message, details(&name)));
            }
        }
        table.remove(&name);
        Ok((
            StatusCode::OK,
            json!({ "kind": "Status", "apiVersion": "v1", "status": "Success" }),
        ))
    };
    server.answer(act).await
}

async fn list(
    State(server): State<Server>,
    Path(_): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    if query.contains_key("watch") {
        server.thawed().await;
        return match allowed(&headers, "watch") {
            Ok(()) => follow(server, &query),
            Err(failure) => failure.into_response(),
        };
    }
    let act = |table: &mut Table| {
        allowed(&headers, "list")?;
        let items: Vec<&Value> = table.leases.values().collect();
        let metadata = json!({ "resourceVersion": table.version.to_string() });
        let list = json!({ "kind": "LeaseList", "apiVersion": "coordination.k8s.io/v1", "metadata": metadata, "items": items });
        Ok((StatusCode::OK, list))
    };
    server.answer(act).await
}
