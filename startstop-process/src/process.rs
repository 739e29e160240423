//! A program as a service.

mod message;
mod notify;
mod limits;
mod obstacle;
mod format;
mod command;
mod input;
mod helper;
mod waiting;
mod unready;
mod reloading;
mod told;
mod stopping;
mod verdict;
mod attempt;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use startstop_core::{Context, Readiness, Service, Settings};

use crate::error::ProcessError;
use crate::output::{Output, Sinks};
use crate::ready::Ready;
use crate::signal::Signal;
use limits::Limits;

/// An example in which a process does its job.
macro_rules! job {
    ($process:literal) => {
        concat!(
            "```\n# use startstop_core::{Readiness, Runner, Settings};\n# use startstop_process::Process;\n",
            "# #[tokio::main(flavor = \"current_thread\")]\n# async fn main() {\n",
            "let process = ",
            $process,
            ";\nlet job = Settings::new().readiness(Readiness::Completion);\n",
            "assert!(Runner::with_settings(process, job).start().await.is_ok());\n# }\n```",
        )
    };
}

/// A program as a service: each attempt spawns it once, in a process group of its own, and has ended when
/// the group is empty.
///
/// **Stop.** The stop signal goes to the leader, and CONT after it, for it may be stopped. When the leader
/// has ended, the signal goes to what is left of its group. A fifth of the time, at most 1 s, before the
/// deadline the whole group is killed. One that ends by the stop signal, or with a success code, once it
/// was told to stop has not failed.
///
/// **By itself.** When the leader leaves by itself, its code counts, and what is left of its group is ended
/// in the same way, within the `stop_timeout`. An abort kills the group.
///
/// **Told together.** A service manager signals a whole control group, children too, and one that others depend
/// on would be told to stop last. A child that has been ended by a signal that this process was sent as well, at
/// the same time, waits for its stop, and has not failed.
///
/// **Status.** The detail is its pid, and what it says by `STATUS=`; the reason why it is not ready says what is
/// waited for.
///
/// Children inherit the environment, but for what a host says to this process alone: `NOTIFY_SOCKET`, `FDSTORE`, `WATCHDOG_USEC`
/// and `WATCHDOG_PID`, the `LISTEN_*` of socket units, `STARTSTOP_NOTIFY_FD` and `STARTSTOP_GRACE`. They begin with the stop and
/// reload signals at their default.
///
/// # Panics
///
/// An attempt panics on a runtime without I/O.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use startstop_core::{RestartPolicy, Runner, Settings};
/// use startstop_process::{Process, Signal};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let worker = Process::new("sleep")
///     .arg("1000")
///     .env("QUEUE", "mail")
///     .stop_signal(Signal::INT)
///     .settings(Settings::new().restart(RestartPolicy::on_failure()));
/// let runner = Runner::new(worker);
/// runner.start().await.unwrap();
/// runner.stop_within(Duration::from_secs(2)).await.unwrap();
/// # }
/// ```
#[derive(Clone)]
pub struct Process {
    program: OsString,
    args: Vec<OsString>,
    envs: Vec<(OsString, Option<OsString>)>,
    env_clear: bool,
    cwd: Option<PathBuf>,
    uid: Option<u32>,
    gid: Option<u32>,
    stdin: Stdin,
    limits: Limits,
    umask: Option<u32>,
    nice: Option<i32>,
    session: bool,
    ready: Option<Ready>,
    stop_signal: Signal,
    longest_stop: Option<Duration>,
    limit: Option<Duration>,
    success: Vec<i32>,
    reload: Option<OnReload>,
    output: Output,
    sinks: Sinks,
    settings: Settings,
}

#[derive(Clone)]
enum Stdin {
    Null,
    Inherit,
    Text(Arc<[u8]>),
}

#[derive(Clone)]
enum OnReload {
    Signal(Signal),
    Command(Vec<OsString>),
}

