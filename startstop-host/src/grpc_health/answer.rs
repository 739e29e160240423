//! The service that a name stands for, and its health.

use tonic_health::pb::HealthCheckResponse;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::parts;
use crate::probes::Probes;

/// How something fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Serving,
    NotServing,
    /// There is nothing of this name.
    Unknown,
}

impl From<bool> for Answer {
    fn from(is_well: bool) -> Self {
        if is_well {
            Self::Serving
        } else {
            Self::NotServing
        }
    }
}

impl From<Answer> for HealthCheckResponse {
    fn from(answer: Answer) -> Self {
        let status = match answer {
            Answer::Serving => ServingStatus::Serving,
            Answer::NotServing => ServingStatus::NotServing,
            Answer::Unknown => ServingStatus::ServiceUnknown,
        };
        Self {
            status: status.into(),
        }
    }
}

/// Says how what has this name fares now. The tree comes first: a check may bear the name of a part.
pub(super) async fn ask(probes: &Probes, name: &str) -> Answer {
    if let Some(whole) = probes.source().status() {
        if let Some(part) = parts::all(&whole).find(|part| part.path() == name) {
            return part.is_ready().into();
        }
    }
    match name {
        "" | "readyz" => probes.ready().await.ok().into(),
        "livez" => probes.live().ok().into(),
        "startupz" => probes.startup().ok().into(),
        check => of_check(probes, check).await,
    }
}

/// Only of this check: the others may take a while.
async fn of_check(probes: &Probes, name: &str) -> Answer {
    let checked = probes.checked(|known| known == name).await;
    if checked.is_empty() {
        return Answer::Unknown;
    }
    checked.iter().all(|check| check.problem.is_none()).into()
}
