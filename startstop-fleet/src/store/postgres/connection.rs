//! One connection: closed, and its call with it, when it is dropped.

use std::error::Error as _;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Row, Socket};

use super::heard::Heard;
use super::hosts;
use crate::store::StoreError;
use crate::store::turn::{Asked, Turn};

/// A number that is not known yet.
type Counting<'a> = Pin<Box<dyn Future<Output = usize> + Send + 'a>>;

type Connecting<'a> = Pin<Box<dyn Future<Output = Result<Connection, StoreError>> + Send + 'a>>;

pub(super) type Parameters<'a> = [(&'a (dyn ToSql + Sync), Type)];

type Cancelling = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A setting of the session that means nothing to the server: whether it is there tells who answers.
pub(super) const MARK: &str = "startstop.listener";

pub(super) trait Connect: Send + Sync {
    /// Returns how many addresses all hosts have together.
    fn addresses(&self) -> Counting<'_>;

    fn connect(&self) -> Connecting<'_>;

    /// Returns a connection of its own that hands on what is told there, and of which the server knows the mark if nothing
    /// stands between.
    fn listen<'a>(&'a self, mark: &'a str, heard: Arc<Heard>) -> Connecting<'a>;
}

pub(super) struct Connection {
    client: Client,
    /// Reads and writes for the client.
    driver: JoinHandle<()>,
    /// Which host it leads to, and which of the addresses of that.
    place: Place,
    cancel: Box<dyn Fn() -> Cancelling + Send + Sync>,
}

/// Which of the hosts, and which of its addresses.
#[derive(Clone)]
pub(super) struct Place {
    host: Step,
    address: Step,
}

/// Which of how many, and whose turn it is.
#[derive(Clone)]
struct Step {
    turn: Turn,
    at: usize,
    count: usize,
}

impl Step {
    fn ask(&self) -> Asked {
        self.turn.ask(self.at, self.count)
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        (self.host.at, self.address.at) == (other.host.at, other.address.at)
    }
}

impl Place {
    fn ask(&self) -> AskedPlace {
        AskedPlace {
            host: self.host.ask(),
            address: self.address.ask(),
        }
    }
}

/// A host that is asked, at one of its addresses.
pub(super) struct AskedPlace {
    host: Asked,
    address: Asked,
}

impl AskedPlace {
    pub(super) fn answered(self) {
        self.host.answered();
        self.address.answered();
    }
}

struct Connector<T> {
    /// One for each host, with the turn among its addresses.
    hosts: Vec<(Config, Turn)>,
    turn: Turn,
    tls: T,
}

pub(super) fn connector<T>(config: &Config, tls: T) -> impl Connect + use<T>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let hosts = hosts::each(config).into_iter();
    let hosts = hosts.map(|host| (host, Turn::default())).collect();
    let turn = Turn::default();
    Connector { hosts, turn, tls }
}

impl<T> Connector<T>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    /// Connects to the first host that lets us, and has `drive` read and write for it.
    async fn open(
        &self,
        alter: impl Fn(&mut Config) + Send,
        drive: impl FnOnce(tokio_postgres::Connection<Socket, T::Stream>) -> JoinHandle<()> + Send,
    ) -> Result<Connection, StoreError> {
        let mut failed = None;
        for at in self.turn.order(self.hosts.len()) {
            let (config, turn) = &self.hosts[at];
            let host = Step {
                turn: self.turn.clone(),
                at,
                count: self.hosts.len(),
            };
            let asked = host.ask();
            let addresses = hosts::addresses(config).await;
            for at in turn.order(addresses.len()) {
                let address = Step {
                    turn: turn.clone(),
                    at,
                    count: addresses.len(),
                };
                let asked_address = address.ask();
                let mut config = addresses[at].clone();
                alter(&mut config);
                match config.connect(self.tls.clone()).await {
                    Ok((client, connection)) => {
                        asked.answered();
                        asked_address.answered();
                        return Ok(Connection {
                            cancel: self.cancel(&client),
                            client,
                            driver: drive(connection),
                            place: Place { host, address },
                        });
                    }
                    Err(error) => failed = Some(said(error)),
                }
            }
        }
        Err(failed.unwrap_or_else(|| StoreError::unavailable("no host")))
    }

    fn cancel(&self, client: &Client) -> Box<dyn Fn() -> Cancelling + Send + Sync> {
        let (token, tls) = (client.cancel_token(), self.tls.clone());
        Box::new(move || {
            let (token, tls) = (token.clone(), tls.clone());
            Box::pin(async move { drop(token.cancel_query(tls).await) })
        })
    }
}

