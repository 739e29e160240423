//! Boxed and shared services.

use std::sync::Arc;
use std::time::Duration;

use startstop_core::{
    BoxService, Context, Exit, Group, Runner, Service, Settings, StartStop, Status, StopError,
    service_fn,
};

use crate::support::{Act, Broken, Event, Probe};

struct Named;

impl Service for Named {
    type Error = Broken;

    async fn run(&self, cx: Context) -> Result<(), Broken> {
        cx.cancelled().await;
        Ok(())
    }

    async fn shutdown(&self, _cx: Context) -> Result<(), Broken> {
        Err(Broken("close"))
    }

    fn settings(&self) -> Settings {
        Settings::new()
            .name("named")
            .stop_timeout(Duration::from_secs(9))
    }
}

#[tokio::test(start_paused = true)]
async fn a_boxed_service_runs_and_forwards_settings_and_errors() {
    let boxed: BoxService = Named.boxed();
    assert_eq!(
        boxed.settings().get_stop_timeout(),
        Some(Duration::from_secs(9))
    );
    let runner = Runner::new(boxed);
    assert_eq!(runner.name(), "named");
    runner.start().await.unwrap();
    let Err(StopError::Failed(failure)) = runner.stop().await else {
        panic!()
    };
    assert_eq!(failure.error().downcast_ref(), Some(&Broken("close")));
}

#[tokio::test(start_paused = true)]
async fn a_shared_service_runs_and_forwards_settings_and_errors() {
    let shared = Arc::new(Named);
    let runner = Runner::new(Arc::clone(&shared));
    assert_eq!(runner.name(), "named");
    assert_eq!(
        runner.service().settings().get_stop_timeout(),
        Some(Duration::from_secs(9))
    );
    runner.start().await.unwrap();
    assert!(matches!(runner.stop().await, Err(StopError::Failed(_))));
}

#[tokio::test(start_paused = true)]
async fn the_name_of_a_boxed_or_shared_type_is_its_own() {
    assert_eq!(Runner::new(Probe::new().0.boxed()).name(), "Probe");
    assert_eq!(Runner::new(Arc::new(Probe::new().0)).name(), "Probe");
}

#[tokio::test(start_paused = true)]
async fn services_of_different_types_share_a_list() {
    let services: Vec<BoxService> = vec![
        service_fn(async |cx| cx.cancelled().await).boxed(),
        Probe::new().0.boxed(),
        Arc::new(Probe::new().0).boxed().boxed(),
    ];
    for service in services {
        let runner = Runner::new(service);
        runner.start().await.unwrap();
        runner.stop().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn one_service_may_have_two_runners() {
    let (probe, mut remote) = Probe::new();
    let shared = Arc::new(probe);
    let (one, two) = (Runner::new(Arc::clone(&shared)), Runner::new(shared));
    one.start().await.unwrap();
    remote.until(Event::Run(1, 1)).await;
    one.stop().await.unwrap();
    two.start().await.unwrap();
    remote.until(Event::Run(1, 1)).await;
    two.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_runner_is_behind_one_trait() {
    let (probe, remote) = Probe::new();
    let runners: Vec<Arc<dyn StartStop>> = vec![
        Arc::new(Runner::new(probe)),
        Arc::new(Runner::new(Named.boxed())),
    ];
    for runner in &runners {
        runner.start().await.unwrap();
        assert!(runner.is_running());
        runner.restart().await.unwrap();
    }
    remote.tell(Act::Complete);
    assert_eq!(runners[0].wait().await, Exit::Completed);
    assert!(runners[1].stop().await.is_err());
    assert_eq!(runners[1].errors_list().len(), 1);
}

/// Tells of a part that only it knows of.
struct Whole(Runner<Named>);

impl Service for Whole {
    type Error = Broken;

    async fn run(&self, cx: Context) -> Result<(), Broken> {
        cx.cancelled().await;
        Ok(())
    }

    fn children(&self) -> Vec<Status> {
        vec![self.0.status()]
    }
}

fn names(children: &[Status]) -> Vec<&str> {
    children.iter().map(Status::name).collect()
}

#[tokio::test(start_paused = true)]
async fn a_boxed_or_shared_service_tells_of_its_children() {
    let whole = || Whole(Runner::new(Named));
    assert_eq!(names(&Service::children(&whole().boxed())), ["named"]);
    assert_eq!(names(&Service::children(&Arc::new(whole()))), ["named"]);
    assert_eq!(names(&Service::children(&Runner::new(Named))), ["named"]);
    assert_eq!(
        names(Runner::new(Arc::new(whole()).boxed()).status().children()),
        ["named"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_boxed_or_shared_group_is_drawn_with_its_members() {
    let group = || {
        Group::builder("app")
            .with("db", Named)
            .with("http", Named)
            .build()
            .unwrap()
    };
    for status in [
        Runner::new(group().boxed()).status(),
        Runner::new(Arc::new(group())).status(),
    ] {
        assert_eq!(names(status.children()), ["db", "http"], "{status}");
    }
}
