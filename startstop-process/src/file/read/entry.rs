//! One process of a TOML file.

use toml::de::DeTable;

use super::super::log::Log;
use super::super::mistakes::{did_you_mean, did_you_mean_one_of};
use super::super::spec::{Ends, Policy, Reload, Restart, Spec};
use super::super::users::{self, User};
use super::sinks::log;
use super::{FileReader, Value};
use crate::ready::{Ready, ReadyKind};
use crate::signal::Signal;

const KEYS: [&str; 25] = [
    "command",
    "after",
    "bound_to",
    "ready",
    "restart",
    "stop",
    "start_timeout",
    "watchdog",
    "success_codes",
    "reload",
    "cwd",
    "env",
    "env_clear",
    "user",
    "group",
    "uid",
    "gid",
    "umask",
    "nice",
    "limits",
    "session",
    "job",
    "log",
    "instances",
    "stops_all",
];

const READY: [&str; 6] = ["tcp", "line", "file", "after", "command", "notify"];

impl FileReader {
    /// Returns the specs of an entry: several if it has instances.
    pub(super) fn entry(
        &mut self,
        name: &str,
        at: usize,
        value: &Value<'_>,
        log: &Log,
    ) -> Vec<Spec> {
        let Some(table) = self.table(value, "a table") else {
            return Vec::new();
        };
        self.known(table, &KEYS);
        let command = match table.get("command") {
            Some(command) => self.command(command),
            None => {
                self.wrong(at, format!("`{name}` has no `command`"));
                None
            }
        };
        // An entry without a command is still read to its end, so that its other mistakes are told.
        let mut spec = Spec::new(name, command.unwrap_or_else(|| vec![String::new()]));
        spec.log = log.clone();
        self.fill(&mut spec, table);
        let instances = self.get(table, "instances", Self::instances);
        let specs = match instances {
            None => vec![spec],
            Some(most) => (1..=most).map(|n| instance(&spec, n)).collect(),
        };
        let named = |spec: Spec| {
            let name = spec.name.clone();
            spec.filled("{name}", &name)
        };
        specs.into_iter().map(named).collect()
    }

    fn instances(&mut self, value: &Value<'_>) -> Option<u16> {
        let most = self.number(value)?;
        if most == 0 {
            self.wrong(value.span().start, "there is at least one instance");
        }
        Some(most)
    }

