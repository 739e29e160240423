//! The database: a TCP server that answers a line with a line, and its client.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use startstop_core::{Context, Readiness, RestartPolicy, Service, Settings, Slot};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Values by key, with their versions.
type Rows = Mutex<HashMap<String, (u64, String)>>;

/// The server. Its rows outlive its attempts, as a disk would.
pub(crate) struct Db {
    rows: Arc<Rows>,
    client: Slot<Client>,
}

/// Where the database of this attempt is.
pub(crate) struct Client {
    addr: SocketAddr,
}

impl Db {
    pub(crate) fn new(client: Slot<Client>) -> Self {
        Self {
            rows: Arc::default(),
            client,
        }
    }
}

impl Service for Db {
    type Error = io::Error;

    async fn run(&self, cx: Context) -> io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        self.client.fill(
            &cx,
            Client {
                addr: listener.local_addr()?,
            },
        ); // now it is ready
        while let Some(accepted) = cx.run_until_cancelled(listener.accept()).await {
            cx.spawn(serve(accepted?.0, Arc::clone(&self.rows)));
        }
        Ok(())
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .readiness(Readiness::Explicit)
            .restart(RestartPolicy::on_failure())
    }
}

async fn serve(stream: TcpStream, rows: Arc<Rows>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut question = String::new();
    stream.read_line(&mut question).await?;
    let answer = answer(question.trim_end(), &rows);
    stream.write_all(format!("{answer}\n").as_bytes()).await
}

fn answer(question: &str, rows: &Rows) -> String {
    let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
    let mut words = question.splitn(3, ' ');
    let (verb, key, value) = (words.next(), words.next().unwrap_or_default(), words.next());
    match (verb, value, rows.get(key)) {
        (Some("set"), Some(value), row) => {
            let version = row.map_or(1, |(version, _)| version + 1);
            rows.insert(key.to_owned(), (version, value.to_owned()));
            version.to_string()
        }
        (Some("version"), None, Some((version, _))) => version.to_string(),
        (Some("get"), None, Some((_, value))) => value.clone(),
        _ => "error".to_owned(),
    }
}

impl Client {
    /// Asks one line: `set KEY VALUE`, `version KEY` or `get KEY`.
    pub(crate) async fn ask(&self, question: &str) -> io::Result<String> {
        let mut stream = BufReader::new(TcpStream::connect(self.addr).await?);
        stream.write_all(format!("{question}\n").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_line(&mut answer).await?;
        match answer.strip_suffix('\n') {
            Some("error") => Err(io::Error::other(format!("no answer to: {question}"))),
            Some(answer) => Ok(answer.to_owned()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
