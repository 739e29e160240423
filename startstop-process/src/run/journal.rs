//! The journal of the processes: tells what happens to them as it happens.

use std::io;
use std::iter::successors;
use std::sync::Arc;
use std::time::Duration;

use startstop_core::{EventKind, Events};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::file::Log;
use crate::output::{Line, Sink, Stream};

/// The name that its lines bear.
const NAME: &str = "startstop-run";

/// How many causes of a failure are told.
const LONGEST: usize = 1_000;

/// How long the end waits for its last lines.
const LAST: Duration = Duration::from_secs(1);

/// Lines are handed on by a thread, so that whoever reads them slowly holds nothing up.
pub(super) struct Journal {
    sink: Sink,
}

impl Journal {
    pub(super) fn begin(log: &Log) -> io::Result<Self> {
        let log = if matches!(log, Log::Json) {
            log
        } else {
            &Log::Terminal
        };
        Ok(Self {
            sink: Sink::start(log.output().0)?,
        })
    }

    pub(super) fn follow(self, mut events: Events) -> Following {
        let (name, sink) = (Arc::<str>::from(NAME), self.sink.clone());
        let task = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if !is_told(event.kind()) {
                    continue;
                }
                let text = format!("{event}{}", causes(event.kind()));
                let (name, path) = (name.clone(), name.clone());
                sink.push(Line {
                    name,
                    path,
                    stream: Stream::Stderr,
                    text,
                });
            }
        });
        Following {
            sink: self.sink,
            task,
        }
    }
}

/// Returns what has caused a failure, which its own line leaves out: the error of the system, say.
fn causes(kind: &EventKind) -> String {
    let first = match kind {
        EventKind::Failed(failure) => failure.error().source(),
        _ => None,
    };
    // A chain that leads back to itself has no end.
    let causes = successors(first, |error| error.source()).take(LONGEST);
    causes.fold(String::new(), |mut text, error| {
        text.extend([": ", &error.to_string().escape_debug().to_string()]);
        text
    })
}

/// Returns whether an event is told: one that says no more than the next line is left out.
const fn is_told(kind: &EventKind) -> bool {
    !matches!(
        kind,
        EventKind::Starting | EventKind::Draining | EventKind::Stopping(_)
    )
}

pub(super) struct Following {
    sink: Sink,
    task: JoinHandle<()>,
}

impl Following {
    /// Waits until all is told. Nothing happens any more.
    pub(super) async fn end(self) {
        let _ = timeout(LAST, self.task).await;
        let _ = timeout(LAST, self.sink.flushed()).await;
    }
}
