//! Messages that a child of systemd may send, beside those that every one does.

use std::time::Duration;

use startstop_core::{Cause, EventKind, Exit, RestartPolicy, Runner, Settings};
use startstop_process::{ProcessError, Ready};

use super::sends;
use crate::support::{Folder, is_alive, last_error, python, runner};

#[tokio::test]
async fn a_child_that_triggers_its_watchdog_is_killed_with_its_group_and_has_failed() {
    let folder = Folder::new("triggered");
    let then = format!(
        "os.system('(trap \"\" TERM; exec sleep 1000) & echo $! >{}')\n\
         print('out of order', file=sys.stderr, flush=True); time.sleep(0.1)\n\
         s.send(b'WATCHDOG=trigger'); time.sleep(1000)",
        folder.path("pid")
    );
    // There need be no other watchdog.
    let again = Settings::new().restart(RestartPolicy::on_failure().limit(1, Duration::MAX));
    let runner = Runner::with_settings(sends(&["READY=1"], &then), again);
    runner.start().await.unwrap();
    assert_eq!(runner.wait().await, Exit::Failed);
    let failure = runner.errors_last().unwrap();
    assert_eq!((failure.attempt(), failure.cause()), (2, Cause::Error));
    last_error(&runner, |error| {
        assert!(matches!(error, ProcessError::Triggered { .. }), "{error:?}");
        let expected = "it has triggered its watchdog: out of order";
        assert_eq!(error.to_string(), expected);
    });
    assert!(
        !is_alive(&folder.read("pid").await),
        "one of the group is left"
    );
}

#[tokio::test]
async fn one_who_is_not_ready_and_triggers_its_watchdog_has_not_started() {
    let runner = runner(sends(&["WATCHDOG=trigger"], "time.sleep(1000)"));
    runner.start().await.unwrap_err();
    last_error(&runner, |error| {
        assert!(matches!(error, ProcessError::Triggered { .. }), "{error:?}");
    });
    assert_eq!(runner.errors_list().len(), 1);
}

#[tokio::test]
async fn a_barrier_is_passed_and_a_descriptor_for_a_store_is_closed() {
    let script = "import array, os, select, socket, time\n\
                  s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
                  s.connect(os.environ['NOTIFY_SOCKET'])\n\
                  for message in (b'FDSTORE=1\\nFDNAME=x', b'BARRIER=1'):\n    \
                      ours, theirs = os.pipe()\n    \
                      rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [theirs]))\n    \
                      s.sendmsg([message], [rights]); os.close(theirs)\n    \
                      poll = select.poll(); poll.register(ours, 0); poll.poll()\n\
                  s.send(b'READY=1'); time.sleep(1000)";
    let runner = runner(python(script).ready(Ready::notify()));
    runner.start().await.unwrap();
    runner.stop().await.unwrap();
}

#[tokio::test]
async fn an_empty_status_is_none() {
    let then = "s.send(b'STATUS=works\\nREADY=1'); s.send(b'STATUS='); s.send(b'RELOADING=1'); time.sleep(1000)";
    let runner = runner(sends(&[], then));
    let mut events = runner.events();
    runner.start().await.unwrap();
    while !matches!(events.next().await.unwrap().kind(), EventKind::NotReady(why) if why == "it reloads")
    {
    }
    let status = runner.status();
    let detail = status.detail().unwrap();
    assert!(
        !detail.contains(':') && detail.starts_with("pid "),
        "{detail}"
    );
    runner.stop().await.unwrap();
}
