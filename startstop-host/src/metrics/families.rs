//! The families of metrics, as they are written.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use startstop_core::{State, Status};

use super::counts::{BOUNDS, Durations, PartCounts};
use super::label::Labelled;

pub(crate) const STATES: [State; 5] = [
    State::Stopped,
    State::Starting,
    State::Running,
    State::Stopping,
    State::Backoff,
];

/// A number that each service has, or may have.
type Gauge = (&'static str, &'static str, fn(&Status) -> Option<f64>);

pub(crate) const GAUGES: [Gauge; 2] = [
    (
        "startstop_uptime_seconds",
        "How long the service has been running.",
        |status| Some(status.uptime().as_secs_f64()),
    ),
    (
        "startstop_heartbeat_age_seconds",
        "How long ago the last heartbeat came.",
        |status| Some(status.heartbeat_age()?.as_secs_f64()),
    ),
];

/// A number that each service has, and that only grows.
type Total<N> = (&'static str, &'static str, fn(&Status) -> N);

pub(crate) const SECONDS: [Total<f64>; 2] = [
    (
        "startstop_up_seconds",
        "How long the service has been running over all cycles.",
        |status| status.total_uptime().as_secs_f64(),
    ),
    (
        "startstop_down_seconds",
        "How long the service has been down against its will.",
        |status| status.total_downtime().as_secs_f64(),
    ),
];

pub(crate) const COUNTS: [Total<u64>; 3] = [
    (
        "startstop_cycles",
        "How many cycles have begun.",
        Status::cycles,
    ),
    (
        "startstop_attempts",
        "How many attempts have begun.",
        Status::attempts,
    ),
    (
        "startstop_restarts",
        "How many restarts there were, by a policy or a group.",
        Status::restarts,
    ),
];

type Histogram = (&'static str, &'static str, fn(&PartCounts) -> &Durations);

pub(crate) const HISTOGRAMS: [Histogram; 2] = [
    (
        "startstop_start_duration_seconds",
        "How long a start took until the service was ready.",
        |part| &part.starts,
    ),
    (
        "startstop_stop_duration_seconds",
        "How long a stop took until the service had ended.",
        |part| &part.stops,
    ),
];

/// The help texts of the families that are not rows of a table.
pub(crate) mod help {
    pub(crate) const STATE: &str = "Where the service is in its life: 1 for the present state.";
    pub(crate) const READY: &str = "Whether the service can do its job now.";
    pub(crate) const GAUGE: &str = "A number that the service tells of itself, by its name.";
    pub(crate) const FAILURES: &str = "How many failures there were, by the phase and the cause.";
}

/// Writes all of them. `counts` are those of the services in `all`, in their order.
pub(super) fn encode(
    mut encoder: DescriptorEncoder,
    all: &[Labelled<'_>],
    counts: &[Option<&PartCounts>],
) -> fmt::Result {
    states(&mut encoder, all)?;
    for (name, help, value) in GAUGES {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for status in all {
            if let Some(value) = value(status) {
                let labels = [("path", status.label())];
                ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
            }
        }
    }
    gauges(&mut encoder, all)?;
    totals(&mut encoder, all, SECONDS)?;
    totals(&mut encoder, all, COUNTS)?;
    failures(&mut encoder, all, counts)?;
    for (name, help, durations) in HISTOGRAMS {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (status, counts) in all.iter().zip(counts) {
            let Some(durations) = counts.map(durations).filter(|all| all.count > 0) else {
                continue;
            };
            let buckets = std::array::from_fn::<_, { BOUNDS.len() + 1 }, _>(|at| {
                let bound = BOUNDS.get(at).copied().unwrap_or(f64::INFINITY);
                (bound, durations.buckets[at])
            });
            let labels = [("path", status.label())];
            let mut series = family.encode_family(&labels)?;
            series.encode_histogram::<NoLabelSet>(
                durations.sum,
                durations.count,
                &buckets,
                None,
            )?;
        }
    }
    info(&mut encoder)
}

/// One series for each path and state, of which one is 1; and whether it is ready.
fn states(encoder: &mut DescriptorEncoder, all: &[Labelled<'_>]) -> fmt::Result {
    let mut family =
        encoder.encode_descriptor("startstop_state", help::STATE, None, MetricType::Gauge)?;
    let states = STATES.map(|state| (state, state.to_string()));
    for status in all {
        for (state, name) in &states {
            let labels = [("path", status.label()), ("state", name)];
            let value = u32::from(status.state() == *state);
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
    }
    let mut family =
        encoder.encode_descriptor("startstop_ready", help::READY, None, MetricType::Gauge)?;
    for status in all {
        let labels = [("path", status.label())];
        let value = u32::from(status.is_ready());
        ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
    }
    Ok(())
}

/// Returns the numbers of the services' own.
fn gauges(encoder: &mut DescriptorEncoder, all: &[Labelled<'_>]) -> fmt::Result {
    let mut family =
        encoder.encode_descriptor("startstop_value", help::GAUGE, None, MetricType::Gauge)?;
    for status in all {
        for (name, value) in status.gauges() {
            let labels = [("path", status.label()), ("name", *name)];
            ConstGauge::new(*value).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn totals<N>(
    encoder: &mut DescriptorEncoder,
    all: &[Labelled<'_>],
    totals: impl IntoIterator<Item = Total<N>>,
) -> fmt::Result
where
    ConstCounter<N>: EncodeMetric,
{
    for (name, help, value) in totals {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for status in all {
            let labels = [("path", status.label())];
            ConstCounter::new(value(status)).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn failures(
    encoder: &mut DescriptorEncoder,
    all: &[Labelled<'_>],
    counts: &[Option<&PartCounts>],
) -> fmt::Result {
    let name = "startstop_failures";
    let mut family = encoder.encode_descriptor(name, help::FAILURES, None, MetricType::Counter)?;
    for (status, counts) in all.iter().zip(counts) {
        let failures = counts.map(|counts| &counts.failures);
        for ((phase, cause), count) in failures.into_iter().flatten() {
            let labels = [
                ("path", status.label()),
                ("phase", &**phase),
                ("cause", &**cause),
            ];
            ConstCounter::new(*count).encode(family.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn info(encoder: &mut DescriptorEncoder) -> fmt::Result {
    let help = "The version of startstop.";
    let mut family = encoder.encode_descriptor("startstop", help, None, MetricType::Info)?;
    family.encode_info(&[("version", env!("CARGO_PKG_VERSION"))])
}
