//! A stand-in for the API server: leases of one namespace, with the rules that were seen on a real one, 1.20.2.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

pub(crate) const NAMESPACE: &str = "billing";

/// The verbs that a token may use.
const TOKENS: [(&str, &[&str]); 7] = [
    // The role of the docs.
    ("all", &["get", "list", "watch", "create", "update"]),
    (
        "shards",
        &["get", "list", "watch", "create", "update", "delete"],
    ),
    ("unlisted", &["get", "watch", "create", "update"]),
    ("patcher", &["get", "create", "patch"]),
    ("reader", &["get", "list", "watch"]),
    ("silent", &["get", "list", "create", "update"]),
    ("nobody", &[]),
];

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
}

type Answer = Result<(StatusCode, Value), Box<Failure>>;

pub(crate) struct Failure {
    code: u16,
    reason: &'static str,
    message: String,
    details: Value,
}

fn failure(
    code: u16,
    reason: &'static str,
    message: impl Into<String>,
    details: Value,
) -> Box<Failure> {
    Box::new(Failure {
        code,
        reason,
        message: message.into(),
        details,
    })
}

fn details(name: &str) -> Value {
    json!({ "name": name, "group": "coordination.k8s.io", "kind": "leases" })
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let code = StatusCode::from_u16(self.code).unwrap();
        (code, axum::Json(status(&self))).into_response()
    }
}

fn status(failure: &Failure) -> Value {
    let mut status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": failure.message, "reason": failure.reason, "code": failure.code,
    });
    if !failure.details.is_null() {
        status["details"] = failure.details.clone();
    }
    status
}

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

fn allowed(headers: &HeaderMap, verb: &str) -> Result<(), Box<Failure>> {
    let header = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let forbidden = |user: &str| {
        let message = format!(
            "leases.coordination.k8s.io is forbidden: User \"{user}\" cannot {verb} resource \"leases\" in API group \
             \"coordination.k8s.io\" in the namespace \"{NAMESPACE}\""
        );
        failure(403, "Forbidden", message, details(""))
    };
    let Some(token) = header.and_then(|value| value.strip_prefix("Bearer ")) else {
        return Err(forbidden("system:anonymous"));
    };
    let known = TOKENS.iter().find(|(known, _)| *known == token);
    let Some((user, verbs)) = known else {
        return Err(failure(401, "Unauthorized", "Unauthorized", Value::Null));
    };
    if verbs.contains(&verb) {
        Ok(())
    } else {
        Err(forbidden(user))
    }
}

fn namespace(name: &str) -> Result<(), Box<Failure>> {
    if name == NAMESPACE {
        return Ok(());
    }
    let details = json!({ "name": name, "kind": "namespaces" });
    Err(failure(
        404,
        "NotFound",
        format!("namespaces \"{name}\" not found"),
        details,
    ))
}

fn missing(name: &str) -> Box<Failure> {
    let message = format!("leases.coordination.k8s.io \"{name}\" not found");
    failure(404, "NotFound", message, details(name))
}

/// Drops what is not known, and checks the rest.
fn valid(body: &Bytes) -> Result<Value, Box<Failure>> {
    let bad = |message: String| failure(400, "BadRequest", message, Value::Null);
    let lease: Value = serde_json::from_slice(body).map_err(|error| bad(error.to_string()))?;
    let name = lease["metadata"]["name"].as_str().unwrap_or_default();
    let invalid = |message: &str| {
        let message = format!("Lease.coordination.k8s.io \"{name}\" is invalid: {message}");
        failure(422, "Invalid", message, details(name))
    };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if name.is_empty() || !name.chars().all(|c| plain(c) || "-.".contains(c)) {
        return Err(invalid("metadata.name"));
    }
    let mut spec = json!({});
    let fields = lease["spec"].as_object().cloned().unwrap_or_default();
    for (key, mut value) in fields.into_iter().filter(|(_, value)| !value.is_null()) {
        match key.as_str() {
            "acquireTime" | "renewTime" => {
                let time = value.as_str().unwrap_or_default();
                let time = micro_time(time);
                value = time.ok_or_else(|| bad(format!("parsing time {value}")))?;
            }
            "leaseDurationSeconds" | "leaseTransitions" => {
                let number = value
                    .as_i64()
                    .filter(|number| i32::try_from(*number).is_ok());
                let number = number.ok_or_else(|| bad(format!("{key}: {value}")))?;
                let least = i64::from(key == "leaseDurationSeconds");
                if number < least {
                    return Err(invalid(&format!("spec.{key}: must be greater")));
                }
            }
            "holderIdentity" => {}
            _ => continue,
        }
        spec[key] = value;
    }
    Ok(json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": lease["metadata"].clone(), "spec": spec,
    }))
}

