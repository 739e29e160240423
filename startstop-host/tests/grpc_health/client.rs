//! A client of tonic.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::timeout;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Streaming};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

const LIMIT: Duration = Duration::from_secs(20);

pub(super) type Client = HealthClient<Channel>;

pub(super) async fn client(addr: SocketAddr) -> Client {
    let endpoint = Endpoint::try_from(format!("http://{addr}")).unwrap();
    HealthClient::new(endpoint.connect().await.unwrap())
}

fn request(name: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: name.to_owned(),
    }
}

pub(super) async fn check(client: &mut Client, name: &str) -> Result<ServingStatus, Code> {
    let answer = timeout(LIMIT, client.check(request(name)))
        .await
        .expect("it answers");
    answer
        .map(|answer| answer.get_ref().status())
        .map_err(|status| status.code())
}

pub(super) async fn watch(client: &mut Client, name: &str) -> Result<Watch, Code> {
    let stream = timeout(LIMIT, client.watch(request(name)))
        .await
        .expect("it answers");
    stream
        .map(|stream| Watch(stream.into_inner()))
        .map_err(|status| status.code())
}

pub(super) struct Watch(Streaming<HealthCheckResponse>);

impl Watch {
    /// Returns the next status; `None` once the stream has ended in order.
    pub(super) async fn next(&mut self) -> Option<ServingStatus> {
        let message = timeout(LIMIT, self.0.message())
            .await
            .expect("it goes on or ends");
        message
            .expect("it ends in order")
            .map(|answer| answer.status())
    }
}
