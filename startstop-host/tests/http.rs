//! A client that says what it wants to say, byte by byte.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(30);

/// An answer of the server.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no head: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            status,
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

/// Sends bytes on a connection of its own, and reads to its end.
pub(crate) async fn send(addr: SocketAddr, bytes: impl AsRef<[u8]>) -> Answer {
    timeout(LIMIT, async {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(bytes.as_ref()).await.unwrap();
        let mut answer = Vec::new();
        // A reset after the answer is no failure.
        let _ = stream.read_to_end(&mut answer).await;
        Answer::read(&String::from_utf8_lossy(&answer))
    })
    .await
    .expect("no answer")
}

pub(crate) async fn get(addr: SocketAddr, path: &str) -> Answer {
    ask(addr, "GET", path, "").await
}

/// `headers` are lines, each with its end.
pub(crate) async fn ask(addr: SocketAddr, method: &str, path: &str, headers: &str) -> Answer {
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n{headers}\r\n");
    send(addr, head).await
}

/// A stream of events that is read line by line.
pub(crate) struct Stream(TcpStream, Vec<u8>);

impl Stream {
    pub(crate) async fn open(addr: SocketAddr) -> Self {
        let mut stream = Self(TcpStream::connect(addr).await.unwrap(), Vec::new());
        stream
            .0
            .write_all(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n")
            .await
            .unwrap();
        assert!(stream.line().await.unwrap().contains("200"));
        // The first comment line says that the stream has begun.
        while stream.line().await.unwrap() != ":" {}
        stream
    }

    /// The next line; `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.1.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.1.drain(..=at).collect();
                return Some(String::from_utf8(line).unwrap().trim_end().to_owned());
            }
            let mut bytes = [0; 4096];
            let read = timeout(LIMIT, self.0.read(&mut bytes))
                .await
                .expect("no line");
            let read = read.unwrap_or(0);
            if read == 0 {
                return None;
            }
            self.1.extend_from_slice(&bytes[..read]);
        }
    }

    /// The next event that passes; the others are skipped. `None` at the end.
    pub(crate) async fn event(
        &mut self,
        passes: impl Fn(&serde_json::Value) -> bool,
    ) -> Option<serde_json::Value> {
        loop {
            let line = self.line().await?;
            let Some(json) = line.strip_prefix("data: ") else {
                continue;
            };
            let event = serde_json::from_str(json).unwrap();
            if passes(&event) {
                return Some(event);
            }
        }
    }
}
