//! The meaning of the end of a child.

use std::io;
use std::time::Duration;

use super::Process;
use super::attempt::{Running, hear_out};
use super::stopping::{self, PutOff};
use crate::error::ProcessError;
use crate::group::Ending;
use crate::port;
use crate::proc_fs;
use crate::ready::{Ready, ReadyKind};

/// It is to stop.
pub(super) async fn stopped(running: Running<'_>) -> Result<(), ProcessError> {
    let Running {
        process,
        cx,
        group,
        pumped,
        mut unready,
        mut told,
        notify,
        ..
    } = running;
    unready.disarm();
    if proc_fs::ignores(group.id(), process.stop_signal) {
        cx.report(format!(
            "it ignores {}, its stop signal",
            process.stop_signal
        ));
    }
    // Processes left behind are reported at once: there is no time to wait for their lines.
    let put_off = process
        .longest_stop
        .map(|_| PutOff::begin(process.stop_timeout()));
    let hearing = hear_out(cx, group.id(), notify, put_off.as_ref());
    let ended = tokio::select! {
        ended = stopping::end(group, process.stop_signal, cx, put_off.as_ref()) => ended?,
        never = hearing => match never {},
    };
    let tail = pumped.finish().await;
    match ended {
        Ending::Signalled { signal, .. } if signal == process.stop_signal => Ok(()),
        // The service manager has signalled the child itself, with its own signal.
        Ending::Signalled { signal, .. } if told.is_of_this_stop(signal) => Ok(()),
        ending => judge(process, ending, tail),
    }
}

/// It has run for too long. The drop of its group kills it, as an abort does.
pub(super) fn late(mut running: Running<'_>, limit: Duration) -> ProcessError {
    running.unready.disarm();
    ProcessError::NotReady {
        why: format!("it has not ended after {limit:?}"),
        tail: running.pumped.tail_handle().lines(),
    }
}

/// It has found itself what a watchdog is for. The drop of its group kills it, as an abort does.
pub(super) fn triggered(mut running: Running<'_>) -> ProcessError {
    running.unready.disarm();
    ProcessError::Triggered {
        tail: running.pumped.tail_handle().lines(),
    }
}

/// The leader has left by itself. A task of the attempt ends what is left of its group, so that it has the
/// time that the settings give.
pub(super) async fn ended(mut running: Running<'_>, ending: Ending) -> Result<(), ProcessError> {
    let was_ready = !running.unready.is_armed();
    running.unready.disarm();
    let was_told = was_told(&mut running, ending).await;
    let holder = if was_ready { None } else { holder(&running) };
    let Running {
        process,
        cx,
        group,
        pumped,
        errno,
        ..
    } = running;
    let mut tail = if group.is_empty().await {
        group.reap();
        pumped.finish().await
    } else {
        pumped.caught_up().await;
        let tail = pumped.tail_handle().lines();
        let (signal, of_task) = (process.stop_signal, cx.clone());
        let put_off = process
            .longest_stop
            .map(|_| PutOff::begin(process.stop_timeout()));
        cx.spawn(async move {
            let ended = stopping::end(group, signal, &of_task, put_off.as_ref()).await;
            pumped.finish().await;
            ended.map(drop)
        });
        tail
    };
    if was_told {
        return Ok(());
    }
    tail.extend(errno.map(|number| io::Error::from_raw_os_error(number).to_string()));
    tail.extend(holder);
    judge(process, ending, tail.clone())?;
    if was_ready || cx.is_cancelled() {
        return Ok(());
    }
    Err(ProcessError::NotReady {
        why: "it ended before it was ready".to_owned(),
        tail,
    })
}

async fn was_told(running: &mut Running<'_>, ending: Ending) -> bool {
    let Ending::Signalled { signal, .. } = ending else {
        return false;
    };
    running
        .told
        .was_told(running.cx, signal, running.process.stop_signal)
        .await
}

/// Returns the process that holds the port that this one was to listen on.
fn holder(running: &Running<'_>) -> Option<String> {
    let Some(Ready(ReadyKind::Tcp(addr))) = &running.process.ready else {
        return None;
    };
    let holder = port::holder(&port::listening(addr), Some(running.group.id()))?;
    Some(format!("{addr} is held by {holder}"))
}

fn judge(process: &Process, ending: Ending, tail: Vec<String>) -> Result<(), ProcessError> {
    match ending {
        Ending::Exited(code) if process.success.contains(&code) => Ok(()),
        Ending::Exited(code) => Err(ProcessError::Exited { code, tail }),
        Ending::Signalled {
            signal,
            core_dumped,
        } => Err(ProcessError::Signalled {
            signal,
            core_dumped,
            tail,
        }),
    }
}
