//! Customers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use reqwest::{Certificate, Client, ClientBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::certificates::NAME;

/// A customer who knows the certificate.
pub(crate) fn customer(addr: SocketAddr, certificate: &[u8]) -> ClientBuilder {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let certificate = Certificate::from_der(certificate).unwrap();
    let builder = Client::builder()
        .resolve(NAME, addr)
        .tls_certs_only([certificate]);
    builder.timeout(Duration::from_secs(30)).tls_info(true)
}

/// The address of something in the shop.
pub(crate) fn url(addr: SocketAddr, path: &str) -> String {
    format!("https://{NAME}:{}{path}", addr.port())
}

/// Gives an order, and returns its number.
pub(crate) async fn order(client: &Client, addr: SocketAddr) -> Result<i64, String> {
    let request = client
        .post(url(addr, "/orders"))
        .json(&json!({"item": "lamp"}));
    let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
    let code = answer.status();
    let text = answer.text().await.map_err(|error| format!("{error:?}"))?;
    let taken: Value = serde_json::from_str(&text).map_err(|_| format!("{code}: {text}"))?;
    taken["id"].as_i64().ok_or(text)
}

/// Looks an order up.
pub(crate) async fn is_packed(client: &Client, addr: SocketAddr, id: i64) -> bool {
    let Ok(answer) = client.get(url(addr, &format!("/orders/{id}"))).send().await else {
        return false;
    };
    let found: Value = answer.json().await.unwrap_or_default();
    found["packed"] == true
}

/// A crowd that gives orders until it is sent home, each customer over a connection of their own.
pub(crate) struct Crowd {
    home: Arc<AtomicBool>,
    taken: Arc<AtomicU64>,
    customers: JoinSet<Result<(), String>>,
}

impl Crowd {
    /// Half of it speaks HTTP/2.
    pub(crate) fn of(size: usize, addr: SocketAddr, certificates: &[&[u8]]) -> Self {
        let (home, taken) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicU64::new(0)),
        );
        let mut customers = JoinSet::new();
        for number in 0..size {
            let builder = certificates
                .iter()
                .skip(1)
                .fold(customer(addr, certificates[0]), |builder, more| {
                    builder.tls_certs_merge([Certificate::from_der(more).unwrap()])
                });
            let builder = if number % 2 == 0 {
                builder.http1_only()
            } else {
                builder
            };
            let client = builder.build().unwrap();
            let (home, taken) = (Arc::clone(&home), Arc::clone(&taken));
            customers.spawn(async move {
                while !home.load(Ordering::Relaxed) {
                    order(&client, addr).await?;
                    taken.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                Ok(())
            });
        }
        Self {
            home,
            taken,
            customers,
        }
    }

    pub(crate) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Sends it home, and returns how many orders were taken. None may have failed.
    pub(crate) async fn go_home(self) -> u64 {
        self.home.store(true, Ordering::Relaxed);
        let failed: Vec<_> = self
            .customers
            .join_all()
            .await
            .into_iter()
            .filter_map(Result::err)
            .collect();
        assert_eq!(failed, [] as [String; 0]);
        self.taken.load(Ordering::Relaxed)
    }
}
