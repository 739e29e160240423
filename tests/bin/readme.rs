//! The first program of the README.

use startstop_core::{Context, Runner, service_fn};
use std::io;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runner = Runner::new(service_fn(serve).on_shutdown(async |_cx| println!("closing")));
    runner.start().await?;
    println!("{} is {}", runner.name(), runner.state());
    if let Err(error) = runner.stop().await {
        println!("{error:?}");
    }
    println!("{} is {}", runner.name(), runner.state());
    Ok(())
}

async fn serve(cx: Context) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    while let Some(client) = cx.run_until_cancelled(listener.accept()).await {
        println!("hello, {}", client?.1);
    }
    Err(io::Error::other("nobody came"))
}
