//! Clients that ask as fast as they can, on a connection for each request and on ones that are kept.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::{LIMIT, until};

/// The bytes of the shop's answer.
pub(crate) const LENGTH: usize = 4096;

/// Clients that go on until they are told to end.
pub(crate) struct Clients {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    served: AtomicUsize,
    failed: Mutex<Vec<String>>,
    is_over: AtomicBool,
}

/// What became of all requests.
pub(crate) struct Told {
    pub(crate) served: usize,
    pub(crate) failed: Vec<String>,
}

impl Clients {
    /// So many clients; every other one keeps its connection until it is told that it closes.
    pub(crate) fn of(port: u16, count: usize) -> Self {
        let shared = Arc::<Shared>::default();
        let client = |number: usize| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || ask_on(&shared, port, number % 2 == 1))
        };
        let threads = (0..count).map(client).collect();
        Self { shared, threads }
    }

    /// Waits until so many requests were answered.
    pub(crate) fn until(&self, served: usize) {
        until(&format!("{served} requests"), || {
            self.shared.served.load(Ordering::Relaxed) >= served
        });
    }

    pub(crate) fn end(self) -> Told {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        let failed = std::mem::take(&mut *self.shared.failed.lock().unwrap());
        Told {
            served: self.shared.served.load(Ordering::Relaxed),
            failed,
        }
    }
}

fn ask_on(shared: &Shared, port: u16, keeps: bool) {
    let mut kept = None;
    while !shared.is_over.load(Ordering::Relaxed) {
        let asked = match kept.take() {
            Some(connection) => Ok(connection),
            None => Connection::open(port),
        };
        match asked.and_then(|connection| connection.ask(keeps)) {
            Ok(connection) => {
                kept = connection;
                shared.served.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => shared.failed.lock().unwrap().push(error.to_string()),
        }
    }
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(LIMIT))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Asks for the long answer; gives the connection back where both sides keep it.
    fn ask(mut self, keeps: bool) -> io::Result<Option<Self>> {
        let wish = if keeps { "keep-alive" } else { "close" };
        let head = format!("GET / HTTP/1.1\r\nhost: shop\r\nconnection: {wish}\r\n\r\n");
        self.0.get_mut().write_all(head.as_bytes())?;
        let mut closes = !keeps;
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            if self.0.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            closes |= line.eq_ignore_ascii_case("connection: close\r\n");
        }
        let mut body = [0; LENGTH];
        self.0.read_exact(&mut body)?;
        Ok((!closes).then_some(self))
    }
}
