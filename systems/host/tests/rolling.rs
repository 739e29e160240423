//! Rolling restarts under load: 64 connections, half of them HTTP/1 that is kept alive, half HTTP/2, on two replicas.

mod client;
mod replica;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::{JoinHandle, block_in_place};
use tokio::time::sleep;

use crate::support::until;
use client::{Answered, Connection, Protocol};
use replica::Replica;

const CONNECTIONS: usize = 64;
const RESTARTS: usize = 20;

/// Whether clients ask only who says that it is ready.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Balancer {
    LooksAtReadiness,
    LooksAtNothing,
}

struct Load {
    balancer: Balancer,
    replicas: [Replica; 2],
    served: AtomicUsize,
    refused: AtomicUsize,
    /// Closed before the first byte of an answer.
    closed: AtomicUsize,
    /// In the middle of an answer.
    cut: AtomicUsize,
    is_over: AtomicBool,
}

impl Load {
    fn count(&self, answered: Answered) {
        let counter = match answered {
            Answered::NotAsked => return,
            Answered::Whole => &self.served,
            Answered::Refused => &self.refused,
            Answered::Closed => &self.closed,
            Answered::Cut => &self.cut,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn told(&self) -> [usize; 4] {
        [&self.served, &self.refused, &self.closed, &self.cut]
            .map(|counter| counter.load(Ordering::Relaxed))
    }

    /// The replica that a client is to ask now, if any is to be asked.
    fn choose(&self, number: usize) -> Option<usize> {
        let own = number / 2 % 2;
        match self.balancer {
            Balancer::LooksAtNothing => Some(own),
            Balancer::LooksAtReadiness => [own, 1 - own]
                .into_iter()
                .find(|at| self.replicas[*at].is_ready()),
        }
    }
}

async fn ask_on(load: Arc<Load>, number: usize) {
    let protocol = if number % 2 == 0 {
        Protocol::Http1
    } else {
        Protocol::Http2
    };
    let mut kept: Option<(usize, Connection)> = None;
    while !load.is_over.load(Ordering::Relaxed) {
        let Some(at) = load.choose(number) else {
            sleep(Duration::from_millis(1)).await;
            continue;
        };
        let port = load.replicas[at].port;
        let connection = match kept.take() {
            Some((of, connection)) if of == at => Ok(connection),
            _ => Connection::open(protocol, port).await,
        };
        let answered = match connection {
            Ok(connection) => {
                let (answered, connection) = connection.ask().await;
                kept = connection.map(|connection| (at, connection));
                answered
            }
            Err(answered) => answered,
        };
        load.count(answered);
        if answered != Answered::Whole {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Restarts one replica after the other while the clients ask; returns what became of the requests.
async fn roll(balancer: Balancer, requests: usize, drain: u32) -> [usize; 4] {
    let load = Arc::new(Load {
        balancer,
        replicas: [Replica::new(drain), Replica::new(drain)],
        served: AtomicUsize::new(0),
        refused: AtomicUsize::new(0),
        closed: AtomicUsize::new(0),
        cut: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    });
    let looking: Vec<JoinHandle<()>> = (0..2)
        .map(|at| {
            let load = Arc::clone(&load);
            tokio::spawn(async move { load.replicas[at].look().await })
        })
        .collect();
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|number| tokio::spawn(ask_on(Arc::clone(&load), number)))
        .collect();
    block_in_place(|| {
        load.replicas.iter().for_each(Replica::start);
        for restart in 1..=RESTARTS {
            until("the requests", || {
                load.told()[0] >= requests / RESTARTS * restart
            });
            load.replicas.iter().for_each(Replica::until_ready);
            load.replicas[restart % 2].restart();
        }
    });
    load.is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    looking.iter().for_each(JoinHandle::abort);
    load.told()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_balancer_that_looks_at_readiness_no_request_fails() {
    const REQUESTS: usize = 100_000;
    let [served, refused, closed, cut] = roll(Balancer::LooksAtReadiness, REQUESTS, 1000).await;
    assert_eq!(
        [refused, closed, cut],
        [0; 3],
        "refused, closed, cut; served {served}"
    );
    assert!(served >= REQUESTS, "{served}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_one_that_looks_at_nothing_no_answer_is_cut_in_the_middle() {
    const REQUESTS: usize = 20_000;
    let [served, refused, closed, cut] = roll(Balancer::LooksAtNothing, REQUESTS, 0).await;
    println!("served {served}, refused {refused}, closed before the first byte {closed}");
    assert_eq!(cut, 0);
    assert!(served >= REQUESTS && refused > 0, "{served} {refused}");
}