impl Process {
    /// Makes a service of a program, which is looked for in the `PATH` that it will have, unless there is
    /// a `/` in its name. A script begins with `#!`: without it the start fails, as with other service managers, for only a
    /// shell would guess what it is. Name the shell then: `Process::new("sh").arg("script")`.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("true")"#)]
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            envs: Vec::new(),
            env_clear: false,
            cwd: None,
            uid: None,
            gid: None,
            stdin: Stdin::Null,
            limits: Limits::default(),
            umask: None,
            nice: None,
            session: false,
            ready: None,
            stop_signal: Signal::TERM,
            longest_stop: None,
            limit: None,
            success: vec![0],
            reload: None,
            output: Output::default(),
            sinks: Sinks::default(),
            settings: Settings::new(),
        }
    }

    /// Adds an argument.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("test").arg("-n").arg("some text")"#)]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("test").args(["1", "-lt", "2"])"#)]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("sh").args(["-c", "test $QUEUE = mail"]).env("QUEUE", "mail")"#)]
    pub fn env(mut self, key: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.envs.push((key.into(), Some(value.into())));
        self
    }

    /// Sets variables of its environment.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("sh").args(["-c", "test $A$B = 12"]).envs([("A", "1"), ("B", "2")])"#)]
    pub fn envs<K: Into<OsString>, V: Into<OsString>>(
        mut self,
        vars: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.envs.extend(
            vars.into_iter()
                .map(|(key, value)| (key.into(), Some(value.into()))),
        );
        self
    }

    /// Removes a variable from its environment.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("sh").args(["-c", "test -z \"$A\""]).env("A", "1").env_remove("A")"#)]
    pub fn env_remove(mut self, key: impl Into<OsString>) -> Self {
        self.envs.push((key.into(), None));
        self
    }

    /// Begins with an empty environment.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("/bin/sh").args(["-c", "test -z \"$HOME\""]).env_clear()"#)]
    pub fn env_clear(mut self) -> Self {
        self.env_clear = true;
        self.envs.clear();
        self
    }

    /// Sets its working directory. Default: that of this process.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("sh").args(["-c", "test $PWD = /usr"]).cwd("/usr")"#)]
    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cwd = Some(folder.into());
        self
    }

    /// Sets the user whom it runs as, by number. It has no supplementary groups then; its group stays that of
    /// this process, unless [`gid`](Self::gid) sets it. This takes the rights of root.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("sh").args(["-c", "test $(id -u) = 65534"]).uid(65534)"#)]
    pub fn uid(mut self, uid: u32) -> Self {
        self.uid = Some(uid);
        self
    }

    /// Sets the group that it runs as, by number.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("sh").args(["-c", "test $(id -g) = 65534"]).gid(65534)"#)]
    pub fn gid(mut self, gid: u32) -> Self {
        self.gid = Some(gid);
        self
    }

    /// Gives it this text as its standard input. Default: an empty one.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("grep").args(["-q", "text"]).stdin("some text\n")"#)]
    pub fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        self.stdin = Stdin::Text(text.as_ref().into());
        self
    }

    /// Gives it the standard input of this process.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("test").args(["-e", "/dev/stdin"]).stdin_inherit()"#)]
    pub fn stdin_inherit(mut self) -> Self {
        self.stdin = Stdin::Inherit;
        self
    }

    /// Sets its umask.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("sh").args(["-c", "test $(umask) = 0027"]).umask(0o027)"#)]
    pub fn umask(mut self, mask: u32) -> Self {
        self.umask = Some(mask);
        self
    }

    /// Sets by how much it is nicer than this process. A number below zero takes the rights of this process, also where
    /// the child runs as another [`uid`](Self::uid); without them it is not spawned.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("sh").args(["-c", "test $(nice) -ge 5"]).nice(5)"#)]
    pub fn nice(mut self, by: i32) -> Self {
        self.nice = Some(by);
        self
    }

    /// Limits how many files it can open: `RLIMIT_NOFILE`. More than the hard limit of this process takes the rights of this
    /// process (`CAP_SYS_RESOURCE`), also where the child runs as another [`uid`](Self::uid); without them it is not spawned.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("sh").args(["-c", "test $(ulimit -n) = 64"]).limit_files(64)"#)]
    pub fn limit_files(mut self, most: u64) -> Self {
        self.limits.files = Some(most);
        self
    }

    /// Limits its address space, in bytes, rounded down to kilobytes: `RLIMIT_AS`. More than the hard limit of this process is
    /// as with [`limit_files`](Self::limit_files).
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("sh").args(["-c", "test $(ulimit -v) = 1048576"]).limit_memory(1 << 30)"#)]
    pub fn limit_memory(mut self, bytes: u64) -> Self {
        self.limits.memory = Some(bytes / 1024);
        self
    }

    /// Gives it a session of its own, without a terminal, by `setsid`.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("sh").args(["-c", "set -- $(cat /proc/$$/stat); test $1 = $6"]).session()"#)]
    pub fn session(mut self) -> Self {
        self.session = true;
        self
    }

    /// Sets when it is ready. Default: once it has been spawned.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Runner;
    /// # use startstop_process::{Process, Ready, Signal};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = Process::new("sh")
    ///     .args(["-c", "sleep 0.1; echo listening; exec sleep 1000"])
    ///     .ready(Ready::line("listening"));
    /// let runner = Runner::new(server);
    /// runner.start().await.unwrap();
    /// assert!(runner.is_ready());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn ready(mut self, ready: Ready) -> Self {
        self.ready = Some(ready);
        self
    }

    /// Sets the signal that tells it to stop. Default: TERM.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Runner;
    /// # use startstop_process::{Process, Ready, Signal};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let worker = Process::new("sh")
    ///     .args(["-c", "trap 'exit 0' USR1; echo up; while :; do sleep 0.01; done"])
    ///     .ready(Ready::line("up"))
    ///     .stop_signal(Signal::USR1);
    /// let runner = Runner::new(worker);
    /// runner.start().await.unwrap();
    /// assert!(runner.stop().await.is_ok());
    /// # }
    /// ```
    pub fn stop_signal(mut self, signal: Signal) -> Self {
        self.stop_signal = signal;
        self
    }

    /// Lets it put off the end of its stop, by `EXTEND_TIMEOUT_USEC=` and with [`Ready::notify`], as services of systemd do:
    /// it is killed when its `stop_timeout` is over, and the time that it has asked for last as well. All of its stop takes at most
    /// `longest`, which may be [`Duration::MAX`]; owners give it, and count with, that much. Default: it cannot put it off.
    ///
    /// The `stop_timeout` is that of [`settings`](Self::settings). One that is set from outside, by a
    /// [`Member`](startstop_core::Member) say, takes the place of `longest`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use startstop_core::{Runner, Settings};
    /// # use startstop_process::{Process, Ready};
    /// let database = Process::new("postgres")
    ///     .ready(Ready::notify())
    ///     .settings(Settings::new().stop_timeout(Duration::from_secs(10)))
    ///     .longest_stop(Duration::from_secs(300));
    /// assert!(Runner::new(database).grace_period() >= Duration::from_secs(300));
    /// ```
    pub fn longest_stop(mut self, longest: Duration) -> Self {
        self.longest_stop = Some(longest);
        self
    }

    /// Sets the codes that are no failure. Default: 0.
    ///
    /// # Examples
    ///
    #[doc = job!(r#"Process::new("sh").args(["-c", "exit 7"]).success_codes([0, 7])"#)]
    pub fn success_codes(mut self, codes: impl IntoIterator<Item = i32>) -> Self {
        self.success = codes.into_iter().collect();
        self
    }

    /// Sets the signal that a reload sends. Default: the process supports no reload.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Runner;
    /// # use startstop_process::{Process, Ready, Signal};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = Process::new("sh")
    ///     .args(["-c", "trap : HUP; echo up; while :; do sleep 0.01; done"])
    ///     .ready(Ready::line("up"))
    ///     .reload_signal(Signal::HUP);
    /// let runner = Runner::new(server);
    /// runner.start().await.unwrap();
    /// assert!(runner.reload().await.is_ok());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn reload_signal(mut self, signal: Signal) -> Self {
        self.reload = Some(OnReload::Signal(signal));
        self
    }

    /// Sets the command that a reload runs, as the user and with the environment of the child; it
    /// knows the child as `MAINPID`. Its output goes where that of the child does. A code other than 0 means that the reload has
    /// failed, with the last line of its standard error.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::Runner;
    /// # use startstop_process::{Process, Ready, Signal};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let server = Process::new("sleep").arg("1000").reload_command(["sh", "-c", "kill -0 $MAINPID"]);
    /// let runner = Runner::new(server);
    /// runner.start().await.unwrap();
    /// assert!(runner.reload().await.is_ok());
    /// # runner.stop().await.unwrap();
    /// # }
    /// ```
    pub fn reload_command<A: Into<OsString>>(
        mut self,
        command: impl IntoIterator<Item = A>,
    ) -> Self {
        self.reload = Some(OnReload::Command(
            command.into_iter().map(Into::into).collect(),
        ));
        self
    }

    /// Sets where its output goes. Default: as [`Output::default`] says.
    ///
    /// # Examples
    ///
    /// ```
    /// # use startstop_core::{Readiness, Runner, Settings};
    /// # use startstop_process::{Output, Process};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (sender, lines) = std::sync::mpsc::channel();
    /// let process = Process::new("echo").arg("hello");
    /// let process = process.output(Output::lines(move |line| drop(sender.send(line.text))));
    /// let job = Settings::new().readiness(Readiness::Completion);
    /// Runner::with_settings(process, job).start().await.unwrap();
    /// assert_eq!(lines.recv().unwrap(), "hello");
    /// # }
    /// ```
    pub fn output(mut self, output: Output) -> Self {
        self.output = output;
        // A clone may have another output.
        self.sinks = Sinks::default();
        self
    }

    /// Sets timeouts, restart policy and name. The readiness is `Explicit` unless it is set.
    ///
    /// With a [`watchdog`](Settings::watchdog) and [`Ready::notify`] the child knows it as `WATCHDOG_USEC`, and
    /// its `WATCHDOG=1` are the heartbeats; so also where the watchdog is set from outside, by a
    /// [`Member`](startstop_core::Member) say.
    ///
    /// # Examples
    ///
    /// ```
    /// use startstop_core::{Runner, Settings};
    /// use startstop_process::Process;
    ///
    /// let web = Process::new("python3").settings(Settings::new().name("web"));
    /// assert_eq!(Runner::new(web).name(), "web");
    /// ```
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }
}

