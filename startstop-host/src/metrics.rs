//! Numbers for Prometheus: what a snapshot tells, and what is counted of the events.

mod counts;
mod families;
mod label;

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use startstop_core::{Runner, Service};

use crate::source::Source;

pub(crate) use counts::Counts;
#[cfg(feature = "otel")]
pub(crate) use counts::{Durations, PartCounts};
#[cfg(feature = "otel")]
pub(crate) use families::{COUNTS, GAUGES, HISTOGRAMS, SECONDS, STATES, help};
#[cfg(feature = "otel")]
pub(crate) use label::Labelled;
pub(crate) use label::labelled;

/// Returns the metrics of a service, and of all that it is made of, for a registry of one's own.
///
/// Most are read from one snapshot when somebody asks. The failures by their causes, and how long starts and stops take, are
/// counted from now on. The labels are paths: a member that is removed takes its series along. Of several parts with one path, which
/// a composite of one's own may have, the second bears the label `app/part#2`. It does not keep the service running.
///
/// # Examples
///
/// ```
/// use prometheus_client::encoding::text::encode;
/// use prometheus_client::registry::Registry;
/// use startstop_core::{Runner, Settings, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let db = service_fn(async |cx| cx.cancelled().await);
/// let runner = Runner::with_settings(db, Settings::new().name("db"));
/// let mut registry = Registry::default();
/// registry.register_collector(Box::new(startstop_host::collector(&runner)));
/// runner.start().await.unwrap();
///
/// let mut text = String::new();
/// encode(&mut text, &registry).unwrap();
/// assert!(text.contains("startstop_ready{path=\"db\"} 1\n"));
/// # runner.stop().await.unwrap();
/// # }
/// ```
pub fn collector<S: Service>(runner: &Runner<S>) -> MetricsCollector {
    MetricsCollector::of(Arc::new(runner.downgrade()))
}

/// The metrics of a service, from [`collector`].
pub struct MetricsCollector {
    source: Arc<dyn Source>,
    counts: Option<Arc<Counts>>,
}

impl MetricsCollector {
    pub(crate) fn of(source: Arc<dyn Source>) -> Self {
        let counts = source.handle().map(|handle| Counts::of(&*handle));
        Self { source, counts }
    }
}

impl Collector for MetricsCollector {
    fn encode(&self, encoder: DescriptorEncoder) -> fmt::Result {
        let (Some(status), Some(counts)) = (self.source.status(), &self.counts) else {
            return Ok(());
        };
        let all = labelled(&status);
        counts.look(&all, |counts| families::encode(encoder, &all, counts))
    }
}

impl fmt::Debug for MetricsCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsCollector").finish_non_exhaustive()
    }
}
