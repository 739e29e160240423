//! A program as pid 1: it runs itself once more as a child, forwards signals and reaps.

use std::env;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group, wait,
};
use rustix_libc_wrappers::process::SignalExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::host::tell;

/// All that have a name, beside those of real time, but for those that are about the process itself: of a fault, of a child, of its terminal or of a pipe.
const FORWARDED: [Signal; 15] = [
    Signal::TERM,
    Signal::INT,
    Signal::HUP,
    Signal::QUIT,
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::VTALARM,
    Signal::PROF,
    Signal::WINCH,
    Signal::TSTP,
    Signal::CONT,
    Signal::URG,
    Signal::IO,
    Signal::POWER,
];

/// After these the program goes on if it is stopped, as by a SIGTSTP, for it is to hear them, as services of systemd do.
const WAKING: [Signal; 4] = [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT];

/// How long who is left has when the program has ended.
const MOMENT: Duration = Duration::from_secs(1);

/// Runs this program once more as a child where it is pid 1, and returns the code to leave with; `None`
/// where it is not, and is to go on. Call it first in `main`, before there is a runtime or a thread.
///
/// Pid 1 is the parent of every orphan. It only forwards signals and reaps, so that no child that the
/// program waits for is ever taken from it. What is left when the program has ended gets TERM, and KILL a
/// second later.
///
/// Sockets that a service manager or a container engine has handed over to pid 1 (`LISTEN_PID=1`) are the child's, and so is its
/// watchdog.
///
/// [`Host::main`](crate::Host::main) does the same; call this where there is something before it that cannot be done
/// twice, a port that is bound say, or sockets that are taken, and where the program has a `main` of its own.
///
/// # Examples
///
/// ```
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     if let Some(code) = startstop_host::run_as_init() {
///         return code;
///     }
///     ExitCode::SUCCESS // the program
/// }
/// ```
pub fn run_as_init() -> Option<ExitCode> {
    is_init().then(as_init)
}

pub(crate) fn is_init() -> bool {
    getpid().is_init()
}

pub(crate) fn as_init() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime.and_then(|runtime| runtime.block_on(serve())) {
        Ok(code) => code.into(),
        Err(error) => {
            tell(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> io::Result<u8> {
    let (sender, mut heard) = mpsc::unbounded_channel();
    // By those of real time container engines tell an init to halt, and programs each other what they have agreed on.
    let real_time = (0..).map_while(Signal::rt);
    for forwarded in FORWARDED.into_iter().chain(real_time) {
        let mut listener = signal(SignalKind::from_raw(forwarded.as_raw()))?;
        let sender = sender.clone();
        tokio::spawn(async move {
            while listener.recv().await.is_some() && sender.send(forwarded).is_ok() {}
        });
    }
    let mut ended = signal(SignalKind::child())?;
    let mut args = env::args_os();
    let name = args.next().unwrap_or_default();
    let mut command = Command::new(program());
    command.arg0(name).args(args);
    hand_on_what_is_meant_for_us(&mut command);
    // The child is reaped below, with all others.
    let child = command.spawn()?;
    #[cfg(feature = "sockets")]
    crate::sockets::close_all();
    let child = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let child = child.ok_or_else(|| io::Error::other("not the id of a process"))?;
    loop {
        if let Some(code) = reap(child) {
            end_the_rest().await;
            return Ok(code);
        }
        tokio::select! {
            _ = ended.recv() => {}
            Some(signal) = heard.recv() => hand_on(child, signal),
        }
    }
}

/// Sockets and a watchdog that a service manager has meant for pid 1 are those of the program, whose own number nobody knows yet.
fn hand_on_what_is_meant_for_us(command: &mut Command) {
    let own = std::process::id().to_string();
    let is_own = |variable: &str| env::var(variable).is_ok_and(|pid| pid == own);
    if is_own("WATCHDOG_PID") {
        command.env_remove("WATCHDOG_PID");
    }
    if is_own("LISTEN_PID") {
        command
            .env_remove("LISTEN_PID")
            .env(crate::child::LISTEN_PPID, &own);
    }
}

/// Forwards a signal to a child that is not reaped yet, so that its id has not been given to another process.
fn hand_on(child: Pid, signal: Signal) {
    // It may be a zombie by now.
    let _ = kill_process(child, signal);
    if WAKING.contains(&signal) {
        let _ = kill_process(child, Signal::CONT);
    }
}

/// Returns the path of this program, by which the child bears its name in `ps`, `pgrep` and the like; where another file is there
/// by now, or none, that of what runs here.
fn program() -> PathBuf {
    let running = PathBuf::from("/proc/self/exe");
    let file = |path: &Path| path.metadata().map(|file| (file.dev(), file.ino())).ok();
    let path = env::current_exe().ok();
    path.filter(|path| file(path).is_some_and(|there| file(&running) == Some(there)))
        .unwrap_or(running)
}

/// Reaps all who are dead. The code of the child, if it is among them.
fn reap(child: Pid) -> Option<u8> {
    let mut code = None;
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == child {
            code = Some(code_of(status));
        }
    }
    code
}

/// As shells have it: 128 and the number of the signal.
fn code_of(status: WaitStatus) -> u8 {
    let code = match status.terminating_signal() {
        Some(signal) => 128 + signal,
        None => status.exit_status().unwrap_or(1),
    };
    u8::try_from(code).unwrap_or(1)
}

async fn end_the_rest() {
    // A signal to the group of init goes to every process but this one, and fails once there is none.
    let begin = Instant::now();
    let mut signal = Signal::TERM;
    while kill_process_group(Pid::INIT, signal).is_ok() {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(_) => return,
            }
        }
        sleep(Duration::from_millis(10)).await;
        if begin.elapsed() > MOMENT * 2 {
            return;
        }
        signal = if begin.elapsed() > MOMENT {
            Signal::KILL
        } else {
            Signal::CONT
        };
    }
}
