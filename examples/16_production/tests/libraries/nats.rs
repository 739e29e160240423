//! async-nats 0.51.0, nats-server 2.9.10.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::{Client, RequestErrorKind};
use futures_util::StreamExt;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::timeout;

use crate::free_port::free_port;
use crate::servers::{LIMIT, until};

struct Nats {
    child: Child,
    url: String,
}

impl Nats {
    fn start() -> Self {
        let port = free_port();
        let mut command = Command::new("nats-server");
        command.args(["--addr", "127.0.0.1", "--port", &port.to_string()]);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            child,
            url: format!("nats://127.0.0.1:{port}"),
        }
    }

    async fn connect(&self) -> Client {
        until("the server answers", async || {
            async_nats::connect(&self.url).await.is_ok()
        })
        .await;
        async_nats::connect(&self.url).await.unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Returns once it does nothing any more.
    async fn freeze(&self) {
        self.signal(Signal::STOP);
        let path = format!("/proc/{}/stat", self.child.id());
        until("it is frozen", async || {
            std::fs::read_to_string(&path).is_ok_and(|stat| stat.contains(") T "))
        })
        .await;
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[tokio::test]
async fn a_request_that_timed_out_is_delivered_later() {
    let nats = Nats::start();
    let (client, worker) = (nats.connect().await, nats.connect().await);
    let mut jobs = worker.subscribe("jobs").await.unwrap();
    // The server knows of the worker.
    worker.publish("jobs", "first".into()).await.unwrap();
    timeout(LIMIT, jobs.next())
        .await
        .expect("it is delivered")
        .unwrap();
    // The server is away: for the client it is the same whether it is frozen or cut off.
    nats.freeze().await;
    let request = client.request("jobs", "pack".into());
    let late = timeout(Duration::from_secs(1), request).await;
    let gave_up = match &late {
        Err(_) => true,
        Ok(answer) => answer
            .as_ref()
            .is_err_and(|error| error.kind() == RequestErrorKind::TimedOut),
    };
    assert!(gave_up, "{late:?}");
    nats.signal(Signal::CONT);
    let job = timeout(LIMIT, jobs.next())
        .await
        .expect("it is delivered")
        .unwrap();
    assert_eq!(&job.payload[..], b"pack");
}
