//! The clients of the server. One that kube makes works on the runtime that it was made on, and on no other one: when that has
//! ended, another one is made.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Uri;
use kube::Client;
use kube::client::ClientBuilder;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::store::way::{Way, WayCall};

#[derive(Clone)]
pub(super) struct Clients {
    /// The configuration of those that are ours.
    config: Option<Arc<kube::Config>>,
    made: Arc<Mutex<Option<Made>>>,
}

struct Made {
    way: Way<Client>,
    /// It is closed when the runtime of the client has ended; a client of the user's is theirs.
    runtime: Option<oneshot::Sender<()>>,
}

impl Clients {
    /// Goes by a client of the user's.
    pub(super) fn of(client: Client) -> Self {
        let made = Made {
            way: Way::new(client, None),
            runtime: None,
        };
        Self {
            config: None,
            made: Arc::new(Mutex::new(Some(made))),
        }
    }

    /// Makes clients of this configuration: the first one now, if there is a runtime, or else when it is needed.
    pub(super) fn from_config(config: kube::Config) -> kube::Result<Self> {
        let clients = Self {
            config: Some(Arc::new(config.clone())),
            made: Arc::default(),
        };
        match Handle::try_current() {
            Ok(_) => drop(clients.make()?),
            Err(_) => drop(ClientBuilder::try_from(config)?),
        }
        Ok(clients)
    }

    /// Returns the configuration, unless the client is the user's.
    pub(super) fn config(&self) -> Option<&kube::Config> {
        self.config.as_deref()
    }

    /// Returns the client for the next request. After a call that was not answered it goes to another address of the server.
    pub(super) async fn next(&self) -> kube::Result<(Client, WayCall<Client>)> {
        let at = |name: &str, addresses: &[SocketAddr]| self.client_at(name, addresses.first()?);
        let way = match self.made() {
            Some(way) => way,
            None => self.make_aside().await?,
        };
        Ok(way.client(at).await)
    }

    /// Makes one on a thread that may block, for it may ask a plugin, which takes its time.
    async fn make_aside(&self) -> kube::Result<Way<Client>> {
        let this = self.clone();
        let made = tokio::task::spawn_blocking(move || this.make()).await;
        made.unwrap_or_else(|error| Err(kube::Error::Service(error.into())))
    }

    /// Makes another client for the next request, with the credentials that there are by then.
    pub(super) fn make_anew(&self) {
        if self.config.is_some() {
            let old = self.lock().take();
            drop(old);
        }
    }

    /// Returns the way that is there, unless the runtime of its client has ended.
    fn made(&self) -> Option<Way<Client>> {
        let made = self.lock();
        let works = |made: &&Made| {
            !made
                .runtime
                .as_ref()
                .is_some_and(oneshot::Sender::is_closed)
        };
        made.as_ref().filter(works).map(|made| made.way.clone())
    }

    fn make(&self) -> kube::Result<Way<Client>> {
        let config = self
            .config
            .as_ref()
            .expect("a client of the user's is kept");
        let client = Client::try_from(kube::Config::clone(config))?;
        let way = Way::new(client, server(config));
        let (runtime, ended) = oneshot::channel();
        tokio::spawn(ended);
        let made = Made {
            way: way.clone(),
            runtime: Some(runtime),
        };
        let old = self.lock().replace(made);
        drop(old);
        Ok(way)
    }

    /// It asks for the certificate of the name, and says in each request that it means the name.
    fn client_at(&self, name: &str, address: &SocketAddr) -> Option<Client> {
        let mut config = kube::Config::clone(self.config.as_ref()?);
        let mut url = config.cluster_url.into_parts();
        url.authority = address.to_string().parse().ok();
        config.cluster_url = Uri::from_parts(url).ok()?;
        config
            .tls_server_name
            .get_or_insert_with(|| name.to_owned());
        Client::try_from(config).ok()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the name and the port of the server, unless a proxy chooses its address.
fn server(config: &kube::Config) -> Option<(String, u16)> {
    let url = &config.cluster_url;
    let port = url.port_u16().unwrap_or(match url.scheme_str() {
        Some("http") => 80,
        _ => 443,
    });
    let server = url.host().map(|host| (host.to_owned(), port));
    server.filter(|_| config.proxy_url.is_none())
}
