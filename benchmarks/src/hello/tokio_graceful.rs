//! tokio-graceful.

use tokio_graceful::Shutdown;

#[tokio::main]
async fn main() {
    let shutdown = Shutdown::new(async {});
    shutdown.spawn_task(async { println!("hello") });
    shutdown.shutdown().await;
}
