//! A comparison of the time that a stop can take with the time that the host grants.

use std::env;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::tell;

/// The host that limits a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// The host kills when its limit is over.
    Fixed,
    /// The manager prolongs its limit when it is told to.
    #[cfg_attr(not(all(unix, feature = "notify")), allow(dead_code))]
    Prolonged,
}

/// Warns on stderr where a stop may be cut short. It waits for nothing: a manager is asked by a thread of its own.
pub(crate) fn check(grace: Duration, limit: Limit) {
    let unit = unit().filter(|_| limit == Limit::Fixed && env::var_os("INVOCATION_ID").is_some());
    match unit {
        Some(unit) => {
            let ask = move || warn(grace, of_unit(&unit).or_else(of_env));
            // A thread that cannot be spawned costs no more than the warning.
            drop(
                thread::Builder::new()
                    .name("startstop-grace".into())
                    .spawn(ask),
            );
        }
        None => warn(grace, of_env()),
    }
}

/// The time that is granted, and the place that says so.
type Granted = (Duration, &'static str);

fn warn(grace: Duration, granted: Option<Granted>) {
    if let Some(text) = granted.and_then(|granted| warning(grace, granted)) {
        tell(&text);
    }
}

fn warning(grace: Duration, (granted, by): Granted) -> Option<String> {
    let needs = match grace {
        Duration::MAX => "for ever".to_owned(),
        grace => format!("{grace:?}"),
    };
    let short = grace >= granted;
    short.then(|| {
        format!("a stop may be cut short: it can take {needs}, and {by} grants {granted:?}")
    })
}

fn of_env() -> Option<Granted> {
    let text = env::var("STARTSTOP_GRACE")
        .ok()
        .filter(|text| !text.is_empty())?;
    let seconds = text
        .parse::<f64>()
        .ok()
        .and_then(|secs| Duration::try_from_secs_f64(secs).ok());
    if seconds.is_none() {
        tell(&format!(
            "STARTSTOP_GRACE is no number of seconds: {text:?}"
        ));
    }
    Some((seconds?, "STARTSTOP_GRACE"))
}

/// Returns the unit of systemd that this process runs in, by its control group.
fn unit() -> Option<UnitLimits> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    UnitLimits::of(groups.lines().find_map(|line| line.strip_prefix("0::"))?)
}

#[derive(Debug, PartialEq, Eq)]
struct UnitLimits {
    name: String,
    user: Option<&'static str>,
}

impl UnitLimits {
    fn of(group: &str) -> Option<Self> {
        let mut names = group
            .rsplit('/')
            .skip_while(|name| !name.ends_with(".service"));
        let name = names.next()?.to_owned();
        let user = names
            .any(|above| above.starts_with("user@"))
            .then_some("--user");
        Some(Self { name, user })
    }
}

fn of_unit(unit: &UnitLimits) -> Option<Granted> {
    let mut command = Command::new("systemctl");
    command
        .args(unit.user)
        .args(["show", "--property=TimeoutStopUSec", "--value", "--"]);
    let output = command
        .arg(&unit.name)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout)
        .ok()
        .filter(|_| output.status.success())?;
    Some((span(text.trim())?, "TimeoutStopSec of the unit"))
}

/// Returns a time span as systemd prints it, `1min 30s` or `1.500000s`; none for `infinity`.
fn span(text: &str) -> Option<Duration> {
    let spans = text.split_whitespace().map(|part| {
        let unit = part.find(|c: char| c.is_alphabetic())?;
        let number: f64 = part[..unit].parse().ok()?;
        let seconds = match &part[unit..] {
            "us" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 7.0 * 86_400.0,
            "month" => 2_629_800.0,
            "y" => 31_557_600.0,
            _ => return None,
        };
        Duration::try_from_secs_f64(number * seconds).ok()
    });
    let spans: Option<Vec<Duration>> = spans.collect();
    spans
        .filter(|spans| !spans.is_empty())
        .map(|spans| spans.into_iter().sum())
}

#[cfg(test)]
mod tests {
    use super::{Duration, UnitLimits, span, warning};

    #[test]
    fn a_span_is_read_as_systemd_prints_it() {
        for (text, millis) in [
            ("1min 30s", 90_000),
            ("2s", 2_000),
            ("1h 5min", 3_900_000),
            ("1.500000s", 1_500),
            ("1min 30.500000s", 90_500),
            ("500ms", 500),
            ("1month 1w 2d 13h 30min", 3_456_000_000),
        ] {
            assert_eq!(span(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["infinity", "", "1", "1parsec", "s"] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn a_unit_is_found_by_its_control_group() {
        let unit = |name: &str, user| {
            Some(UnitLimits {
                name: name.into(),
                user,
            })
        };
        assert_eq!(
            UnitLimits::of("/system.slice/shop.service"),
            unit("shop.service", None)
        );
        let group = "/user.slice/user-1000.slice/user@1000.service/app.slice/shop.service";
        assert_eq!(UnitLimits::of(group), unit("shop.service", Some("--user")));
        assert_eq!(UnitLimits::of("/kubepods/pod1"), None);
        assert_eq!(UnitLimits::of("/"), None);
    }

    #[test]
    fn a_stop_that_can_take_longer_than_is_granted_is_warned_of() {
        let granted = (Duration::from_secs(10), "STARTSTOP_GRACE");
        assert_eq!(warning(Duration::from_secs(9), granted), None);
        let text = "a stop may be cut short: it can take 12s, and STARTSTOP_GRACE grants 10s";
        assert_eq!(
            warning(Duration::from_secs(12), granted).as_deref(),
            Some(text)
        );
        assert!(
            warning(Duration::MAX, granted)
                .unwrap()
                .contains("for ever")
        );
    }
}
