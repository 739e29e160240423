//! A process as a file describes it, and the member that is made from that.

use std::time::Duration;

use startstop_core::{
    Backoff, Member, OnCompletion, OnFailure, Readiness, RestartPolicy, Settings,
};

use super::log::Log;
use super::users::User;
use crate::process::Process;
use crate::ready::Ready;
use crate::signal::Signal;

#[derive(Debug)]
pub(super) struct Document {
    pub(super) head: Head,
    pub(super) specs: Vec<Spec>,
}

/// The settings of all processes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Head {
    pub(super) name: String,
    pub(super) admin: Option<String>,
    pub(super) control: Option<Control>,
    pub(super) log: Log,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            name: "processes".to_owned(),
            admin: None,
            control: None,
            log: Log::Terminal,
        }
    }
}

/// The callers that may control the processes on the admin port, and the names of this host that they may use.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) token: String,
    pub(crate) hosts: Vec<String>,
}

/// The token is secret.
impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

/// Compared to find out what has changed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) command: Vec<String>,
    pub(super) after: Vec<String>,
    pub(super) bound_to: Vec<String>,
    pub(super) ready: Option<Ready>,
    pub(super) restart: Option<Restart>,
    pub(super) ends: Ends,
    pub(super) cwd: Option<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) env_clear: Option<bool>,
    pub(super) stop_signal: Option<Signal>,
    pub(super) stop_timeout: Option<Duration>,
    pub(super) longest_stop: Option<Duration>,
    pub(super) start_timeout: Option<Duration>,
    pub(super) watchdog: Option<Duration>,
    pub(super) success_codes: Option<Vec<i32>>,
    pub(super) reload: Option<Reload>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) user: Option<User>,
    pub(super) umask: Option<u32>,
    pub(super) nice: Option<i32>,
    pub(super) files: Option<u64>,
    pub(super) memory: Option<u64>,
    pub(super) session: Option<bool>,
    pub(super) job: Option<bool>,
    pub(super) log: Log,
}

impl Spec {
    /// Returns the names of all that it starts after.
    pub(super) fn needs(&self) -> impl Iterator<Item = &String> {
        self.after.iter().chain(&self.bound_to)
    }

    /// Replaces a placeholder in each of its texts.
    pub(super) fn filled(mut self, placeholder: &str, value: &str) -> Self {
        let fill = |text: &mut String| *text = text.replace(placeholder, value);
        self.command.iter_mut().for_each(fill);
        self.env.iter_mut().for_each(|(_, value)| fill(value));
        self.cwd.iter_mut().for_each(fill);
        if let Some(Reload::Command(command)) = &mut self.reload {
            command.iter_mut().for_each(fill);
        }
        self.ready = self.ready.map(|ready| ready.filled(placeholder, value));
        if let Log::File(rotation) = &mut self.log {
            let path = rotation.path.to_string_lossy().replace(placeholder, value);
            rotation.path = path.into();
        }
        self
    }
}

/// The consequence for the others when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    Alone,
    StopsAll,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reload {
    Signal(Signal),
    Command(Vec<String>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Restart {
    pub(super) policy: Policy,
    pub(super) delay: Option<Duration>,
    pub(super) limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Never,
    OnFailure,
    Always,
}

impl Spec {
    pub(super) fn new(name: &str, command: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            command,
            after: Vec::new(),
            bound_to: Vec::new(),
            ready: None,
            restart: None,
            ends: Ends::Alone,
            cwd: None,
            env: Vec::new(),
            env_clear: None,
            stop_signal: None,
            stop_timeout: None,
            longest_stop: None,
            start_timeout: None,
            watchdog: None,
            success_codes: None,
            reload: None,
            uid: None,
            gid: None,
            user: None,
            umask: None,
            nice: None,
            files: None,
            memory: None,
            session: None,
            job: None,
            log: Log::Terminal,
        }
    }

    pub(super) fn member(&self) -> Member {
        let member = Member::new(self.process())
            .after(self.after.clone())
            .bound_to(self.bound_to.clone());
        match self.ends {
            // A process that is given up must not end the others.
            Ends::Alone => member.on_failure(OnFailure::Ignore),
            Ends::StopsAll => member
                .on_failure(OnFailure::StopGroup)
                .on_completion(OnCompletion::StopGroup),
        }
    }

    fn process(&self) -> Process {
        let mut process = Process::new(&self.command[0]).args(&self.command[1..]);
        if self.env_clear == Some(true) {
            process = process.env_clear();
        }
        process = with(process, self.user.as_ref(), |process, user| {
            process.envs(user.vars())
        });
        process = process.envs(self.env.iter().map(|(key, value)| (key, value)));
        process = with(process, self.cwd.as_ref(), Process::cwd);
        process = with(process, self.ready.clone(), Process::ready);
        process = with(process, self.stop_signal, Process::stop_signal);
        process = with(process, self.longest_stop, Process::longest_stop);
        process = with(process, self.success_codes.clone(), Process::success_codes);
        process = with(process, self.user.as_ref(), as_user);
        process = with(process, self.uid, Process::uid);
        process = with(process, self.gid, Process::gid);
        process = with(process, self.umask, Process::umask);
        process = with(process, self.nice, Process::nice);
        process = with(process, self.files, Process::limit_files);
        process = with(process, self.memory, Process::limit_memory);
        process = match &self.reload {
            Some(Reload::Signal(signal)) => process.reload_signal(*signal),
            Some(Reload::Command(command)) => process.reload_command(command),
            None => process,
        };
        if self.job == Some(true) {
            process = with(process, self.start_timeout, Process::limit);
        }
        if self.session == Some(true) {
            process = process.session();
        }
        process.output(self.log.output()).settings(self.settings())
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings::new();
        if self.job == Some(true) {
            settings = settings.readiness(Readiness::Completion);
        }
        settings = with(settings, self.stop_timeout, Settings::stop_timeout);
        settings = with(settings, self.start_timeout, Settings::start_timeout);
        settings = with(settings, self.watchdog, Settings::watchdog);
        with(
            settings,
            self.restart.as_ref().map(Restart::policy),
            Settings::restart,
        )
    }
}

impl Restart {
    fn policy(&self) -> RestartPolicy {
        let policy = match self.policy {
            Policy::Never => RestartPolicy::never(),
            Policy::OnFailure => RestartPolicy::on_failure(),
            Policy::Always => RestartPolicy::always(),
        };
        let policy = with(
            policy,
            self.delay.map(Backoff::constant),
            RestartPolicy::backoff,
        );
        let window = Duration::from_secs(600);
        with(policy, self.limit, |policy, most| {
            policy.limit(most, window)
        })
    }
}

fn as_user(process: Process, user: &User) -> Process {
    process.uid(user.uid).gid(user.gid)
}

fn with<T, V>(value: T, setting: Option<V>, set: impl FnOnce(T, V) -> T) -> T {
    match setting {
        Some(setting) => set(value, setting),
        None => value,
    }
}
