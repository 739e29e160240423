//! A service of one's own: a struct, its settings, and an error type made by `thiserror`.
//!
//! Run it: `cargo run --example 02_own_service`

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use startstop_core::{Context, Readiness, Runner, Service, Settings, StartError};
use tokio::net::UdpSocket;

/// Adds up the numbers in a datagram and sends back the sum.
struct Adder {
    addr: SocketAddr,
}

#[derive(Debug, thiserror::Error)]
enum AdderError {
    #[error("cannot listen on {addr}")]
    Bind { addr: SocketAddr, source: io::Error },
    #[error("cannot talk to a client")]
    Socket(#[from] io::Error),
}

impl Service for Adder {
    type Error = AdderError;

    async fn run(&self, cx: Context) -> Result<(), AdderError> {
        let addr = self.addr;
        let bound = UdpSocket::bind(addr).await;
        let socket = bound.map_err(|source| AdderError::Bind { addr, source })?;
        cx.ready(); // `start()` returns now
        let mut buffer = [0; 512];
        while let Some(datagram) = cx.run_until_cancelled(socket.recv_from(&mut buffer)).await {
            let (length, client) = datagram?;
            let text = String::from_utf8_lossy(&buffer[..length]);
            let sum: i64 = text.split_whitespace().flat_map(str::parse::<i64>).sum();
            socket.send_to(sum.to_string().as_bytes(), client).await?;
        }
        Ok(())
    }

    fn settings(&self) -> Settings {
        Settings::new().name("adder").readiness(Readiness::Explicit)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = UdpSocket::bind("127.0.0.1:0").await?;

    // The port of the client is taken: the service cannot become ready, and `start()` says why.
    let taken = Runner::new(Adder {
        addr: client.local_addr()?,
    });
    let Err(StartError::Failed(failure)) = taken.start().await else {
        unreachable!()
    };
    println!("{failure}");
    match failure.error().downcast_ref::<AdderError>() {
        Some(AdderError::Bind { source, .. }) => println!("  could not bind: {:?}", source.kind()),
        _ => println!("  something else"),
    }

    let addr = free_addr().await?;
    let runner = Runner::new(Adder { addr });
    runner.start().await?;
    client.send_to(b"1 2 39", addr).await?;
    let mut sum = [0; 16];
    let length = client.recv(&mut sum).await?;
    println!("1 2 39 make {}", String::from_utf8_lossy(&sum[..length]));
    runner.stop().await?;
    Ok(())
}

async fn free_addr() -> io::Result<SocketAddr> {
    UdpSocket::bind("127.0.0.1:0").await?.local_addr()
}
