//! A small balancer: it hands connections on, and sends no new one to a copy that says that it is not ready.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::program::Place;

/// How often a copy is asked.
const PERIOD: Duration = Duration::from_millis(50);

struct Backend {
    place: Arc<Place>,
    is_ready: AtomicBool,
}

/// Its tasks end with it.
pub(crate) struct Balancer {
    pub(crate) addr: SocketAddr,
    backends: Vec<Arc<Backend>>,
    _tasks: JoinSet<()>,
}

impl Balancer {
    pub(crate) async fn before(places: &[Arc<Place>]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let backend = |place: &Arc<Place>| {
            Arc::new(Backend {
                place: Arc::clone(place),
                is_ready: AtomicBool::new(false),
            })
        };
        let backends: Vec<_> = places.iter().map(backend).collect();
        let mut tasks = JoinSet::new();
        for backend in &backends {
            tasks.spawn(ask(Arc::clone(backend)));
        }
        tasks.spawn(hand_on(listener, backends.clone()));
        Self {
            addr,
            backends,
            _tasks: tasks,
        }
    }

    pub(crate) fn knows_all(&self) -> bool {
        self.backends
            .iter()
            .all(|backend| backend.is_ready.load(Ordering::Relaxed))
    }
}

async fn ask(backend: Arc<Backend>) {
    loop {
        backend
            .is_ready
            .store(backend.place.is_ready().await, Ordering::Relaxed);
        tokio::time::sleep(PERIOD).await;
    }
}

async fn hand_on(listener: TcpListener, backends: Vec<Arc<Backend>>) {
    let next = AtomicUsize::new(0);
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let first = next.fetch_add(1, Ordering::Relaxed);
        let turn = (0..backends.len()).map(|at| &backends[(first + at) % backends.len()]);
        let chosen = turn
            .into_iter()
            .find(|backend| backend.is_ready.load(Ordering::Relaxed));
        let Some(addr) = chosen.map(|backend| backend.place.web) else {
            continue;
        };
        connections.spawn(async move {
            let Ok(mut server) = TcpStream::connect(addr).await else {
                return;
            };
            copy_bidirectional(&mut client, &mut server).await.ok();
        });
        while connections.try_join_next().is_some() {}
    }
}
