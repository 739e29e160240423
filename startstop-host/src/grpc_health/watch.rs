//! One client that follows one name.

use std::future::pending;
use std::time::Duration;

use startstop_core::{Context, Events};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tonic::Status;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;
use tonic_health::pb::HealthCheckResponse;

use crate::probes::Probes;

use super::answer::{HealthAnswer, ask};

/// How often that is asked again which tells nobody when it changes.
const SILENT: Duration = Duration::from_secs(5);
/// How long a stop waits for a client that does not read, or a check that does not answer.
const LAST: Duration = Duration::from_millis(100);

type HealthMessage = Result<HealthCheckResponse, Status>;

/// Begins to follow a name, in a task of the attempt.
pub(super) fn begin(cx: &Context, probes: Probes, name: String) -> ReceiverStream<HealthMessage> {
    let (client, stream) = mpsc::channel(1);
    let watch = Watch {
        probes,
        name,
        client,
        told: None,
    };
    cx.spawn(watch.run(cx.clone()));
    ReceiverStream::new(stream)
}

struct Watch {
    probes: Probes,
    name: String,
    client: mpsc::Sender<HealthMessage>,
    /// The answer that the client was told last.
    told: Option<HealthAnswer>,
}

impl Watch {
    /// Goes on until the attempt is to end, or the client has left.
    async fn run(mut self, cx: Context) {
        // Subscribe before the first look, so that no change in between is missed.
        let mut events = self.probes.source().handle().map(|handle| handle.events());
        while !self.client.is_closed() {
            if cx
                .run_until_cancelled(self.follow(events.as_mut()))
                .await
                .is_none()
            {
                // The stop itself has changed the health: tell that last.
                drop(timeout(LAST, self.tell()).await);
                return;
            }
        }
    }

    /// Tells how it fares, and waits until that may have changed, or the client has left.
    async fn follow(&mut self, events: Option<&mut Events>) {
        self.tell().await;
        tokio::select! {
            () = changed(events) => {}
            () = self.silent() => {}
            () = self.client.closed() => {}
        }
    }

    async fn tell(&mut self) {
        let answer = ask(&self.probes, &self.name).await;
        if self.told != Some(answer) && self.client.send(Ok(answer.into())).await.is_ok() {
            self.told = Some(answer);
        }
    }

    /// Waits until it is time to ask again, where changes tell nobody: of checks, and of the runtime.
    async fn silent(&self) {
        if self.name != "livez" && !self.probes.has_checks() {
            return pending().await;
        }
        sleep(SILENT).await;
    }
}

/// Waits until something has happened. What has happened together is one change.
async fn changed(events: Option<&mut Events>) {
    let Some(events) = events else {
        return pending().await;
    };
    if events.next().await.is_none() {
        // The service is gone for good.
        return pending().await;
    }
    while events.try_next().is_some() {}
}
