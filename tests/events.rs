//! The events of a runner, as a stream.

mod groups;
mod order;
mod reading;

use startstop_core::{Event, EventKind, Events};

/// All that is there to be read, a line each.
fn lines(events: &mut Events) -> Vec<String> {
    std::iter::from_fn(|| events.try_next())
        .map(|event| line(&event))
        .collect()
}

/// An event without what depends on the clock.
fn line(event: &Event) -> String {
    let what = match event.kind() {
        EventKind::Ready { .. } => "ready".to_owned(),
        EventKind::Stopped { exit, .. } => format!("stopped {exit}"),
        EventKind::Stopping(reason) => format!("stopping {reason}"),
        other => other.to_string(),
    };
    format!("{} {what}", event.path())
}
