//! The settings of a runner, with every default filled in where it is asked for.

use std::time::Duration;

use super::{Rules, ServiceTraits, Settings};
use crate::report::shared_name::SharedName;
use crate::report::state::Readiness;
use crate::settings::restart_policy::RestartPolicy;
use crate::sync::AtomicU64;

/// The settings of a runner, with every default filled in where it is asked for.
///
/// Nothing is allocated for a service that sets nothing.
#[derive(Debug)]
pub(crate) struct Resolved(OwnSettings);

/// The settings that are set for a service, and what the rules depend on. The name of its type is cut out of the full one whenever it is asked for.
#[derive(Debug)]
enum OwnSettings {
    Nothing(Rules, OfType),
    Name(Rules, Box<SharedName>),
    Settings(Rules, Box<Set>),
}

/// The name of the type of a service.
pub(crate) struct TypeName {
    /// The name without paths and parameters.
    pub(crate) plain: OfType,
    /// The name without paths, of a type that has parameters.
    pub(crate) with_parameters: Option<String>,
}

/// The name of a type, cut out of the full one.
type OfType = fn() -> &'static str;

#[derive(Debug)]
struct Set {
    name: Result<SharedName, OfType>,
    settings: Settings,
    /// When the last heartbeat came: here, since only who has set a watchdog has one.
    beat: AtomicU64,
}

impl Resolved {
    /// Settles what counts for a runner: what is set for it before what its service sets.
    pub(crate) fn new(
        set: Settings,
        of_service: Settings,
        type_name: TypeName,
        traits: ServiceTraits,
    ) -> Self {
        let TypeName {
            plain,
            with_parameters,
        } = type_name;
        if with_parameters.is_none() && set.is_empty() && of_service.is_empty() {
            // Mostly nothing is set, and to move settings, which are large, costs more than all this.
            return Self(OwnSettings::Nothing(Rules::of(&set, traits), plain));
        }
        let settings = set.or(of_service);
        match with_parameters.filter(|_| settings.get_name().is_none()) {
            Some(name) => Self::of_settings(settings.name(name), plain, traits),
            None => Self::of_settings(settings, plain, traits),
        }
    }

    fn of_settings(mut settings: Settings, of_type: OfType, traits: ServiceTraits) -> Self {
        let name = settings.take_name();
        let rules = Rules::of(&settings, traits);
        Self(match name {
            None if settings.is_empty() => OwnSettings::Nothing(rules, of_type),
            Some(name) if settings.is_empty() => OwnSettings::Name(rules, Box::new(name)),
            name => {
                let set = Set {
                    name: name.ok_or(of_type),
                    settings,
                    beat: AtomicU64::new(0),
                };
                OwnSettings::Settings(rules, Box::new(set))
            }
        })
    }

    /// Returns the settings that the rules depend on.
    #[inline]
    pub(crate) fn rules(&self) -> Rules {
        match self.0 {
            OwnSettings::Nothing(rules, _)
            | OwnSettings::Name(rules, _)
            | OwnSettings::Settings(rules, _) => rules,
        }
    }

    fn get<T>(&self, setting: impl FnOnce(&Settings) -> Option<T>, default: T) -> T {
        self.settings().and_then(setting).unwrap_or(default)
    }

    fn set(&self) -> Option<&Set> {
        match &self.0 {
            OwnSettings::Settings(_, set) => Some(set),
            OwnSettings::Nothing(..) | OwnSettings::Name(..) => None,
        }
    }

    fn settings(&self) -> Option<&Settings> {
        self.set().map(|set| &set.settings)
    }

    fn given_name(&self) -> Result<&SharedName, OfType> {
        match &self.0 {
            OwnSettings::Nothing(_, of_type) => Err(*of_type),
            OwnSettings::Name(_, name) => Ok(name),
            OwnSettings::Settings(_, set) => set.name.as_ref().map_err(|of_type| *of_type),
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self.given_name() {
            Ok(name) => name,
            Err(of_type) => of_type(),
        }
    }

    /// Returns the name, to be known in one place more.
    pub(crate) fn shared_name(&self) -> SharedName {
        match self.given_name() {
            Ok(name) => name.clone(),
            Err(of_type) => SharedName::Static(of_type()),
        }
    }

    pub(crate) fn readiness(&self) -> Readiness {
        self.rules().readiness
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

    /// Returns the drain, if it is set.
    pub(crate) fn own_drain(&self) -> Option<Duration> {
        self.settings().and_then(|set| set.drain)
    }

    pub(crate) fn history_capacity(&self) -> usize {
        self.get(|set| set.history_capacity, 64)
    }

    pub(crate) fn restart(&self) -> Option<&RestartPolicy> {
        self.settings().and_then(Settings::get_restart)
    }

    /// Returns the longest silence. A whole has none: its members have heartbeats, and it has not.
    pub(crate) fn watchdog(&self) -> Option<Duration> {
        self.settings()
            .and_then(|set| set.watchdog)
            .filter(|silence| !silence.is_zero() && !self.rules().owner)
    }

    /// Returns the watchdog's time and when the last heartbeat came, if there is one.
    pub(crate) fn watch(&self) -> Option<(Duration, &AtomicU64)> {
        Some((self.watchdog()?, &self.set()?.beat))
    }
}
