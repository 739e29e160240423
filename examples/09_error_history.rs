//! The failures of a service that is restarted, read from its history.
//!
//! Run it: `cargo run --example 09_error_history`

use std::error::Error;
use std::io;
use std::time::Duration;

use startstop_core::{
    Backoff, BoxError, Context, Permanent, RestartPolicy, Runner, Settings, service_fn,
};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A port where nobody listens.
    let addr = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;

    let service = service_fn(move |cx: Context| async move {
        if cx.cycle() == 2 {
            // Says that a restart would be pointless.
            return Err::<(), BoxError>(Permanent::new("no configuration").into());
        }
        TcpStream::connect(addr).await?;
        Ok(())
    });
    let policy = RestartPolicy::on_failure()
        .backoff(Backoff::constant(Duration::from_millis(10)))
        .limit(2, Duration::from_secs(60));
    let settings = Settings::new()
        .name("client")
        .restart(policy)
        .history_capacity(3);
    let runner = Runner::with_settings(service, settings);

    runner.start().await?; // it is running: what happens to it after that is in its history
    println!(
        "cycle 1 {}, after {} restarts",
        runner.wait().await,
        runner.status().restarts()
    );
    for failure in runner.errors_list() {
        let kind = failure
            .error()
            .downcast_ref::<io::Error>()
            .map(io::Error::kind);
        println!("  {failure}: {kind:?}");
    }

    runner.start().await?;
    println!("cycle 2 {}", runner.wait().await);
    if let Some(last) = runner.errors_last() {
        println!("  {last:?}");
    }

    let history = runner.history();
    println!(
        "{} failures kept, {} dropped",
        history.entries().len(),
        history.evicted()
    );
    for failure in history.entries() {
        let (cycle, attempt) = (failure.cycle(), failure.attempt());
        println!("  cycle {cycle}, attempt {attempt}: {:?}", failure.cause());
    }
    Ok(())
}
