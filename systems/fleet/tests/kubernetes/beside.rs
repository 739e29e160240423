//! Candidates of client-go beside ours on one lease: what they write, and what they look at.

use std::time::Duration;

use serde_json::{Value, json};
use startstop_fleet::{Claim, LeaseStore};

use super::api::Server;
use super::store;

/// Replaces the whole spec, as client-go does each time.
fn write(server: &Server, holder: &str, seconds: u32, transitions: &Value) {
    let now = "2026-11-29T08:00:00.000000Z";
    server.edit("invoices", |lease| {
        lease["spec"] = json!({
            "holderIdentity": holder, "leaseDurationSeconds": seconds, "acquireTime": now, "renewTime": now,
            "leaseTransitions": transitions,
        });
    });
}

#[tokio::test]
async fn candidates_of_client_go_take_turns_with_ours() {
    let (server, addr) = Server::start().await;
    let store = store(addr, "all");
    let held = super::taken(&store).await;
    let released = store.release("invoices", &held).await.unwrap();
    assert!(released.is_free());

    // It takes what has no holder, counts, and renews for 20 s each time.
    let ours = server.lease("invoices")["spec"].clone();
    assert_eq!(ours["holderIdentity"], "");
    let transitions = json!(ours["leaseTransitions"].as_u64().unwrap() + 1);
    write(&server, "client-go_7", 20, &transitions);
    let theirs = store.read("invoices").await.unwrap();
    assert_eq!(theirs.holder(), Some("client-go_7"));
    assert_eq!(theirs.lease(), Some(Duration::from_secs(20)));
    assert!(theirs.fence() > held.fence());

    // At its end it leaves no holder and a second.
    write(&server, "", 1, &transitions);
    let told = store.changed("invoices", theirs.version()).await.unwrap();
    let free = told.expect("it is told");
    assert!(free.is_free());
    let claim = Claim::new("b", Duration::from_millis(14_500));
    let taken = store
        .take("invoices", &claim, free.version())
        .await
        .unwrap();
    assert!(taken.fence() > theirs.fence());

    // It believes that a lease goes on whose times change, for as long as it says.
    let before = server.lease("invoices")["spec"].clone();
    assert_eq!(before["leaseDurationSeconds"], 15);
    store.renew("invoices", &taken).await.unwrap();
    let after = server.lease("invoices")["spec"].clone();
    assert_ne!(after["renewTime"], before["renewTime"]);
    assert_eq!(after["acquireTime"], before["acquireTime"]);
    assert_eq!(after["leaseTransitions"], before["leaseTransitions"]);
}
