//! Children that speak as `sd_notify` does.

mod as_systemd;

use std::fs;
use std::time::Duration;

use startstop_core::{Cause, EventKind, Exit, Group, Member, Runner, Settings, StopError};
use startstop_process::{Process, ProcessError, Ready, Signal};

use crate::support::{Folder, is_alive, last_error, python, runner};

/// A child that sends these messages, and then goes on with what comes behind them.
fn sends(messages: &[&str], then: &str) -> Process {
    let sends = messages
        .iter()
        .map(|message| format!("s.send({message:?}.encode())\n"));
    let sends = sends.collect::<Vec<_>>().concat();
    let begin = "import os, socket, sys, time\n\
                 s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
                 s.connect(os.environ['NOTIFY_SOCKET'])\n";
    python(&format!("{begin}{sends}{then}")).ready(Ready::notify())
}

#[tokio::test]
async fn a_folder_that_an_earlier_process_of_the_same_id_has_left_hinders_nobody() {
    let folders: Vec<_> = (0..50)
        .map(|n| std::env::temp_dir().join(format!("startstop-{}-{n}", std::process::id())))
        .filter(|folder| fs::create_dir(folder).is_ok())
        .collect();
    let runner = runner(sends(&["READY=1"], "time.sleep(1000)"));
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
    for folder in folders {
        fs::remove_dir(folder).unwrap();
    }
}

#[tokio::test]
async fn a_child_of_another_user_reaches_the_socket_and_nobody_else_does() {
    let script = "os.system('stat -c %a:%u ' + os.path.dirname(os.environ['NOTIFY_SOCKET']) + ' >&2')\n\
                  sys.exit(1)";
    let runner = runner(sends(&["READY=1"], script).uid(65534).gid(65534));
    runner.start().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Failed);
    last_error(&runner, |error| {
        let ProcessError::Exited { tail, .. } = error else {
            panic!("{error:?}")
        };
        assert_eq!(tail.last().map(String::as_str), Some("700:65534"));
    });
}

#[tokio::test]
async fn an_errno_is_told_with_the_failure() {
    let runner = runner(sends(&["STATUS=no luck\nERRNO=111"], "sys.exit(3)"));
    runner.start().await.unwrap_err();
    last_error(&runner, |error| {
        let text = error.to_string();
        assert!(
            text.starts_with("exited with code 3: Connection refused"),
            "{text}"
        );
    });
}

