//! SIGHUP: the configuration and the certificate are read again.

use std::fs;
use std::net::SocketAddr;

use reqwest::tls::TlsInfo;
use rustix::process::Signal;

use crate::certificates;
use crate::clients::{customer, url};
use crate::program::{MOTTO, Place};
use crate::servers::{Servers, until};

/// Returns the answer to a new connection; nothing if the certificate is another one.
async fn shown(addr: SocketAddr, certificate: &[u8]) -> Option<String> {
    let client = customer(addr, certificate).build().unwrap();
    let answer = client.get(url(addr, "/")).send().await.ok()?;
    let info: &TlsInfo = answer.extensions().get().unwrap();
    assert_eq!(info.peer_certificate(), Some(certificate));
    answer.text().await.ok()
}

#[tokio::test]
async fn a_reload_shows_the_new_certificate_and_one_that_fails_keeps_the_old() {
    let servers = Servers::start();
    let place = Place::new(&servers);
    let shop = place.open().await;
    let old = place.certificate.clone();
    assert_eq!(shown(place.web, &old).await.as_deref(), Some(MOTTO));
    // One that is open stays open.
    let open = customer(place.web, &old).build().unwrap();
    open.get(url(place.web, "/")).send().await.unwrap();

    let new = certificates::write(place.folder());
    place.write("motto = \"Half price\"");
    shop.signal(Signal::HUP);
    until("the new certificate is shown", async || {
        shown(place.web, &new).await.as_deref() == Some("Half price")
    })
    .await;
    assert_eq!(shown(place.web, &old).await, None);
    let answer = open.get(url(place.web, "/")).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "Half price");

    // Neither file can be read any more: both failures are told, and what was good goes on.
    place.write("moto = \"Free\"");
    fs::write(place.folder().join("tls.key"), "no key").unwrap();
    shop.signal(Signal::HUP);
    for (part, reason) in [("config", "unknown field `moto`"), ("web", "tls.key")] {
        until(&format!("{part} has failed: {reason}"), async || {
            place.status(part).await["last_failure"]
                .to_string()
                .contains(reason)
        })
        .await;
    }
    assert!(place.is_ready().await);
    assert_eq!(shown(place.web, &new).await.as_deref(), Some("Half price"));
    for part in ["config", "web"] {
        assert_eq!(
            place.status(part).await["attempts"],
            1,
            "nothing was restarted"
        );
    }
    assert_eq!(shop.stop().await, Some(0));
}