    fn fill(&mut self, spec: &mut Spec, table: &DeTable<'_>) {
        spec.after = self.get(table, "after", Self::strings).unwrap_or_default();
        spec.bound_to = self
            .get(table, "bound_to", Self::strings)
            .unwrap_or_default();
        spec.ready = self.get(table, "ready", Self::ready);
        let restart = self.get(table, "restart", Self::restart);
        spec.restart = restart.or(Some(Restart {
            policy: Policy::OnFailure,
            delay: None,
            limit: None,
        }));
        spec.start_timeout = self.get(table, "start_timeout", Self::time);
        spec.watchdog = self.get(table, "watchdog", Self::time);
        self.notified(spec, table.get("watchdog"), "a watchdog");
        spec.cwd = self.get(table, "cwd", Self::text);
        spec.env_clear = self.get(table, "env_clear", Self::boolean);
        spec.uid = self.get(table, "uid", Self::number);
        spec.gid = self.get(table, "gid", Self::number);
        spec.user = self.get(table, "user", Self::user);
        spec.gid = self.get(table, "group", Self::group).or(spec.gid);
        for (name, number) in [("user", "uid"), ("group", "gid")] {
            if let (Some(value), true) = (table.get(name), table.contains_key(number)) {
                self.wrong(
                    value.span().start,
                    format!("one of {name}, {number} is accepted"),
                );
            }
        }
        spec.umask = self.get(table, "umask", |reader, value| {
            reader.within(value, 0..=0o777)
        });
        spec.nice = self.get(table, "nice", |reader, value| {
            reader.within(value, -40..=39)
        });
        spec.session = self.get(table, "session", Self::boolean);
        spec.job = self.get(table, "job", Self::boolean);
        self.ready_at_its_end(spec, table.get("ready"));
        spec.reload = self.get(table, "reload", Self::reload);
        spec.success_codes = self.get(table, "success_codes", Self::codes);
        if let Some(log) = self.get(table, "log", log) {
            spec.log = log;
        }
        if self.get(table, "stops_all", Self::boolean) == Some(true) {
            spec.ends = Ends::StopsAll;
        }
        self.get(table, "env", |reader, value| {
            for (key, value) in reader.table(value, "a table of strings")? {
                if key.get_ref().is_empty() || key.get_ref().contains(['=', '\0']) {
                    reader.wrong(key.span().start, "a variable has a name without `=`");
                }
                if let Some(text) = reader.string(value) {
                    spec.env.push((key.get_ref().to_string(), text));
                }
            }
            Some(())
        });
        self.get(table, "stop", |reader, value| {
            let table =
                reader.table(value, "a table like { signal = \"INT\", timeout = \"3s\" }")?;
            reader.known(table, &["signal", "timeout", "longest"]);
            spec.stop_signal = reader.get(table, "signal", Self::signal);
            spec.stop_timeout = reader.get(table, "timeout", Self::duration);
            spec.longest_stop = reader.get(table, "longest", Self::time);
            reader.notified(spec, table.get("longest"), "to put off the end of a stop");
            Some(())
        });
        self.get(table, "limits", |reader, value| {
            let table = reader.table(value, "a table like { files = 1024, memory = \"1GB\" }")?;
            reader.known(table, &["files", "memory"]);
            let files = reader.get(table, "files", |reader, value| {
                reader.within(value, 1..=u32::MAX)
            });
            spec.files = files.map(u64::from);
            spec.memory = reader.get(table, "memory", Self::room);
            Some(())
        });
    }

    /// Tells of what only a child that sends messages can do.
    fn notified(&mut self, spec: &Spec, value: Option<&Value<'_>>, what: &str) {
        let is_notified = matches!(spec.ready, Some(Ready(ReadyKind::Notify)));
        if let (Some(value), false) = (value, is_notified) {
            let text = format!("{what} needs `ready = {{ notify = true }}`");
            self.wrong(value.span().start, text);
        }
    }

    /// Tells of another readiness than that of a job. A job may speak by messages all the same.
    fn ready_at_its_end(&mut self, spec: &Spec, value: Option<&Value<'_>>) {
        let is_job = spec.job == Some(true);
        let awaited = spec.ready.as_ref().filter(|_| is_job);
        if let (Some(value), Some(Ready(kind))) = (value, awaited) {
            if !matches!(kind, ReadyKind::Notify) {
                let text = "a job is ready when it has ended; accepted is none but `notify`";
                self.wrong(value.span().start, text);
            }
        }
    }

    fn user(&mut self, value: &Value<'_>) -> Option<User> {
        let name = self.string(value)?;
        let user = User::named(&name);
        if user.is_none() {
            self.wrong(value.span().start, format!("no user is called `{name}`"));
        }
        user
    }

    fn group(&mut self, value: &Value<'_>) -> Option<u32> {
        let name = self.string(value)?;
        let group = users::group(&name);
        if group.is_none() {
            self.wrong(value.span().start, format!("no group is called `{name}`"));
        }
        group
    }

    /// A string is for `sh`.
    fn command(&mut self, value: &Value<'_>) -> Option<Vec<String>> {
        let command = match value.get_ref().as_str() {
            Some(text) if text.trim().is_empty() => Vec::new(),
            Some(_) => vec!["sh".to_owned(), "-c".to_owned(), self.string(value)?],
            None if value.get_ref().is_array() => self.strings(value)?,
            None => return self.expected(value, "a string for `sh`, or an array of strings"),
        };
        if command.first().is_none_or(String::is_empty) {
            self.wrong(value.span().start, "a command is not empty");
            return None;
        }
        Some(command)
    }

