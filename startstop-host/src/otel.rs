//! The metrics as instruments of OpenTelemetry, and the flush of an exporter at the end.

mod flush;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};
use startstop_core::{Runner, Service, Status};

use crate::metrics::{
    COUNTS, Counts, Durations, GAUGES, HISTOGRAMS, Labelled, SECONDS, STATES, help, labelled,
};
use crate::source::Source;

pub use flush::flush_last;

/// How long a snapshot is good for: all instruments of one collection read the same.
const FRESH: Duration = Duration::from_millis(100);

/// Registers the metrics of a service and of its parts with a meter.
///
/// They are those of [`collector`](crate::collector), with dots: `startstop.ready` and `startstop.state` by `path`,
/// `startstop.failures` by `path`, `phase` and `cause`; seconds bear the unit `s` and not the word. An observable instrument
/// cannot be a histogram, so of starts and stops there are the sum and the count: `startstop.start_duration.sum`. The service
/// is not kept running.
///
/// # Examples
///
/// ```
/// use opentelemetry::global::meter;
/// use startstop_core::{Runner, service_fn};
///
/// let runner = Runner::new(service_fn(async |cx| cx.cancelled().await));
/// startstop_host::observe(&meter("shop"), &runner);
/// # assert_eq!(runner.status().cycles(), 0);
/// ```
pub fn observe<S: Service>(meter: &Meter, runner: &Runner<S>) {
    let service = Arc::new(Observed::of(Arc::new(runner.downgrade())));
    observe_state(meter, &service);
    observe_gauges(meter, &service);
    for (name, help, value) in GAUGES {
        let (name, unit) = otel_name(name);
        let builder = meter
            .f64_observable_gauge(name)
            .with_description(help)
            .with_unit(unit);
        let observe = service.each(move |status, instrument: &dyn AsyncInstrument<f64>| {
            if let Some(value) = value(status) {
                instrument.observe(value, &[path(status)]);
            }
        });
        let _ = builder.with_callback(observe).build();
    }
    for (name, help, value) in SECONDS {
        let (name, unit) = otel_name(name);
        let builder = meter
            .f64_observable_counter(name)
            .with_description(help)
            .with_unit(unit);
        let observe = service.each(move |status, instrument: &dyn AsyncInstrument<f64>| {
            instrument.observe(value(status), &[path(status)]);
        });
        let _ = builder.with_callback(observe).build();
    }
    for (name, help, value) in COUNTS {
        let builder = meter
            .u64_observable_counter(otel_name(name).0)
            .with_description(help);
        let observe = service.each(move |status, instrument: &dyn AsyncInstrument<u64>| {
            instrument.observe(value(status), &[path(status)]);
        });
        let _ = builder.with_callback(observe).build();
    }
    observe_counts(meter, &service);
}

fn observe_state(meter: &Meter, service: &Arc<Observed>) {
    let builder = meter
        .u64_observable_gauge("startstop.state")
        .with_description(help::STATE);
    let observe = service.each(|status, instrument: &dyn AsyncInstrument<u64>| {
        for state in STATES {
            let labels = [path(status), KeyValue::new("state", state.to_string())];
            instrument.observe(u64::from(status.state() == state), &labels);
        }
    });
    let _ = builder.with_callback(observe).build();
    let builder = meter
        .u64_observable_gauge("startstop.ready")
        .with_description(help::READY);
    let observe = service.each(|status, instrument: &dyn AsyncInstrument<u64>| {
        instrument.observe(u64::from(status.is_ready()), &[path(status)]);
    });
    let _ = builder.with_callback(observe).build();
}

/// The numbers of the services' own.
fn observe_gauges(meter: &Meter, service: &Arc<Observed>) {
    let builder = meter
        .f64_observable_gauge("startstop.value")
        .with_description(help::GAUGE);
    let observe = service.each(|status, instrument: &dyn AsyncInstrument<f64>| {
        for (name, value) in status.gauges() {
            instrument.observe(*value, &[path(status), KeyValue::new("name", *name)]);
        }
    });
    let _ = builder.with_callback(observe).build();
}