/// Exactly six decimals, and `Z` or an offset: given back as `Z`.
fn micro_time(time: &str) -> Option<Value> {
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let shape: String = time.chars().map(digits).collect();
    match shape.strip_prefix("0000-00-00T00:00:00.000000")? {
        "Z" => Some(json!(time)),
        "+00:00" | "-00:00" => Some(json!(date(time, "+%Y-%m-%dT%H:%M:%S.%6NZ"))),
        _ => None,
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

fn replace(table: &mut Table, name: &str, mut lease: Value, dry: Dry) -> Answer {
    if lease["metadata"]["name"] != json!(name) {
        let message = "the name of the object does not match the name on the URL";
        return Err(failure(400, "BadRequest", message, Value::Null));
    }
    let conflict = |why: &str| {
        let message = format!(
            "Operation cannot be fulfilled on leases.coordination.k8s.io \"{name}\": {why}"
        );
        failure(409, "Conflict", message, details(name))
    };
    let (uid, version) = (
        &lease["metadata"]["uid"],
        &lease["metadata"]["resourceVersion"],
    );
    let Some(old) = table.leases.get(name).cloned() else {
        if uid.is_string() {
            return Err(conflict("Precondition failed: UID in precondition"));
        }
        if !version.is_string() {
            return Err(failure(
                422,
                "Invalid",
                "must be specified for an update",
                details(name),
            ));
        }
        // It is made again.
        return Ok((StatusCode::CREATED, table.make(name, lease, dry)));
    };
    if !version.is_string() {
        let message =
            "metadata.resourceVersion: Invalid value: 0x0: must be specified for an update";
        return Err(failure(422, "Invalid", message, details(name)));
    }
    if uid.is_string() && *uid != old["metadata"]["uid"] {
        return Err(conflict("Precondition failed: UID in precondition"));
    }
    if *version != old["metadata"]["resourceVersion"] {
        return Err(conflict("the object has been modified"));
    }
    for key in ["uid", "creationTimestamp", "namespace"] {
        lease["metadata"][key] = old["metadata"][key].clone();
    }
    if lease == old {
        return Ok((StatusCode::OK, old)); // no change: no version, no event
    }
    match dry {
        Dry::Run => Ok((StatusCode::OK, lease)),
        Dry::No => Ok((StatusCode::OK, table.put(name, lease, "MODIFIED"))),
    }
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

/// RFC 7386.
fn merge(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in fields {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(&mut target[key], value);
        }
    }
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

/// A stream of events, a line of JSON each.
fn follow(server: Server, query: &Parameters) -> Response {
    let selector = query.get("fieldSelector").cloned().unwrap_or_default();
    let name = selector.strip_prefix("metadata.name=").map(str::to_owned);
    let from: u64 = query
        .get("resourceVersion")
        .and_then(|from| from.parse().ok())
        .unwrap_or(0);
    let seconds = query
        .get("timeoutSeconds")
        .and_then(|limit| limit.parse().ok())
        .unwrap_or(300);
    let limit = Duration::from_secs(seconds);
    let (lines, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        tokio::time::timeout(limit, tell(server, name, from, lines))
            .await
            .ok();
    });
    let body = stream::unfold(receiver, |mut receiver| async {
        let line = receiver.recv().await?;
        Some((Ok::<String, Infallible>(line), receiver))
    });
    Response::new(Body::from_stream(body))
}

/// From 0 on the present state comes first; what is too old is an error, and what is ahead is silence.
async fn tell(
    server: Server,
    name: Option<String>,
    from: u64,
    lines: mpsc::UnboundedSender<String>,
) {
    let wanted = |lease: &Value| {
        name.as_deref()
            .is_none_or(|name| lease["metadata"]["name"] == name)
    };
    let line =
        |kind: &str, object: &Value| format!("{}\n", json!({ "type": kind, "object": object }));
    let mut news = server.version.subscribe();
    let mut seen = from;
    {
        let table = server.table.lock().unwrap();
        if from == 0 {
            for lease in table.leases.values().filter(|lease| wanted(lease)) {
                lines.send(line("ADDED", lease)).ok();
            }
            seen = table.version;
        } else if from < table.compacted {
            let old = failure(410, "Expired", "too old resource version", Value::Null);
            lines.send(line("ERROR", &status(&old))).ok();
            return;
        }
    }
    loop {
        server.thawed().await;
        {
            let table = server.table.lock().unwrap();
            for (version, kind, lease) in &table.events {
                if *version > seen && wanted(lease) {
                    lines.send(line(kind, lease)).ok();
                }
            }
            seen = seen.max(table.version);
        }
        tokio::select! {
            changed = news.changed() => if changed.is_err() { return },
            () = lines.closed() => return,
        }
    }
}

/// Whole seconds.
fn seconds() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    date(&format!("@{now}"), "+%Y-%m-%dT%H:%M:%SZ")
}

/// A time in another form.
fn date(time: &str, form: &str) -> String {
    let output = std::process::Command::new("date")
        .args(["-u", "-d", time, form])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
