//! The service that a name stands for, and its health.

use startstop_core::Status;
use tonic_health::pb::HealthCheckResponse;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::parts;
use crate::probes::Probes;

/// How something fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HealthAnswer {
    Serving,
    NotServing,
    /// There is nothing of this name.
    Unknown,
}

impl From<HealthAnswer> for HealthCheckResponse {
    fn from(answer: HealthAnswer) -> Self {
        let status = match answer {
            HealthAnswer::Serving => ServingStatus::Serving,
            HealthAnswer::NotServing => ServingStatus::NotServing,
            HealthAnswer::Unknown => ServingStatus::ServiceUnknown,
        };
        Self {
            status: status.into(),
        }
    }
}

/// Says how what has this name fares now. The tree comes first: a check may bear the name of a part.
pub(super) async fn ask(probes: &Probes, name: &str) -> HealthAnswer {
    match is_well(probes, name).await {
        Some(true) => HealthAnswer::Serving,
        Some(false) => HealthAnswer::NotServing,
        None => HealthAnswer::Unknown,
    }
}

async fn is_well(probes: &Probes, name: &str) -> Option<bool> {
    if let Some(whole) = probes.source().status() {
        // A composite of one's own may have several parts of one path.
        let named: Vec<&Status> = parts::all(&whole)
            .filter(|part| part.path() == name)
            .collect();
        if !named.is_empty() {
            return Some(named.into_iter().all(Status::is_ready));
        }
    }
    match name {
        "" | "readyz" => Some(probes.ready().await.ok()),
        "livez" => Some(probes.live().ok()),
        "startupz" => Some(probes.startup().ok()),
        check => passes(probes, check).await,
    }
}

/// Only of this check: the others may take a while.
async fn passes(probes: &Probes, name: &str) -> Option<bool> {
    let checked = probes.checked(|known| known == name).await;
    let all = || checked.iter().all(|check| check.problem.is_none());
    (!checked.is_empty()).then(all)
}