impl<T> Connect for Connector<T>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn addresses(&self) -> Counting<'_> {
        Box::pin(async {
            let mut count = 0;
            for (config, _) in &self.hosts {
                count += hosts::addresses(config).await.len();
            }
            count
        })
    }

    fn connect(&self) -> Connecting<'_> {
        let drive = |connection: tokio_postgres::Connection<Socket, T::Stream>| {
            tokio::spawn(async move { drop(connection.await) })
        };
        Box::pin(self.open(|_| {}, drive))
    }

    fn listen<'a>(&'a self, mark: &'a str, heard: Arc<Heard>) -> Connecting<'a> {
        let alter = move |config: &mut Config| {
            let options = config.get_options().unwrap_or_default();
            config.options(format!("{options} -c {MARK}={mark}"));
            // The connection may be silent for long, so only keep-alive shows that the other end is gone.
            config
                .keepalives_idle(KEEPALIVE)
                .keepalives_interval(KEEPALIVE)
                .keepalives_retries(2);
        };
        let drive = move |mut connection: tokio_postgres::Connection<Socket, T::Stream>| {
            let closing = Closing(heard);
            tokio::spawn(async move {
                let Closing(heard) = &closing;
                while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                    if let AsyncMessage::Notification(told) = message {
                        heard.tell(told.payload());
                    }
                }
            })
        };
        Box::pin(self.open(alter, drive))
    }
}

/// How long a connection may take that is made without the limit of a call.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

const KEEPALIVE: Duration = Duration::from_secs(5);

/// Says that nothing is told any more, also when the runtime ends.
struct Closing(Arc<Heard>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Connection {
    pub(super) fn is_open(&self) -> bool {
        !self.client.is_closed()
    }

    /// Returns where it leads to.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Notes that its server is asked.
    pub(super) fn ask(&self) -> AskedPlace {
        self.place.ask()
    }

    /// Asks the server to end what it does for this connection.
    pub(super) fn cancel(&self) -> Cancelling {
        (self.cancel)()
    }

    pub(super) async fn query(
        &self,
        sql: &str,
        values: &Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        let values: Vec<_> = values
            .iter()
            .map(|(value, kind)| (*value, kind.clone()))
            .collect();
        self.client.query_typed(sql, &values).await.map_err(said)
    }

    pub(super) async fn run(&self, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).await.map_err(said)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A missing table or right does not come by waiting, nor does a user, a password or a database; for all else another try may do
/// better.
fn said(error: Error) -> StoreError {
    let text = error.as_db_error().map(|said| said.message().to_owned());
    let Some(text) = text else {
        return unsaid(error);
    };
    match error.code() {
        Some(&SqlState::UNDEFINED_TABLE) => {
            StoreError::refused(format!("{text}: `Postgres::create` makes what is missing"))
        }
        Some(
            &SqlState::INSUFFICIENT_PRIVILEGE
            | &SqlState::UNDEFINED_COLUMN
            | &SqlState::INVALID_PASSWORD
            | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION
            | &SqlState::INVALID_CATALOG_NAME,
        ) => StoreError::refused(text),
        _ => StoreError::unavailable(error),
    }
}

/// The same for an error that no server has told.
fn unsaid(error: Error) -> StoreError {
    if let Some(what) = what_else(&error) {
        return StoreError::refused(format!("what answers is no PostgreSQL server: {what}"));
    }
    let what = error.source().map(ToString::to_string).unwrap_or_default();
    let text = format!("{error}: {what}");
    if NEVER.iter().any(|never| text.contains(never)) {
        return StoreError::refused(text);
    }
    StoreError::unavailable(error)
}

/// Texts of errors that no other try mends: nobody to ask, no password, or no way in that both know.
const NEVER: [&str; 4] = [
    "invalid configuration",
    "authentication error",
    "server does not support TLS",
    "no TLS implementation configured",
];

/// Returns what is wrong with an answer that is not of this protocol.
fn what_else(error: &Error) -> Option<String> {
    let text = error.to_string();
    if text.contains("unexpected message") || text.contains("parsing") {
        return Some(text);
    }
    let io: &io::Error = error.source()?.downcast_ref()?;
    let other = [
        io::ErrorKind::Other,
        io::ErrorKind::InvalidInput,
        io::ErrorKind::InvalidData,
    ];
    other.contains(&io.kind()).then(|| io.to_string())
}
