//! The runtime that a service runs on, or has run on.

use tokio::runtime::{Handle, Id};

use super::runtimes;

/// The runtime of a service. The handle of one keeps its descriptors open, so a service that has stopped knows the id alone.
#[derive(Default)]
pub(super) enum RunsOn {
    /// It has never run.
    #[default]
    Nothing,
    Runtime(Handle),
    /// The runtime of the last cycle, which is in [`runtimes`] as long as it is there.
    Last(Id),
}

impl RunsOn {
    /// Returns the runtime, unless it has been let go of.
    pub(super) fn handle(&self) -> Option<&Handle> {
        match self {
            Self::Runtime(on) => Some(on),
            Self::Nothing | Self::Last(_) => None,
        }
    }

    fn id(&self) -> Option<Id> {
        match self {
            Self::Nothing => None,
            Self::Runtime(on) => Some(on.id()),
            Self::Last(id) => Some(*id),
        }
    }

    /// Returns whether it is or was this one.
    pub(super) fn is(&self, on: &Handle) -> bool {
        self.id() == Some(on.id())
    }

    /// Returns whether it is this one, and has not been let go of.
    pub(super) fn is_now(&self, on: &Handle) -> bool {
        self.handle().is_some_and(|known| known.id() == on.id())
    }

    /// Lets go of the handle, and remembers the id.
    pub(super) fn leave(&mut self) -> Option<Handle> {
        let id = self.id()?;
        match std::mem::replace(self, Self::Last(id)) {
            Self::Runtime(on) => Some(on),
            Self::Nothing | Self::Last(_) => None,
        }
    }

    /// Returns the runtime, found again if it has been let go of and has not ended.
    pub(super) fn find(&self) -> Option<Handle> {
        match self {
            Self::Nothing => None,
            Self::Runtime(on) => Some(on.clone()),
            Self::Last(id) => runtimes::find(*id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RunsOn;

    #[test]
    fn it_is_as_large_as_a_handle() {
        assert_eq!(size_of::<RunsOn>(), size_of::<tokio::runtime::Handle>());
    }
}
