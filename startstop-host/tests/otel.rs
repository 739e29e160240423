//! The instruments of OpenTelemetry, read by a meter that the test has made.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{
    AsyncInstrument, AsyncInstrumentBuilder, Callback, InstrumentProvider, Meter,
    ObservableCounter, ObservableGauge,
};
use startstop_core::{Context, Group, Runner, service_fn};
use startstop_host::observe;

/// Reads one instrument.
type Read = Box<dyn Fn(&mut BTreeMap<String, f64>) + Send + Sync>;

#[derive(Default)]
struct Instruments(Mutex<Vec<Read>>);

/// The observations of one instrument.
struct Seen<'a>(&'a str, Mutex<&'a mut BTreeMap<String, f64>>);

impl<T: Display> AsyncInstrument<T> for Seen<'_> {
    fn observe(&self, value: T, attributes: &[KeyValue]) {
        let labels: Vec<String> = attributes
            .iter()
            .map(|label| format!("{}={}", label.key, label.value))
            .collect();
        let series = format!("{} {}", self.0, labels.join(","));
        self.1
            .lock()
            .unwrap()
            .insert(series, value.to_string().parse().unwrap());
    }
}

impl Instruments {
    fn add<I, T: Display + 'static>(&self, builder: AsyncInstrumentBuilder<'_, I, T>) {
        let (name, callbacks): (_, Vec<Callback<T>>) = (builder.name, builder.callbacks);
        let read = move |found: &mut BTreeMap<String, f64>| {
            let seen = Seen(&name, Mutex::new(found));
            for callback in &callbacks {
                callback(&seen);
            }
        };
        self.0.lock().unwrap().push(Box::new(read));
    }

    fn read(&self) -> BTreeMap<String, f64> {
        let mut found = BTreeMap::new();
        for read in &*self.0.lock().unwrap() {
            read(&mut found);
        }
        found
    }
}

impl InstrumentProvider for Instruments {
    fn u64_observable_counter(
        &self,
        builder: AsyncInstrumentBuilder<'_, ObservableCounter<u64>, u64>,
    ) -> ObservableCounter<u64> {
        self.add(builder);
        ObservableCounter::new()
    }

    fn f64_observable_counter(
        &self,
        builder: AsyncInstrumentBuilder<'_, ObservableCounter<f64>, f64>,
    ) -> ObservableCounter<f64> {
        self.add(builder);
        ObservableCounter::new()
    }

    fn u64_observable_gauge(
        &self,
        builder: AsyncInstrumentBuilder<'_, ObservableGauge<u64>, u64>,
    ) -> ObservableGauge<u64> {
        self.add(builder);
        ObservableGauge::new()
    }

    fn f64_observable_gauge(
        &self,
        builder: AsyncInstrumentBuilder<'_, ObservableGauge<f64>, f64>,
    ) -> ObservableGauge<f64> {
        self.add(builder);
        ObservableGauge::new()
    }
}

#[tokio::test]
async fn each_metric_is_observed_for_each_path() {
    let db = service_fn(async |cx: Context| {
        cx.report("row 7 is odd");
        cx.cancelled().await;
    });
    let runner = Runner::new(Group::builder("shop").with("db", db).build().unwrap());
    let instruments = Arc::new(Instruments::default());
    observe(&Meter::new(instruments.clone()), &runner);
    runner.start().await.unwrap();
    while runner.find("shop/db").unwrap().status().failures() == 0 {
        tokio::task::yield_now().await;
    }
    let found = instruments.read();
    let value = |series: &str| found.get(series).copied();
    for (series, expected) in [
        ("startstop.ready path=shop", 1.0),
        ("startstop.state path=shop/db,state=running", 1.0),
        ("startstop.state path=shop/db,state=stopped", 0.0),
        ("startstop.cycles path=shop/db", 1.0),
        ("startstop.restarts path=shop/db", 0.0),
        ("startstop.start_duration.count path=shop/db", 1.0),
        (
            "startstop.failures path=shop/db,phase=run,cause=reported",
            1.0,
        ),
    ] {
        assert_eq!(value(series), Some(expected), "{series}: {found:#?}");
    }
    for name in ["uptime", "up", "down", "start_duration.sum"] {
        assert!(
            value(&format!("startstop.{name} path=shop/db")).is_some(),
            "{name}: {found:#?}"
        );
    }
    runner.stop().await.unwrap();
    drop(runner);
    tokio::time::sleep(std::time::Duration::from_millis(150)).await;
    assert!(instruments.read().is_empty(), "the service is not kept");
}

/// Whatever the end is like, after what else is called then, and its error is told.
#[cfg(all(unix, feature = "notify"))]
#[test]
fn the_last_flush_is_the_last_of_all() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    for (mode, code) in [("flushes", 0), ("flushes by force", 1)] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_startstop-host-told"))
            .arg(mode)
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "running");
        let pid = program.id().to_string();
        assert!(Command::new("kill").arg(pid).status().unwrap().success());
        let said: Vec<_> = lines.map(Result::unwrap).collect();
        assert_eq!(said, ["logs closed", "flushed"], "{mode}");
        let ended = program.wait_with_output().unwrap();
        let told = String::from_utf8(ended.stderr).unwrap();
        let why = "the last flush failed: nobody answers";
        assert!(told.contains(why), "{mode}: {told}");
        assert_eq!(ended.status.code(), Some(code), "{mode}");
    }
}
