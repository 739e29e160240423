//! The settings that the rules of a service's life depend on.

use super::Settings;
use crate::report::state::Readiness;

/// The settings that the rules depend on.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub(crate) struct Rules {
    pub(crate) readiness: Readiness,
    pub(crate) drains: bool,
    pub(crate) shutdown: ShutdownRule,
    /// The stop timeout is zero: a stop is an abort, once the drain is over.
    pub(crate) aborts: bool,
    /// It is made of members, which have deadlines of their own: a late start rolls back, and it tells who was late.
    pub(crate) owner: bool,
}

/// The rule for the `shutdown` of a service: there is none, or when it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShutdownRule {
    /// It has none.
    None,
    /// When the service is told to stop.
    OnStop,
    /// After every attempt.
    Always,
}

/// The traits of a service that its engine depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServiceTraits {
    /// It has a `shutdown` of its own.
    pub(crate) has_shutdown: bool,
    /// It is made of members.
    pub(crate) is_owner: bool,
}

impl Rules {
    pub(super) fn of(settings: &Settings, traits: ServiceTraits) -> Self {
        let always = settings.shutdown_always.unwrap_or_default();
        Self {
            readiness: settings.readiness.unwrap_or(Readiness::Immediate),
            drains: settings.drain.is_some_and(|drain| !drain.is_zero()),
            shutdown: match (traits.has_shutdown, always) {
                (false, _) => ShutdownRule::None,
                (true, true) => ShutdownRule::Always,
                (true, false) => ShutdownRule::OnStop,
            },
            aborts: settings.stop_timeout.is_some_and(|limit| limit.is_zero()),
            owner: traits.is_owner,
        }
    }
}
