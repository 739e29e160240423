//! tokio-graceful-shutdown.

use std::convert::Infallible;
use std::time::Duration;
use tokio_graceful_shutdown::{SubsystemBuilder, SubsystemHandle, Toplevel};

async fn hello(_: &mut SubsystemHandle) -> Result<(), Infallible> {
    println!("hello");
    Ok(())
}

#[tokio::main]
async fn main() {
    let top = Toplevel::new(async |top: &mut SubsystemHandle| {
        top.start(SubsystemBuilder::new("hello", hello));
    });
    top.catch_signals().handle_shutdown_requests(Duration::from_secs(1)).await.expect("it ends");
}
