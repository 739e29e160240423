//! The stand-in is honest: one test a rule, each seen on a real API server, 1.20.2.

use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use http::{Method, Request};
use kube::Client;
use kube::core::WatchEvent;
use serde_json::{Value, json};

use super::api::{NAMESPACE, Server};
use super::client;

const NOW: &str = "2026-11-29T08:00:00.000000Z";

type Events = Pin<Box<dyn Stream<Item = Result<WatchEvent<Value>, kube::Error>> + Send>>;

struct Asked(Client);

impl Asked {
    async fn start() -> (Server, Self) {
        let (server, addr) = Server::start().await;
        (server, Self(client(addr, "all")))
    }

    /// The code and what came with it.
    async fn ask(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let uri = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases{path}");
        let request = Request::builder().method(&method).uri(uri);
        let kind = match method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let request = request.header("content-type", kind);
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        match self.0.request::<Value>(request.body(body).unwrap()).await {
            Ok(value) => (200, value),
            Err(kube::Error::Api(error)) => (
                error.code,
                json!({ "reason": error.reason, "message": error.message }),
            ),
            Err(error) => panic!("{error}"),
        }
    }

    async fn watch(&self, query: &str) -> Events {
        let uri =
            format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases?watch=1&{query}");
        let request = Request::builder().uri(uri).body(Vec::new()).unwrap();
        Box::pin(self.0.request_events::<Value>(request).await.unwrap())
    }

    async fn post(&self, spec: Value) -> (u16, Value) {
        self.ask(Method::POST, "", lease("x", spec)).await
    }

    async fn put(&self, body: &Value) -> (u16, Value) {
        self.ask(Method::PUT, "/x", body.clone()).await
    }

    async fn made(&self) -> Value {
        let (code, made) = self
            .post(json!({ "holderIdentity": "a", "renewTime": NOW }))
            .await;
        assert_eq!(code, 200);
        made
    }
}

fn lease(name: &str, spec: Value) -> Value {
    json!({ "metadata": { "name": name }, "spec": spec })
}

