//! One of two programs of a kind, and whether it says that it is ready.

use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::free_port::free_port;
use crate::support::{LIMIT, Program, SHOP, until};

/// How often a balancer looks, which is told in time by a drain that is many times longer.
const EACH: Duration = Duration::from_millis(10);

pub(super) struct Replica {
    pub(super) port: u16,
    admin: u16,
    drain: u32,
    program: Mutex<Option<Program>>,
    is_ready: AtomicBool,
}

impl Replica {
    pub(super) fn new(drain: u32) -> Self {
        let (port, admin) = (free_port(), free_port());
        Self {
            port,
            admin,
            drain,
            program: Mutex::default(),
            is_ready: AtomicBool::new(false),
        }
    }

    pub(super) fn start(&self) {
        let mut command = Command::new(SHOP);
        command.env("SHOP_HTTP", format!("127.0.0.1:{}", self.port));
        command.env("SHOP_ADMIN", self.admin.to_string());
        command
            .env("SHOP_DRAIN", self.drain.to_string())
            .env_remove("NOTIFY_SOCKET");
        *self.program.lock().unwrap() = Some(Program::run(&mut command));
        self.until_ready();
    }

    /// Stops it in order, and starts it anew.
    pub(super) fn restart(&self) {
        let program = self.program.lock().unwrap().take().unwrap();
        assert_eq!(program.stop(), Some(0));
        self.start();
    }

    pub(super) fn is_ready(&self) -> bool {
        self.is_ready.load(Ordering::Relaxed)
    }

    pub(super) fn until_ready(&self) {
        until("it is ready", || self.is_ready());
    }

    /// Looks at its readiness for ever.
    pub(super) async fn look(&self) {
        loop {
            self.is_ready
                .store(self.says_so().await.unwrap_or(false), Ordering::Relaxed);
            sleep(EACH).await;
        }
    }

    async fn says_so(&self) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.admin)).await?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await?;
        let mut text = String::new();
        timeout(LIMIT, stream.read_to_string(&mut text)).await??;
        Ok(text.starts_with("HTTP/1.1 200"))
    }
}
