//! The settings of a runner, with every default filled in where it is asked for.

use std::time::Duration;

use super::Settings;
use crate::report::shared_name::SharedName;
use crate::report::state::Readiness;
use crate::settings::restart_policy::RestartPolicy;
use crate::sync::AtomicU64;

/// The settings of a runner, with every default filled in where it is asked for.
///
/// Nothing is allocated for a service that sets nothing but its name.
#[derive(Debug)]
pub(crate) struct Resolved {
    name: Name,
    set: Option<Box<Set>>,
}

/// The name of a service.
#[derive(Debug)]
enum Name {
    Set(SharedName),
    /// That of its type, which is cut out of the full one whenever it is asked for.
    OfType(fn() -> &'static str),
}

#[derive(Debug)]
struct Set {
    settings: Settings,
    /// When the last heartbeat came: here, since only who has set a watchdog has one.
    beat: AtomicU64,
}

impl Resolved {
    pub(crate) fn new(mut settings: Settings, of_type: fn() -> &'static str) -> Self {
        let name = settings
            .take_name()
            .map_or(Name::OfType(of_type), Name::Set);
        let needed = !settings.is_empty();
        Self {
            name,
            set: needed.then(|| {
                Box::new(Set {
                    settings,
                    beat: AtomicU64::new(0),
                })
            }),
        }
    }

    fn get<T>(&self, setting: impl FnOnce(&Settings) -> Option<T>, default: T) -> T {
        self.settings().and_then(setting).unwrap_or(default)
    }

    fn settings(&self) -> Option<&Settings> {
        self.set.as_deref().map(|set| &set.settings)
    }

    pub(crate) fn name(&self) -> &str {
        match &self.name {
            Name::Set(name) => name,
            Name::OfType(name) => name(),
        }
    }

    /// Returns the name, to be known in one place more.
    pub(crate) fn shared_name(&self) -> SharedName {
        match &self.name {
            Name::Set(name) => name.clone(),
            Name::OfType(name) => SharedName::Static(name()),
        }
    }

    pub(crate) fn readiness(&self) -> Readiness {
        self.get(|set| set.readiness, Readiness::Immediate)
    }

    pub(crate) fn start_timeout(&self) -> Duration {
        self.get(|set| set.start_timeout, Duration::from_secs(30))
    }

    pub(crate) fn stop_timeout(&self) -> Duration {
        self.get(|set| set.stop_timeout, Duration::from_secs(5))
    }

    pub(crate) fn abort_timeout(&self) -> Duration {
        self.get(|set| set.abort_timeout, Duration::from_secs(2))
    }

    pub(crate) fn drain(&self) -> Duration {
        self.get(|set| set.drain, Duration::ZERO)
    }

    /// Returns the drain, if it is set.
    pub(crate) fn own_drain(&self) -> Option<Duration> {
        self.settings().and_then(|set| set.drain)
    }

    pub(crate) fn shutdown_always(&self) -> bool {
        self.get(|set| set.shutdown_always, false)
    }

    pub(crate) fn history_capacity(&self) -> usize {
        self.get(|set| set.history_capacity, 64)
    }

    pub(crate) fn restart(&self) -> Option<&RestartPolicy> {
        self.settings().and_then(Settings::get_restart)
    }

    pub(crate) fn watchdog(&self) -> Option<Duration> {
        self.settings()
            .and_then(|set| set.watchdog)
            .filter(|silence| !silence.is_zero())
    }

    /// Returns the watchdog's time and when the last heartbeat came, if there is one.
    pub(crate) fn watch(&self) -> Option<(Duration, &AtomicU64)> {
        Some((self.watchdog()?, &self.set.as_deref()?.beat))
    }
}