    fn signal(&mut self, value: &Value<'_>) -> Option<Signal> {
        let text = self.string(value)?;
        let signal = text.parse();
        if signal.is_err() {
            let near = did_you_mean(
                &text,
                ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "KILL"],
            );
            self.wrong(
                value.span().start,
                format!("no signal is called `{text}`{near}"),
            );
        }
        signal.ok()
    }

    fn reload(&mut self, value: &Value<'_>) -> Option<Reload> {
        if value.get_ref().is_str() {
            return self.signal(value).map(Reload::Signal);
        }
        if !value.get_ref().is_array() {
            return self.expected(value, "a signal, or a command as an array of strings");
        }
        self.command(value).map(Reload::Command)
    }

    fn codes(&mut self, value: &Value<'_>) -> Option<Vec<i32>> {
        match value.get_ref().as_array() {
            Some(codes) => Some(
                codes
                    .iter()
                    .filter_map(|code| self.within(code, 0..=255))
                    .collect(),
            ),
            None => self.expected(value, "an array of codes"),
        }
    }

    fn ready(&mut self, value: &Value<'_>) -> Option<Ready> {
        let table = self.table(value, "a table like { tcp = \"127.0.0.1:6390\" }")?;
        self.known(table, &READY);
        let mut found = Vec::new();
        found.extend(self.get(table, "tcp", Self::addr).map(Ready::tcp));
        found.extend(self.get(table, "line", Self::text).map(Ready::line));
        found.extend(self.get(table, "file", Self::text).map(Ready::file));
        found.extend(self.get(table, "after", Self::duration).map(Ready::after));
        found.extend(
            self.get(table, "command", Self::command)
                .map(Ready::command),
        );
        let notify = self.get(table, "notify", Self::boolean);
        found.extend(notify.filter(|is| *is).map(|_| Ready::notify()));
        if table.len() != 1 {
            self.wrong(
                value.span().start,
                format!("one of {} is accepted", READY.join(", ")),
            );
        }
        found.pop()
    }

    pub(super) fn addr(&mut self, value: &Value<'_>) -> Option<String> {
        self.parsed(value, "an address like \"127.0.0.1:6390\"", |text| {
            let one = text.replace("{instance}", "1");
            let (host, port) = one.rsplit_once(':')?;
            (!host.is_empty() && port.parse::<u16>().is_ok()).then(|| text.to_owned())
        })
    }

    fn restart(&mut self, value: &Value<'_>) -> Option<Restart> {
        if value.get_ref().is_str() {
            let policy = self.policy(value)?;
            return Some(Restart {
                policy,
                delay: None,
                limit: None,
            });
        }
        let table = self.table(
            value,
            "a policy, or { policy = \"always\", delay = \"200ms\" }",
        )?;
        self.known(table, &["policy", "delay", "limit"]);
        let policy = self
            .get(table, "policy", Self::policy)
            .unwrap_or(Policy::OnFailure);
        let delay = self.get(table, "delay", Self::duration);
        let limit = self.get(table, "limit", Self::number);
        Some(Restart {
            policy,
            delay,
            limit,
        })
    }

    fn policy(&mut self, value: &Value<'_>) -> Option<Policy> {
        let text = self.string(value)?;
        let policy = match text.as_str() {
            "never" => Policy::Never,
            "on-failure" => Policy::OnFailure,
            "always" => Policy::Always,
            _ => {
                let near = did_you_mean_one_of(&text, &["never", "on-failure", "always"]);
                self.wrong(value.span().start, format!("unknown policy `{text}`{near}"));
                return None;
            }
        };
        Some(policy)
    }
}

/// The instance of a number: its name ends in it, and `{instance}` means it.
fn instance(spec: &Spec, number: u16) -> Spec {
    let number = number.to_string();
    let mut one = spec.clone().filled("{instance}", &number);
    one.name = format!("{}-{number}", spec.name);
    one.env.push(("INSTANCE".to_owned(), number));
    one
}
