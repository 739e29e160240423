//! A program that is replaced by another process of it: `PATH ADDR NUMBER [dies|waits|falls-back|starves]`. It answers each request with its
//! number.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, setrlimit};
use startstop_core::{Context, Readiness, Service, Settings};
use startstop_host::{Handover, Host, Sockets};
use tokio::net::TcpListener;

fn main() -> io::Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let handover = match Handover::at(&args[0]) {
        Err(error) if args.get(3).is_some_and(|act| act == "falls-back") => {
            return fall_back(&error);
        }
        handover => handover?,
    };
    let listener = handover.listen("http", &*args[1])?;
    println!("at {}", listener.local_addr()?);
    let server = Server {
        listener,
        number: args[2].clone(),
        act: args.get(3).cloned(),
    };
    let host = Host::new(server).handover(handover);
    #[cfg(feature = "notify")]
    let host = host.notify();
    Ok(host.main())
}

/// Shows that the sockets of a service manager are still there.
fn fall_back(error: &io::Error) -> io::Result<ExitCode> {
    println!("{}", error.kind());
    let listener = Sockets::from_env().tcp_or_bind("http", "127.0.0.1:0")?;
    println!("at {}", listener.local_addr()?);
    Ok(ExitCode::SUCCESS)
}

struct Server {
    listener: std::net::TcpListener,
    number: String,
    act: Option<String>,
}

impl Service for Server {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let listener = TcpListener::from_std(self.listener.try_clone()?)?;
        match self.act.as_deref() {
            Some("dies") => return Err(io::Error::other("no licence")),
            Some("waits") => {
                let line = tokio::task::spawn_blocking(|| drop(io::stdin().lines().next()));
                line.await.map_err(io::Error::other)?;
            }
            _ => {}
        }
        cx.ready();
        println!("ready");
        if self.act.as_deref() == Some("starves") {
            let starving = tokio::task::spawn_blocking(starve);
            cx.spawn(async move { starving.await.map_err(io::Error::other)? });
        }
        let number = Arc::<str>::from(&*self.number);
        while let Some(client) = cx.run_until_cancelled(listener.accept()).await {
            let (client, number) = (client?.0.into_std()?, Arc::clone(&number));
            let answered = tokio::task::spawn_blocking(move || answer(client, &number));
            cx.spawn(async move { answered.await.map_err(io::Error::other)? });
        }
        cx.join_tasks().await;
        Ok(())
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .name("web")
            .readiness(Readiness::Explicit)
            .drain(Duration::from_millis(50))
    }
}

/// Takes all descriptors after a line, until another one comes.
fn starve() -> io::Result<()> {
    let few = Rlimit {
        current: Some(100),
        maximum: Some(100),
    };
    setrlimit(Resource::Nofile, few)?;
    io::stdin().lines().next();
    let null = || std::fs::File::open("/dev/null").ok();
    let all: Vec<_> = std::iter::from_fn(null).collect();
    println!("starves");
    io::stdin().lines().next();
    drop(all);
    Ok(())
}

fn answer(mut client: TcpStream, number: &str) -> io::Result<()> {
    client.set_nonblocking(false)?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.extend(byte);
    }
    let length = number.len();
    write!(
        client,
        "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{number}"
    )
}