#[tokio::test]
async fn a_child_that_falls_silent_is_killed_by_its_watchdog() {
    let then = "silence = int(os.environ['WATCHDOG_USEC']) / 1e6\n\
                for n in range(3):\n    time.sleep(silence / 3); s.send(b'WATCHDOG=1')\n\
                print('silent', file=sys.stderr, flush=True); time.sleep(1000)";
    let settings = Settings::new().watchdog(Duration::from_secs(2));
    let runner = Runner::new(sends(&["READY=1"], then).settings(settings));
    runner.start().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Failed);
    let failure = runner.errors_last().unwrap();
    assert_eq!(failure.cause(), Cause::Unresponsive);
    assert!(
        failure.uptime() >= Duration::from_millis(3900),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_watchdog_that_is_set_from_outside_hears_the_child_and_kills_its_group() {
    let folder = Folder::new("outside");
    let then = format!(
        "os.system('sleep 1000 & echo $! >{}')\n\
         silence = int(os.environ['WATCHDOG_USEC']) / 1e6\n\
         for n in range(6):\n    time.sleep(silence / 5); s.send(b'WATCHDOG=1')\n\
         time.sleep(1000)",
        folder.path("pid")
    );
    let child = sends(&["READY=1"], &then);
    let outside = Settings::new().watchdog(Duration::from_secs(3));
    let member = Member::new(child).settings(outside);
    let group = Group::builder("app").with("child", member).build().unwrap();
    let runner = Runner::new(group);
    runner.start().await.unwrap();
    let pid = folder.read("pid").await;
    assert_eq!(runner.wait().await, Exit::Failed);
    let failure = runner.find("app/child").unwrap().errors_last().unwrap();
    assert_eq!(failure.cause(), Cause::Unresponsive);
    assert!(failure.uptime() >= Duration::from_secs(6), "{failure:?}");
    assert!(!is_alive(&pid), "one of the group is left");
}

#[tokio::test]
async fn a_child_takes_its_readiness_back_while_it_reloads_and_its_status_is_shown() {
    let then = "sys.stdin.read()\nfor m in (b'RELOADING=1\\nSTATUS=reads on', b'READY=1\\nSTATUS=reads no more'):\n    \
                s.send(m); time.sleep(0.3)\ntime.sleep(1000)";
    let runner = runner(sends(&["READY=1\nSTATUS=reads"], then));
    let mut events = runner.events();
    runner.start().await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 3 {
        match events.next().await.unwrap().kind() {
            EventKind::Ready { .. } => seen.push("ready".to_owned()),
            EventKind::NotReady(why) => seen.push(why.to_string()),
            _ => {}
        }
    }
    assert_eq!(seen, ["ready", "it reloads", "ready"]);
    let status = loop {
        let status = runner.status();
        if status
            .detail()
            .is_some_and(|detail| detail.ends_with("no more"))
        {
            break status;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let detail = status.detail().unwrap();
    let pid = detail
        .strip_prefix("pid ")
        .and_then(|rest| rest.strip_suffix(": reads no more"));
    assert!(
        pid.is_some_and(|pid| pid.parse::<u32>().is_ok()),
        "{detail}"
    );
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn a_child_can_put_off_the_end_of_its_start() {
    let then = "time.sleep(8.5)\ns.send(b'READY=1')\ntime.sleep(1000)";
    let settings = Settings::new().start_timeout(Duration::from_secs(8));
    let runner = Runner::new(sends(&["EXTEND_TIMEOUT_USEC=60000000"], then).settings(settings));
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn the_awaited_condition_is_shown_while_a_child_starts() {
    let runner = runner(sends(&[], "time.sleep(1000)"));
    runner.request_start();
    let why = loop {
        if let Some(why) = runner.status().not_ready_reason() {
            break why.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(why, "no READY=1");
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn one_who_is_told_to_stop_is_heard_out_and_waits_for_nobody() {
    let folder = Folder::new("heard-out");
    // As `systemd-notify` does, the child waits until somebody has taken the descriptor.
    let script = format!(
        "import array, os, signal, socket, sys, time\n\
                  s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
                  s.connect(os.environ['NOTIFY_SOCKET'])\n\
                  def bye(*_):\n\
                  \x20   for n in range(2000): s.send(b'STATUS=step %d' % n)\n\
                  \x20   taken, sent = os.pipe()\n\
                  \x20   s.sendmsg([b'BARRIER=1'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [sent]))])\n\
                  \x20   os.close(sent)\n\
                  \x20   os.read(taken, 1)\n\
                  \x20   while not os.path.exists('{}'): time.sleep(0.01)\n\
                  \x20   sys.exit(0)\n\
                  signal.signal(signal.SIGTERM, bye)\n\
                  s.send(b'READY=1')\n\
                  while True: time.sleep(0.01)",
        folder.path("shown")
    );
    let runner = runner(python(&script).ready(Ready::notify()));
    runner.start().await.unwrap();
    let is_shown = async {
        while !runner
            .status()
            .detail()
            .is_some_and(|text| text.ends_with(": step 1999"))
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        fs::write(folder.path("shown"), "").unwrap();
    };
    let stops = async { runner.stop().await.unwrap() };
    tokio::join!(stops, is_shown);
}

#[tokio::test]
async fn what_is_said_right_before_the_end_is_heard() {
    let folder = Folder::new("last-words");
    let script = format!(
        "import os, socket, time\n\
         s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
         s.connect(os.environ['NOTIFY_SOCKET'])\n\
         s.send(b'READY=1')\n\
         open('{}', 'w').write(str(os.getpid()) + '\\n')\n\
         while not os.path.exists('{}'): time.sleep(0.01)\n\
         s.send(b'ERRNO=111')\n\
         os._exit(3)",
        folder.path("pid"),
        folder.path("go"),
    );
    let child = python(&script).ready(Ready::notify());
    let runner = runner(child);
    runner.start().await.unwrap();
    let pid = folder.read("pid").await;
    fs::write(folder.path("go"), "").unwrap();
    // The only thread of this runtime sees both at once.
    while is_alive(&pid) {
        std::thread::yield_now();
    }
    assert_eq!(runner.wait().await, Exit::Failed);
    last_error(&runner, |error| {
        let text = error.to_string();
        assert!(
            text.starts_with("exited with code 3: Connection refused"),
            "{text}"
        );
    });
}

/// A child that asks for so many microseconds each 100 ms once it is told to stop, and leaves after 30 times.
fn asks(micros: &str) -> Process {
    let then = format!(
        "import signal\n\
         def bye(*_):\n    \
             for n in range(30): s.send(b'EXTEND_TIMEOUT_USEC={micros}'); time.sleep(0.1)\n    \
             os._exit(0)\n\
         signal.signal(signal.SIGTERM, bye)\n\
         s.send(b'READY=1')\n\
         while True: time.sleep(0.01)"
    );
    let settings = Settings::new().stop_timeout(Duration::from_secs(2));
    sends(&[], &then).settings(settings)
}

async fn stopped(process: Process) -> Result<(), StopError> {
    let runner = Runner::new(process);
    runner.start().await.unwrap();
    runner.stop().await
}

#[tokio::test]
async fn a_child_can_put_off_the_end_of_its_stop_as_far_as_it_may() {
    let seconds = Duration::from_secs;
    stopped(asks("5000000").longest_stop(seconds(60)))
        .await
        .unwrap();
    // As much as there is.
    stopped(asks("18446744073709551615").longest_stop(Duration::MAX))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_child_that_asks_for_more_time_than_it_may_have_or_too_late_is_killed() {
    let may_not = || asks("5000000");
    let too_little = || asks("50000").longest_stop(Duration::from_secs(60));
    let too_much = || asks("60000000").longest_stop(Duration::from_millis(2200));
    for process in [may_not(), too_little(), too_much()] {
        stopped(process).await.unwrap_err();
    }
    let runner = Runner::new(asks("60000000").longest_stop(Duration::MAX));
    runner.start().await.unwrap();
    runner
        .stop_within(Duration::from_secs(1))
        .await
        .unwrap_err();
    last_error(&runner, |error| {
        let killed = matches!(
            error,
            ProcessError::Signalled {
                signal: Signal::KILL,
                ..
            }
        );
        assert!(killed, "{error:?}");
    });
}
