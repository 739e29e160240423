//! A service that hangs: a stop aborts it at its deadline, says so, and the next start is clean.
//!
//! Run it: `cargo run --example 07_hung_service`

use std::error::Error;
use std::io;
use std::time::Duration;

use startstop_core::{Interruption, Runner, Settings, StopError, service_fn};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A peer that takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let addr = silent.local_addr()?;

    let service = service_fn(move |_cx| async move {
        let mut peer = TcpStream::connect(addr).await?;
        // The mistake: this should be inside of `cx.run_until_cancelled(..)`.
        peer.read_u8().await?;
        io::Result::Ok(())
    });
    let settings = Settings::new()
        .name("reader")
        .stop_timeout(Duration::from_millis(100));
    let runner = Runner::with_settings(service, settings);

    runner.start().await?;
    let (mut end, _) = silent.accept().await?;
    match runner.stop().await {
        Err(StopError::TimedOut) => println!("stop: it was aborted"),
        other => println!("stop: {other:?}"),
    }
    println!("{}, {}", runner.state(), runner.wait().await);
    if let Some(failure) = runner.errors_last() {
        let late = matches!(
            failure.error().downcast_ref(),
            Some(Interruption::StopTimedOut { .. })
        );
        println!("{failure}: {late}");
    }
    // Nothing of it is left: its socket is closed.
    println!(
        "bytes until the end of the connection: {}",
        end.read_to_end(&mut Vec::new()).await?
    );

    runner.start().await?;
    let _peer = silent.accept().await?;
    println!("{}, {} errors", runner.state(), runner.errors_list().len());
    runner.stop_within(Duration::ZERO).await?; // an abort that is asked for is no failure
    println!("{}, {}", runner.state(), runner.wait().await);
    Ok(())
}
