//! Synchronous code as a service: it has a thread of its own and asks now and then whether to stop.
//!
//! Run it: `cargo run --example 06_blocking_service`

use std::error::Error;
use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use startstop_core::{Context, Runner, Settings, blocking_fn};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(Duration::from_millis(20)))?;
    let addr = socket.local_addr()?;

    let service = blocking_fn(move |cx| echo(&socket, &cx));
    let runner = Runner::with_settings(service, Settings::new().name("udp-echo"));
    runner.start().await?;

    let client = tokio::net::UdpSocket::bind("127.0.0.1:0").await?;
    client.send_to(b"hello", addr).await?;
    let mut answer = [0; 64];
    let length = client.recv(&mut answer).await?;
    println!("{}", String::from_utf8_lossy(&answer[..length]));

    runner.stop().await?;
    println!("{}, {}", runner.state(), runner.wait().await);
    Ok(())
}

/// Nothing in here is async.
fn echo(socket: &UdpSocket, cx: &Context) -> io::Result<()> {
    let mut buffer = [0; 64];
    while !cx.is_cancelled() {
        match socket.recv_from(&mut buffer) {
            Ok((length, client)) => {
                let thread = thread::current().name().unwrap_or_default().to_owned();
                let text = String::from_utf8_lossy(&buffer[..length]);
                socket.send_to(format!("{text} from thread {thread}").as_bytes(), client)?;
            }
            // The read timeout, by the names that the systems have for it.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
