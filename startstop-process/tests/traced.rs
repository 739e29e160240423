//! Lines as events of `tracing`.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use startstop_core::{Group, Member, OnFailure, Runner};
use startstop_process::Output;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::set_default;
use tracing::{Event, Metadata, Subscriber};

use crate::support::sh;

/// Writes down the events of this crate.
#[derive(Clone, Default)]
struct Scribe(Arc<Mutex<Vec<String>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Scribe {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("startstop_process")
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(event.metadata().level().to_string());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0.clone());
        assert!(!fields.0.contains("bad"), "a subscriber may panic");
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn lines_are_events_with_the_path_and_the_stream() {
    let scribe = Scribe::default();
    let _heard = set_default(scribe.clone());
    let child = sh("echo out; echo bad; echo err >&2; printf last").output(Output::tracing());
    let child = Member::new(child).on_failure(OnFailure::Ignore);
    let shop = Group::builder("shop").with("web", child).build().unwrap();
    let app = Runner::new(Group::builder("app").with("shop", shop).build().unwrap());
    app.start().await.unwrap();
    app.find("app/shop/web")
        .expect("it is a member")
        .wait()
        .await;
    app.stop().await.unwrap();
    // To print a panic may take longer than the end of the child waits for its lines.
    while scribe.0.lock().unwrap().len() < 4 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let mut lines = scribe.0.lock().unwrap().clone();
    lines.sort();
    let expected = [
        r#"INFO message=bad service="app/shop/web" stream="stdout""#,
        r#"INFO message=last service="app/shop/web" stream="stdout""#,
        r#"INFO message=out service="app/shop/web" stream="stdout""#,
        r#"WARN message=err service="app/shop/web" stream="stderr""#,
    ];
    assert_eq!(lines, expected);
}
