//! An event as an object for programs, which fits into one line.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{Event, EventKind};
use crate::report::error::ReloadError;

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("path", self.path())?;
        object.serialize_entry("cycle", &self.cycle)?;
        object.serialize_entry("attempt", &self.attempt)?;
        object.serialize_entry("at", &self.at)?;
        object.serialize_entry("event", self.kind.name())?;
        fields(&self.kind, &mut object)?;
        object.end()
    }
}

fn fields<M: SerializeMap>(kind: &EventKind, object: &mut M) -> Result<(), M::Error> {
    match kind {
        EventKind::Ready { after } => object.serialize_entry("after", after),
        EventKind::NotReady(reason) => object.serialize_entry("reason", reason),
        EventKind::Stopping(reason) => object.serialize_entry("reason", reason),
        EventKind::Stopped { exit, ran } => {
            object.serialize_entry("exit", exit)?;
            object.serialize_entry("ran", ran)
        }
        EventKind::Failed(failure) => object.serialize_entry("failure", failure),
        EventKind::Backoff { delay, attempt } => {
            object.serialize_entry("delay", delay)?;
            object.serialize_entry("next_attempt", attempt)
        }
        EventKind::Unresponsive(stuck) => object.serialize_entry("unresponsive", stuck),
        EventKind::Reloaded(result) => reloaded(result, object),
        EventKind::Missed(count) => object.serialize_entry("count", count),
        EventKind::Starting
        | EventKind::Draining
        | EventKind::Aborting
        | EventKind::Reloading
        | EventKind::Inserted
        | EventKind::Removed => Ok(()),
    }
}

fn reloaded<M: SerializeMap>(
    result: &Result<(), ReloadError>,
    object: &mut M,
) -> Result<(), M::Error> {
    let name = match result {
        Ok(()) => "done",
        Err(ReloadError::Failed(_)) => "failed",
        Err(ReloadError::NotSupported) => "not_supported",
        Err(ReloadError::Stopped) => "stopped",
    };
    object.serialize_entry("result", name)?;
    match result {
        Err(ReloadError::Failed(failure)) => object.serialize_entry("failure", failure),
        _ => Ok(()),
    }
}
