//! The statuses below a status: shared when it is cloned, and dropped without recursion, for a tree may be deep.

use std::fmt;
use std::sync::Arc;

use super::Status;

#[derive(Clone, Default)]
pub(crate) struct Children(Option<Arc<Vec<Status>>>);

impl Children {
    pub(crate) fn as_slice(&self) -> &[Status] {
        self.0.as_deref().map(Vec::as_slice).unwrap_or_default()
    }

    /// Makes room for those that follow, one at least.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self(Some(Arc::new(Vec::with_capacity(count))))
    }

    pub(crate) fn push(&mut self, child: Status) {
        Arc::make_mut(self.0.get_or_insert_default()).push(child);
    }

    /// To be changed; those of a tree that is shared are copied first, a level at a time.
    pub(super) fn as_mut_slice(&mut self) -> &mut [Status] {
        self.0
            .as_mut()
            .map(|list| Arc::make_mut(list).as_mut_slice())
            .unwrap_or_default()
    }
}

impl From<Vec<Status>> for Children {
    fn from(list: Vec<Status>) -> Self {
        Self((!list.is_empty()).then(|| Arc::new(list)))
    }
}

/// All that is below, in one list: a list for each level would recurse.
impl fmt::Debug for Children {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut open: Vec<&Status> = self.as_slice().iter().rev().collect();
        let below = std::iter::from_fn(|| {
            let status = open.pop()?;
            open.extend(status.children().iter().rev());
            Some(status.alone())
        });
        f.debug_list().entries(below).finish()
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        let mut open: Vec<Arc<Vec<Status>>> = self.0.take().into_iter().collect();
        while let Some(list) = open.pop() {
            // The last who has it drops it.
            for mut status in Arc::into_inner(list).into_iter().flatten() {
                open.extend(status.children.0.take());
            }
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Children {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}
