//! Services of different types behind one `Arc<dyn StartStop>`, started in order, stopped in reverse.
//!
//! Run it: `cargo run --example 10_set_of_services`

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use startstop_core::{Context, Runner, Settings, StartStop};
use startstop_core::{blocking_fn, every, once, service_fn};
use tokio::net::{TcpListener, UdpSocket};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let monitor = UdpSocket::bind("127.0.0.1:0").await?;
    let addr = monitor.local_addr()?;
    let beat = every(Duration::from_millis(5), move |_cx| async move {
        UdpSocket::bind("127.0.0.1:0")
            .await?
            .send_to(b"alive", addr)
            .await
            .map(drop)
    });
    let wait = blocking_fn(|cx| while !cx.cancelled_blocking(Duration::from_secs(1)) {});
    let resolve = once(async |_cx| tokio::net::lookup_host("127.0.0.1:80").await.map(drop));
    let broken = service_fn(async |_cx| Err::<(), _>("out of paper"));

    let services: Vec<Arc<dyn StartStop>> = vec![
        Arc::new(Runner::with_settings(
            resolve,
            Settings::new().name("resolver"),
        )),
        Arc::new(Runner::with_settings(
            service_fn(listen),
            Settings::new().name("listener"),
        )),
        Arc::new(Runner::with_settings(beat, Settings::new().name("heart"))),
        Arc::new(Runner::with_settings(wait, Settings::new().name("waiter"))),
        Arc::new(Runner::with_settings(
            broken,
            Settings::new().name("printer"),
        )),
    ];

    for service in &services {
        service.start().await?;
    }
    services[0].wait().await;
    services[4].wait().await;
    let mut message = [0; 5];
    monitor.recv(&mut message).await?;
    println!("the heart is {}", String::from_utf8_lossy(&message));
    for service in &services {
        println!("{:8}  {}", service.name(), service.state());
    }

    for service in services.iter().rev() {
        service.stop().await?;
    }
    for service in &services {
        let last = service
            .errors_last()
            .map(|failure| format!(": {}", failure.error()));
        println!(
            "{:8}  {}{}",
            service.name(),
            service.wait().await,
            last.unwrap_or_default()
        );
    }
    Ok(())
}

async fn listen(cx: Context) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    while let Some(client) = cx.run_until_cancelled(listener.accept()).await {
        drop(client?);
    }
    Ok(())
}
