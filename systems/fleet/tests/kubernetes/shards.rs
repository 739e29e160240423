//! What processes leave behind whose shards are others' now.

use startstop_fleet::LeaseStore;

use super::api::Server;
use super::store;
use crate::shards::{process, until};

fn members(server: &Server) -> usize {
    let names = server.names();
    let members = names
        .iter()
        .filter(|name| name.starts_with("orders.members."));
    members.count()
}

#[tokio::test]
async fn what_processes_leave_behind_is_deleted_by_those_that_live() {
    let (server, addr) = Server::start().await;
    let stays = process(store(addr, "shards"));
    stays.start().await.unwrap();
    for _ in 0..3 {
        let goes = process(store(addr, "shards"));
        goes.start().await.unwrap();
        goes.stop().await.unwrap();
    }
    until("one member is left", async || members(&server) == 1).await;
    stays.stop().await.unwrap();
    let left = server.names();
    let shards = left
        .iter()
        .filter(|name| name.starts_with("orders.shards."))
        .count();
    assert_eq!(shards, 4, "their fences go on: {left:?}");
}

#[tokio::test]
async fn without_the_right_to_delete_they_stay_and_that_is_said_once() {
    let (server, addr) = Server::start().await;
    let stays = process(store(addr, "all"));
    let mut events = stays.events();
    stays.start().await.unwrap();
    for _ in 0..2 {
        let goes = process(store(addr, "all"));
        goes.start().await.unwrap();
        goes.stop().await.unwrap();
    }
    let said = async {
        loop {
            let event = format!("{:?}", events.next().await.unwrap());
            if event.contains("the leases of processes that are gone stay") {
                return event;
            }
        }
    };
    let said = tokio::time::timeout(std::time::Duration::from_secs(60), said)
        .await
        .unwrap();
    assert!(said.contains("cannot delete resource"), "{said}");
    let mut owned = stays.service().owned();
    owned.wait_for(|owned| owned.len() == 4).await.unwrap();
    assert_eq!(members(&server), 3);
    stays.stop().await.unwrap();
}

/// A leader lists nothing, so only shards need the right to.
#[tokio::test]
async fn shards_are_refused_without_the_right_to_list() {
    let (_server, addr) = Server::start().await;
    store(addr, "unlisted").check("invoices").await.unwrap();
    let error = process(store(addr, "unlisted")).start().await.unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("cannot list resource"), "{text}");
}