#[track_caller]
fn assert_is(answer: &(u16, Value), code: u16, reason: &str) {
    assert_eq!(
        (answer.0, answer.1["reason"].as_str()),
        (code, Some(reason)),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_missing_one_is_not_found() {
    let (_server, api) = Asked::start().await;
    assert_is(
        &api.ask(Method::GET, "/x", Value::Null).await,
        404,
        "NotFound",
    );
}

#[tokio::test]
async fn one_that_is_made_has_uid_version_and_time_and_is_made_once() {
    let (_server, api) = Asked::start().await;
    let made = api.made().await;
    for key in ["uid", "resourceVersion", "creationTimestamp"] {
        assert!(made["metadata"][key].is_string(), "{key}");
    }
    assert_is(&api.post(json!({})).await, 409, "AlreadyExists");
    let mut versioned = lease("y", json!({}));
    versioned["metadata"]["resourceVersion"] = json!("1");
    assert_eq!(api.ask(Method::POST, "", versioned).await.0, 500);
    assert_is(
        &api.ask(Method::POST, "", lease("Y_", json!({}))).await,
        422,
        "Invalid",
    );
}

#[tokio::test]
async fn an_update_bears_the_version_and_the_name() {
    let (_server, api) = Asked::start().await;
    let made = api.made().await;
    let mut next = made.clone();
    next["spec"]["holderIdentity"] = json!("b");
    let (code, updated) = api.put(&next).await;
    assert_eq!(code, 200);
    assert_ne!(
        updated["metadata"]["resourceVersion"],
        made["metadata"]["resourceVersion"]
    );
    assert_is(&api.put(&next).await, 409, "Conflict");
    assert_is(&api.put(&lease("x", json!({}))).await, 422, "Invalid");
    assert_is(&api.put(&lease("y", json!({}))).await, 400, "BadRequest");
}

#[tokio::test]
async fn an_update_without_a_change_changes_no_version() {
    let (_server, api) = Asked::start().await;
    let made = api.made().await;
    let (_, again) = api.put(&made).await;
    assert_eq!(
        again["metadata"]["resourceVersion"],
        made["metadata"]["resourceVersion"]
    );
}

#[tokio::test]
async fn an_update_of_a_missing_one_makes_it_again_unless_it_bears_the_uid() {
    let (server, api) = Asked::start().await;
    let made = api.made().await;
    server.delete("x");
    assert_is(&api.put(&made).await, 409, "Conflict");
    let mut without = made.clone();
    without["metadata"].as_object_mut().unwrap().remove("uid");
    let (code, anew) = api.put(&without).await;
    assert_eq!(code, 200);
    assert_ne!(anew["metadata"]["uid"], made["metadata"]["uid"]);
    assert_is(&api.put(&made).await, 409, "Conflict");
}

#[tokio::test]
async fn times_have_exactly_six_decimals() {
    let (_server, api) = Asked::start().await;
    for time in [
        "2026-11-29T08:00:00.5Z",
        "2026-11-29T08:00:00Z",
        "2026-11-29T08:00:00.000000000Z",
    ] {
        assert_is(
            &api.post(json!({ "renewTime": time })).await,
            400,
            "BadRequest",
        );
    }
    assert_eq!(api.post(json!({ "renewTime": NOW })).await.0, 200);
}

#[tokio::test]
async fn a_time_with_an_offset_is_given_back_without() {
    let (_server, api) = Asked::start().await;
    let time = "2026-11-29T10:30:00.250000+02:30";
    let (code, made) = api.post(json!({ "renewTime": time })).await;
    assert_eq!(code, 200);
    assert_eq!(made["spec"]["renewTime"], "2026-11-29T08:00:00.250000Z");
    for time in [
        "2026-11-29T10:30:00.250000+0230",
        "2026-11-29T10:30:00.25+02:30",
        "2026-11-29T10:30:00.250000",
    ] {
        let answer = api.post(json!({ "renewTime": time })).await;
        assert_is(&answer, 400, "BadRequest");
    }
}

/// Why no store may use one: both are told that they have won.
#[tokio::test]
async fn a_merge_patch_without_a_version_is_applied_whoever_was_first() {
    let (_server, addr) = Server::start().await;
    let api = Asked(client(addr, "patcher"));
    let made = api.made().await;
    for candidate in ["b", "c"] {
        let patch = json!({ "spec": { "holderIdentity": candidate } });
        let (code, patched) = api.ask(Method::PATCH, "/x", patch).await;
        assert_eq!(code, 200);
        assert_eq!(patched["spec"]["holderIdentity"], candidate);
        assert_eq!(patched["spec"]["renewTime"], NOW, "the rest stays");
    }
    let version = &made["metadata"]["resourceVersion"];
    let patch =
        json!({ "metadata": { "resourceVersion": version }, "spec": { "holderIdentity": "d" } });
    assert_is(&api.ask(Method::PATCH, "/x", patch).await, 409, "Conflict");
    let patch = json!({ "spec": { "renewTime": null } });
    let (_, patched) = api.ask(Method::PATCH, "/x", patch).await;
    assert!(patched["spec"]["renewTime"].is_null(), "{patched}");
}

#[tokio::test]
async fn a_deletion_keeps_to_its_preconditions() {
    let (_server, addr) = Server::start().await;
    let api = Asked(client(addr, "shards"));
    let made = api.made().await;
    let delete = |uid: &Value, version: &Value| {
        let preconditions = json!({ "uid": uid, "resourceVersion": version });
        json!({ "preconditions": preconditions })
    };
    let metadata = &made["metadata"];
    for body in [
        delete(&json!("other"), &metadata["resourceVersion"]),
        delete(&metadata["uid"], &json!("0")),
    ] {
        assert_is(&api.ask(Method::DELETE, "/x", body).await, 409, "Conflict");
    }
    let body = delete(&metadata["uid"], &metadata["resourceVersion"]);
    assert_eq!(api.ask(Method::DELETE, "/x", body).await.0, 200);
    let again = api.ask(Method::DELETE, "/x", Value::Null).await;
    assert_is(&again, 404, "NotFound");
}

#[tokio::test]
async fn durations_and_transitions_are_whole_and_of_32_bits() {
    let (_server, api) = Asked::start().await;
    for (field, value, code) in [
        ("leaseDurationSeconds", json!(0), 422),
        ("leaseDurationSeconds", json!(1.5), 400),
        ("leaseTransitions", json!(-1), 422),
        ("leaseTransitions", json!(2_147_483_648_i64), 400),
    ] {
        assert_eq!(
            api.post(json!({ field: value })).await.0,
            code,
            "{field} {value}"
        );
    }
}

#[tokio::test]
async fn an_empty_holder_is_given_back_and_unknown_fields_are_dropped() {
    let (_server, api) = Asked::start().await;
    let (_, made) = api
        .post(json!({ "holderIdentity": "", "strategy": "x" }))
        .await;
    assert_eq!(made["spec"], json!({ "holderIdentity": "" }));
}

#[tokio::test]
async fn transitions_may_go_down() {
    let (_server, api) = Asked::start().await;
    let (_, mut made) = api.post(json!({ "leaseTransitions": 5 })).await;
    made["spec"]["leaseTransitions"] = json!(4);
    assert_eq!(api.put(&made).await.0, 200);
}

#[tokio::test]
async fn no_right_is_forbidden_and_no_known_token_unauthorized() {
    let (_server, addr) = Server::start().await;
    for (token, code, reason) in [
        ("nobody", 403, "Forbidden"),
        ("", 403, "Forbidden"),
        ("old", 401, "Unauthorized"),
    ] {
        let api = Asked(client(addr, token));
        assert_is(&api.ask(Method::GET, "/x", Value::Null).await, code, reason);
    }
}

#[tokio::test]
async fn a_watch_from_zero_begins_with_what_there_is() {
    let (_server, api) = Asked::start().await;
    let made = api.made().await;
    match api.watch("resourceVersion=0").await.next().await {
        Some(Ok(WatchEvent::Added(lease))) => assert_eq!(lease, made),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_watch_that_is_too_old_has_one_event_that_says_so() {
    let (server, api) = Asked::start().await;
    let made = api.made().await;
    api.ask(Method::PUT, "/x", lease_in(&made, "b")).await;
    server.compact();
    match api.watch("resourceVersion=1").await.next().await {
        Some(Ok(WatchEvent::Error(error))) => {
            assert_eq!((error.code, &*error.reason), (410, "Expired"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_watch_ahead_of_the_server_is_silent() {
    let (_server, api) = Asked::start().await;
    let mut watch = api.watch("resourceVersion=1000000").await;
    api.made().await;
    let told = tokio::time::timeout(Duration::from_millis(300), watch.next()).await;
    assert!(told.is_err(), "{told:?}");
}

#[tokio::test]
async fn a_watch_ends_after_its_seconds_without_an_event() {
    let (_server, api) = Asked::start().await;
    let told = api
        .watch("resourceVersion=0&timeoutSeconds=1")
        .await
        .next()
        .await;
    assert!(told.is_none(), "{told:?}");
}

fn lease_in(made: &Value, holder: &str) -> Value {
    let mut next = made.clone();
    next["spec"]["holderIdentity"] = json!(holder);
    next
}
