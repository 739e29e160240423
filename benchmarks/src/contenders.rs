//! Those that are compared, in the order of the tables.

mod floor;
mod by_hand;
mod promised;
mod startstop;
#[cfg(feature = "rivals")]
mod meltdown;
#[cfg(feature = "rivals")]
mod tokio_graceful;
#[cfg(feature = "rivals")]
mod tokio_graceful_shutdown;
#[cfg(feature = "rivals")]
mod task_supervisor;
#[cfg(feature = "rivals")]
mod ractor;
#[cfg(feature = "rivals")]
mod kameo;

use crate::contender::Contender;
#[cfg(feature = "rivals")]
use crate::contender::{Can, Many};

pub(crate) use by_hand::BY_HAND;
pub(crate) use floor::FLOOR;
pub(crate) use promised::PROMISED;
pub(crate) use startstop::{Gated, STARTSTOP, groups, listened, stopped};

pub(crate) const ALL: &[Contender] = &[
    FLOOR,
    BY_HAND,
    PROMISED,
    STARTSTOP,
    #[cfg(feature = "rivals")]
    meltdown::MELTDOWN,
    #[cfg(feature = "rivals")]
    tokio_graceful::TOKIO_GRACEFUL,
    #[cfg(feature = "rivals")]
    tokio_graceful_shutdown::TOKIO_GRACEFUL_SHUTDOWN,
    #[cfg(feature = "rivals")]
    task_supervisor::TASK_SUPERVISOR,
    #[cfg(feature = "rivals")]
    ractor::RACTOR,
    #[cfg(feature = "rivals")]
    kameo::KAMEO,
];

#[cfg(feature = "rivals")]
const NO_ORDER: Can<Many> = Can::Not("it keeps no order among services");

/// An error of a service, with something in it.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) u64);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "connection {} refused", self.0)
    }
}

impl std::error::Error for Refused {}
