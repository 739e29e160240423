//! The way to a server by its name, which may have several addresses: one that is frozen takes connections and answers nothing, and a
//! client that is told a name begins with the same one each time.
//!
//! As long as calls are answered the client goes by the name. After one that was not, another client takes the next address, and
//! so on; a name is looked up anew for each.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::addresses::from_preferred;

/// The way to one server, by clients of this type.
#[derive(Debug)]
pub(super) struct Way<C> {
    by_name: C,
    /// The name and the port, unless there is nothing to choose.
    server: Option<(String, u16)>,
    shared: Arc<WayShared<C>>,
}

#[derive(Debug)]
struct WayShared<C> {
    /// How many calls in a row were not answered, those that were made at the same time counted once.
    missed: AtomicUsize,
    /// The client to use after so many.
    chosen: Mutex<Option<(usize, C)>>,
}

/// A call that has not been answered, as long as nobody says so.
#[derive(Debug)]
pub(super) struct WayCall<C> {
    shared: Arc<WayShared<C>>,
    missed: usize,
    is_answered: bool,
}

impl<C: Clone> Way<C> {
    pub(super) fn new(by_name: C, server: Option<(String, u16)>) -> Self {
        let is_name = |(host, _): &(String, u16)| {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host.parse::<IpAddr>().is_err()
        };
        Self {
            by_name,
            server: server.filter(is_name),
            shared: Arc::new(WayShared {
                missed: AtomicUsize::new(0),
                chosen: Mutex::new(None),
            }),
        }
    }

    /// Returns the client that goes by the name.
    #[cfg(feature = "etcd")]
    pub(super) fn by_name(&self) -> &C {
        &self.by_name
    }

    /// Returns how many addresses the server has.
    #[cfg(feature = "etcd")]
    pub(super) async fn addresses(&self) -> usize {
        match &self.server {
            Some((name, port)) => from_preferred(name, *port).await.len().max(1),
            None => 1,
        }
    }

    /// Returns the client for the next call; `make` makes one that goes to these addresses of the name, the first one first.
    pub(super) async fn client(
        &self,
        make: impl Fn(&str, &[SocketAddr]) -> Option<C>,
    ) -> (C, WayCall<C>) {
        let missed = self.shared.missed.load(Ordering::Relaxed);
        let call = WayCall {
            shared: self.shared.clone(),
            missed,
            is_answered: false,
        };
        let Some((name, port)) = self.server.as_ref().filter(|_| missed > 0) else {
            return (self.by_name.clone(), call);
        };
        if let Some(client) = self.shared.chosen(missed) {
            return (client, call);
        }
        let mut addresses = from_preferred(name, *port).await;
        let client = match addresses.len() {
            0 | 1 => None,
            count => {
                addresses.rotate_left(missed % count);
                make(name, &addresses)
            }
        };
        let client = client.unwrap_or_else(|| self.by_name.clone());
        *self.shared.lock() = Some((missed, client.clone()));
        (client, call)
    }
}

impl<C: Clone> WayShared<C> {
    fn chosen(&self, missed: usize) -> Option<C> {
        let chosen = self.lock();
        let (after, client) = chosen.as_ref()?;
        (*after == missed).then(|| client.clone())
    }
}

impl<C> WayShared<C> {
    fn lock(&self) -> MutexGuard<'_, Option<(usize, C)>> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> WayCall<C> {
    pub(super) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl<C> Drop for WayCall<C> {
    fn drop(&mut self) {
        if !self.is_answered {
            let (now, next) = (self.missed, self.missed.wrapping_add(1));
            let missed = &self.shared.missed;
            // Others who were not answered beside it have counted it already.
            let _ = missed.compare_exchange(now, next, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

impl<C: Clone> Clone for Way<C> {
    fn clone(&self) -> Self {
        Self {
            by_name: self.by_name.clone(),
            server: self.server.clone(),
            shared: self.shared.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SocketAddr, Way, from_preferred};

    /// The name `localhost` has two addresses here and there; elsewhere there is nothing to choose.
    #[tokio::test]
    async fn the_next_call_after_one_without_an_answer_goes_elsewhere() {
        let way = Way::new(None::<SocketAddr>, Some(("localhost".to_owned(), 80)));
        let several = from_preferred("localhost", 80).await.len() > 1;
        let make = |_: &str, addresses: &[SocketAddr]| Some(addresses.first().copied());
        let (client, call) = way.client(make).await;
        assert_eq!(client, None);
        call.answered();
        let (one, two) = (way.client(make).await, way.client(make).await);
        assert_eq!((one.0, two.0), (None, None));
        drop((one, two)); // in vain, at the same time
        let (first, call) = way.client(make).await;
        assert_eq!(first.is_some(), several);
        call.answered();
        let (same, call) = way.client(make).await;
        assert_eq!(same, first);
        drop(call);
        let (second, _call) = way.client(make).await;
        assert_eq!(second != first, several);
    }

    #[tokio::test]
    async fn an_address_is_no_name() {
        for host in ["127.0.0.1", "[::1]", "::1"] {
            let way = Way::new((), Some((host.to_owned(), 80)));
            assert!(way.server.is_none(), "{host}");
        }
        let way = Way::new((), Some(("no.such.name.invalid".to_owned(), 80)));
        drop(way.client(|_, _| None).await);
        way.client(|_, _| None).await;
    }
}
