//! The shop as a child process.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::certificates;
use crate::free_port::free_port;
use crate::servers::{Folder, Servers, until};

pub(crate) const SHOP: &str = env!("CARGO_BIN_EXE_shop");
pub(crate) const MOTTO: &str = "Everything must go";

/// The settings of one copy of the shop.
pub(crate) struct Place {
    pub(crate) web: SocketAddr,
    admin: SocketAddr,
    folder: Folder,
    /// The certificate that it shows first.
    pub(crate) certificate: Vec<u8>,
    servers: (String, String),
}

impl Place {
    pub(crate) fn new(servers: &Servers) -> Self {
        let folder = Folder::new();
        let certificate = certificates::write(folder.path());
        let addr = || SocketAddr::from(([127, 0, 0, 1], free_port()));
        let servers = (servers.database.clone(), servers.cache.clone());
        let place = Self {
            web: addr(),
            admin: addr(),
            folder,
            certificate,
            servers,
        };
        place.write(&format!("motto = \"{MOTTO}\""));
        place
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the configuration; the last line is given.
    pub(crate) fn write(&self, last: &str) {
        let folder = self.folder().display();
        let (database, redis) = &self.servers;
        let text = format!(
            "listen = \"{}\"\nadmin = \"{}\"\nhandover = \"{folder}/handover\"\n\
             database = \"{database}\"\nredis = \"{redis}\"\n\
             certificate = \"{folder}/tls.crt\"\nkey = \"{folder}/tls.key\"\ndrain = 1500\n{last}\n",
            self.web, self.admin
        );
        fs::write(self.config(), text).unwrap();
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder().join("shop.toml")
    }

    /// Runs a copy, and does not wait until it is ready.
    pub(crate) fn run(&self) -> Copy {
        let path = self.folder().join("log");
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        let child = Command::new(SHOP)
            .arg(self.config())
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stderr(log.try_clone().unwrap())
            .stdout(log)
            .spawn()
            .unwrap();
        Copy(child)
    }

    pub(crate) async fn open(&self) -> Copy {
        let copy = self.run();
        self.until_ready().await;
        copy
    }

    /// The code and the body of what the admin port answers; nothing if it does not.
    pub(crate) async fn probe(&self, path: &str) -> Option<(u16, String)> {
        let ask = async {
            let mut stream = TcpStream::connect(self.admin).await.ok()?;
            let head = format!("GET {path} HTTP/1.0\r\nhost: {}\r\n\r\n", self.admin);
            stream.write_all(head.as_bytes()).await.ok()?;
            let mut text = String::new();
            stream.read_to_string(&mut text).await.ok()?;
            let (head, body) = text.split_once("\r\n\r\n")?;
            Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
        };
        timeout(Duration::from_secs(5), ask).await.ok()?
    }

    pub(crate) async fn is_ready(&self) -> bool {
        self.probe("/readyz")
            .await
            .is_some_and(|(code, _)| code == 200)
    }

    pub(crate) async fn until_ready(&self) {
        until("the shop is ready", async || self.is_ready().await).await;
    }

    /// Waits until it is not ready, for a reason that contains this.
    pub(crate) async fn until_not_ready(&self, reason: &str) {
        until(&format!("it is not ready: {reason}"), async || {
            let answer = self.probe("/readyz").await;
            answer.is_some_and(|(code, text)| code == 503 && text.contains(reason))
        })
        .await;
    }

    /// The status of a part, by its name.
    pub(crate) async fn status(&self, part: &str) -> Value {
        let (_, text) = self.probe("/status").await.expect("it answers");
        let whole: Value = serde_json::from_str(&text).unwrap();
        let parts = whole["children"].as_array().unwrap();
        parts
            .iter()
            .find(|found| found["name"] == part)
            .expect("there is such a part")
            .clone()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder().join("log")).unwrap()
    }
}

/// A running shop. It is killed with it.
pub(crate) struct Copy(Child);

impl Copy {
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Waits for its end, and returns its exit code.
    pub(crate) async fn code(&mut self) -> Option<i32> {
        let child = &mut self.0;
        until("the shop has ended", async || {
            child.try_wait().unwrap().is_some()
        })
        .await;
        child.wait().unwrap().code()
    }

    pub(crate) async fn stop(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.code().await
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