fn observe_counts(meter: &Meter, service: &Arc<Observed>) {
    let builder = meter
        .u64_observable_counter("startstop.failures")
        .with_description(help::FAILURES);
    let counted = Arc::clone(service);
    let observe = move |instrument: &dyn AsyncInstrument<u64>| {
        counted.counts(|status, part| {
            for ((phase, cause), count) in &part.failures {
                let phase = KeyValue::new("phase", phase.clone());
                let cause = KeyValue::new("cause", cause.clone());
                instrument.observe(*count, &[path(status), phase, cause]);
            }
        });
    };
    let _ = builder.with_callback(observe).build();
    for (name, help, durations) in HISTOGRAMS {
        let name = otel_name(name).0;
        let sum = meter
            .f64_observable_counter(format!("{name}.sum"))
            .with_description(help);
        let sum = sum.with_unit("s");
        let counted = Arc::clone(service);
        let observe = move |instrument: &dyn AsyncInstrument<f64>| {
            counted.counts(|status, part| {
                let Durations { sum, .. } = durations(part);
                instrument.observe(*sum, &[path(status)]);
            });
        };
        let _ = sum.with_callback(observe).build();
        let count = meter
            .u64_observable_counter(format!("{name}.count"))
            .with_description(help);
        let counted = Arc::clone(service);
        let observe = move |instrument: &dyn AsyncInstrument<u64>| {
            counted.counts(|status, part| {
                instrument.observe(durations(part).count, &[path(status)]);
            });
        };
        let _ = count.with_callback(observe).build();
    }
}

/// `startstop_up_seconds` is `startstop.up` in `s`.
fn otel_name(name: &str) -> (String, &'static str) {
    let (name, unit) = match name.strip_suffix("_seconds") {
        Some(name) => (name, "s"),
        None => (name, ""),
    };
    (name.replacen('_', ".", 1), unit)
}

fn path(status: &Labelled<'_>) -> KeyValue {
    KeyValue::new("path", status.label().to_owned())
}

/// A service that is observed.
struct Observed {
    source: Arc<dyn Source>,
    counts: Option<Arc<Counts>>,
    last: Mutex<Option<(Instant, Status)>>,
}

impl Observed {
    fn of(source: Arc<dyn Source>) -> Self {
        let counts = source.handle().map(|handle| Counts::of(&*handle));
        Self {
            source,
            counts,
            last: Mutex::new(None),
        }
    }

    fn status(&self) -> Option<Status> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, status)) = last.as_ref().filter(|(at, _)| at.elapsed() < FRESH) {
            return Some(status.clone());
        }
        let status = self.source.status()?;
        *last = Some((Instant::now(), status.clone()));
        Some(status)
    }

    /// Returns a callback that observes each service of the tree.
    fn each<T: 'static>(
        self: &Arc<Self>,
        observe: impl Fn(&Labelled<'_>, &dyn AsyncInstrument<T>) + Send + Sync + 'static,
    ) -> impl Fn(&dyn AsyncInstrument<T>) + Send + Sync + 'static {
        let service = Arc::clone(self);
        move |instrument| {
            let Some(status) = service.status() else {
                return;
            };
            for status in labelled(&status) {
                observe(&status, instrument);
            }
        }
    }

    /// Hands over what is counted of each service that is there.
    fn counts(&self, mut observe: impl FnMut(&Labelled<'_>, &crate::metrics::PartCounts)) {
        let (Some(status), Some(counts)) = (self.status(), &self.counts) else {
            return;
        };
        let all = labelled(&status);
        counts.look(&all, |counts| {
            for (status, counts) in all.iter().zip(counts) {
                if let Some(counts) = counts {
                    observe(status, counts);
                }
            }
        });
    }
}
