//! The addresses of a name.

use std::net::SocketAddr;

/// Returns the addresses of a name in an order that is always the same, of the family that the system prefers first; none if it
/// cannot be looked up.
#[cfg(feature = "postgres")]
pub(super) async fn sorted(name: &str, port: u16) -> Vec<SocketAddr> {
    let mut found = from_preferred(name, port).await;
    let prefers_v4 = found.first().is_some_and(SocketAddr::is_ipv4);
    found.sort_by_key(|address| (address.is_ipv4() != prefers_v4, *address));
    found
}

/// Returns them in an order that goes round in the same way each time, beginning with the one that the system prefers now.
pub(super) async fn from_preferred(name: &str, port: u16) -> Vec<SocketAddr> {
    let Ok(found) = tokio::net::lookup_host((name, port)).await else {
        return Vec::new();
    };
    let found: Vec<SocketAddr> = found.collect();
    let mut sorted = found.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let first = sorted
        .iter()
        .position(|address| found.first() == Some(address));
    sorted.rotate_left(first.unwrap_or_default());
    sorted
}
