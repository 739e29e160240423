//! The health of the parts by gRPC, as a balancer asks for it: by hand, for it is a frame in a request of HTTP/2.

use reqwest::{Client, Response};

use crate::clients::{customer, url};
use crate::program::Place;
use crate::servers::{Servers, until};

const SERVING: u8 = 1;
const NOT_SERVING: u8 = 2;
/// The code of gRPC for a name that nobody knows.
const NOT_FOUND: &str = "5";

/// Not compressed, how long the message is, and the message: its first field, the name.
fn question(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    let mut frame = vec![0, 0, 0, 0, length + 2, 0x0a, length];
    frame.extend(name.bytes());
    frame
}

fn answer(frame: &[u8]) -> u8 {
    assert_eq!(frame[..6], [0, 0, 0, 0, 2, 0x08]);
    frame[6]
}

async fn ask(client: &Client, place: &Place, call: &str, name: &str) -> Response {
    let request = client
        .post(url(place.web, &format!("/grpc.health.v1.Health/{call}")))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(question(name));
    request.send().await.unwrap()
}

async fn check(client: &Client, place: &Place, name: &str) -> Result<u8, String> {
    let response = ask(client, place, "Check", name).await;
    // Where there is no message, the code is in the head.
    if let Some(code) = response.headers().get("grpc-status") {
        return Err(code.to_str().unwrap().to_owned());
    }
    Ok(answer(&response.bytes().await.unwrap()))
}

async fn next(watch: &mut Response) -> Option<u8> {
    Some(answer(&watch.chunk().await.unwrap()?))
}

#[tokio::test]
async fn the_parts_are_asked_for_by_grpc_and_a_watch_ends_with_the_stop() {
    let mut servers = Servers::start();
    let place = Place::new(&servers);
    let shop = place.open().await;
    let client = customer(place.web, &place.certificate).build().unwrap();
    for name in ["", "livez", "shop", "shop/db", "shop/web"] {
        assert_eq!(check(&client, &place, name).await, Ok(SERVING), "{name}");
    }
    let unknown = check(&client, &place, "shop/nothing").await;
    assert_eq!(unknown, Err(NOT_FOUND.to_owned()));

    let mut watch = ask(&client, &place, "Watch", "").await;
    assert_eq!(next(&mut watch).await, Some(SERVING));
    servers.redis.kill();
    assert_eq!(next(&mut watch).await, Some(NOT_SERVING));
    until("the part itself says so", async || {
        check(&client, &place, "shop/cache").await == Ok(NOT_SERVING)
    })
    .await;
    assert_eq!(check(&client, &place, "livez").await, Ok(SERVING));
    servers.redis.start_again();
    assert_eq!(next(&mut watch).await, Some(SERVING));

    let ends = async {
        assert_eq!(next(&mut watch).await, Some(NOT_SERVING), "it drains");
        assert_eq!(next(&mut watch).await, None);
    };
    let (code, ()) = tokio::join!(shop.stop(), ends);
    assert_eq!(code, Some(0));
}
