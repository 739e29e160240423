//! Parts of one path, which a composite of one's own may have: their name serves when all of them do.

use startstop_core::{
    BoxError, BoxService, Context, Runner, Service, Settings, Status, service_fn,
};
use startstop_host::{GrpcHealth, Probes};
use tonic_health::pb::health_check_response::ServingStatus::{NotServing, Serving};

use super::Api;
use super::client::{check, client};

/// Two services of one name, of which it starts the first.
struct Twins([Runner<BoxService>; 2]);

impl Twins {
    fn new() -> Self {
        let twin = |_| {
            let waits = service_fn(async |cx: Context| cx.cancelled().await);
            Runner::with_settings(waits.boxed(), Settings::new().name("twin"))
        };
        Self([1, 2].map(twin))
    }
}

impl Service for Twins {
    type Error = BoxError;

    async fn run(&self, cx: Context) -> Result<(), BoxError> {
        self.0[0].start().await?;
        cx.ready();
        cx.cancelled().await;
        for twin in &self.0 {
            twin.stop().await?;
        }
        Ok(())
    }

    fn children(&self) -> Vec<Status> {
        self.0.iter().map(Runner::status).collect()
    }

    fn settings(&self) -> Settings {
        let explicit = startstop_core::Readiness::Explicit;
        Settings::new().name("app").readiness(explicit)
    }
}

#[tokio::test]
async fn parts_of_one_path_serve_when_all_of_them_do() {
    let twins = Runner::new(Twins::new());
    twins.start().await.unwrap();
    let api = Api::new(&GrpcHealth::of(Probes::of(&twins))).await;
    let addr = api.listener.local_addr().unwrap();
    let server = Runner::new(api);
    server.start().await.unwrap();
    let mut client = client(addr).await;
    assert_eq!(check(&mut client, "app/twin").await, Ok(NotServing));
    twins.service().0[1].start().await.unwrap();
    assert_eq!(check(&mut client, "app/twin").await, Ok(Serving));
    twins.service().0[0].stop().await.unwrap();
    assert_eq!(check(&mut client, "app/twin").await, Ok(NotServing));
    server.stop().await.unwrap();
    twins.stop().await.unwrap();
}