impl Service for Process {
    type Error = ProcessError;

    async fn run(&self, cx: Context) -> Result<(), ProcessError> {
        attempt::run(self, &cx).await
    }

    fn settings(&self) -> Settings {
        let mut settings = self.settings.clone();
        if settings.get_name().is_none() {
            let program = std::path::Path::new(&self.program).file_name();
            let name = program.map(|name| name.to_string_lossy().into_owned());
            settings = settings.name(name.unwrap_or_default());
        }
        if settings.get_readiness().is_none() {
            settings = settings.readiness(Readiness::Explicit);
        }
        if let Some(longest) = self.longest_stop {
            settings = settings.stop_timeout(longest.max(self.stop_timeout()));
        }
        settings
    }
}

/// Values of the environment may be secret.
impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("program", &self.program)
            .field("args", &self.args)
            .field("ready", &self.ready)
            .field("stop_signal", &self.stop_signal)
            .finish_non_exhaustive()
    }
}

impl Process {
    /// Limits how long it runs, as a job does that has a time to start: its readiness is its end, which the timeout of a runner
    /// does not limit.
    pub(crate) fn limit(mut self, longest: Duration) -> Self {
        self.limit = Some(longest);
        self
    }

    fn stop_timeout(&self) -> Duration {
        self.settings
            .get_stop_timeout()
            .unwrap_or(Duration::from_secs(5))
    }
}
