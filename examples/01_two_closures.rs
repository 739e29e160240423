//! A TCP server made of two closures, one that starts it and one that stops it.
//!
//! Run it: `cargo run --example 01_two_closures`

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use startstop_core::{Runner, service_fn};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await?);
    let addr = listener.local_addr()?;

    let server = service_fn(move |_cx| serve(listener.clone()))
        .on_shutdown(move |_cx| async move { ask(addr, "quit").await.map(drop) });
    let runner = Runner::new(server);

    runner.start().await?;
    println!("{}", runner.state());
    println!("hello: {}", ask(addr, "hello").await?);

    runner.restart().await?;
    println!("hello again: {}", ask(addr, "hello again").await?);

    runner.stop().await?;
    println!("{}, {} errors", runner.state(), runner.errors_list().len());
    Ok(())
}

/// Answers each client in capital letters, until one says `quit`.
async fn serve(listener: Arc<TcpListener>) -> io::Result<()> {
    loop {
        let (mut client, _) = listener.accept().await?;
        let mut question = String::new();
        client.read_to_string(&mut question).await?;
        client.write_all(question.to_uppercase().as_bytes()).await?;
        if question == "quit" {
            return Ok(());
        }
    }
}

async fn ask(addr: SocketAddr, question: &str) -> io::Result<String> {
    let mut server = TcpStream::connect(addr).await?;
    server.write_all(question.as_bytes()).await?;
    server.shutdown().await?;
    let mut answer = String::new();
    server.read_to_string(&mut answer).await?;
    Ok(answer)
}
