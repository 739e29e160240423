//! The path of a service: the names from the outermost whole down.
//!
//! A path is a chain of names, each above the next, so that a tree of any depth costs one link a service. Its text is made
//! when it is first asked for.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::shared_name::SharedName;

/// The names from the outermost whole down.
#[derive(Clone)]
pub(crate) struct Path(Arc<PathLink>);

struct PathLink {
    above: Option<Path>,
    name: SharedName,
    text: OnceLock<Box<str>>,
}

/// The separator between two names; no name of a member contains it.
pub(crate) const SEPARATOR: char = '/';

/// Returns whether a part may have this name in a path.
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(SEPARATOR)
}

impl Path {
    /// Returns the path of a service that is a part of nothing.
    pub(crate) fn alone(name: impl Into<SharedName>) -> Self {
        Self::link(None, name.into())
    }

    /// Returns the path of a part of this.
    pub(crate) fn below(&self, name: impl Into<SharedName>) -> Self {
        Self::link(Some(self.clone()), name.into())
    }

    /// Returns whether this is the path of a service that is a part of nothing.
    pub(crate) fn is_alone(&self) -> bool {
        self.0.above.is_none()
    }

    /// Returns whether this is the path of the part of `owner` with that name.
    pub(crate) fn is_below(&self, owner: &Self, name: &str) -> bool {
        *self.0.name == *name && self.0.above.as_ref() == Some(owner)
    }

    /// Returns whether this is the link below that very `owner` with that name, which is known at a glance.
    pub(crate) fn is_link_below(&self, owner: &Self, name: &str) -> bool {
        let above = self.0.above.as_ref();
        above.is_some_and(|above| above.is_same(owner)) && *self.0.name == *name
    }

    fn link(above: Option<Self>, name: SharedName) -> Self {
        Self(Arc::new(PathLink {
            above,
            name,
            text: OnceLock::new(),
        }))
    }

    /// Returns its text, as `app/db`.
    pub(crate) fn as_str(&self) -> &str {
        if self.0.above.is_none() {
            &self.0.name
        } else {
            self.0.text.get_or_init(|| self.text())
        }
    }

    fn text(&self) -> Box<str> {
        let names: Vec<&str> = self.links().map(|link| &*link.name).collect();
        let length = names.iter().map(|name| name.len() + 1).sum();
        let mut text = String::with_capacity(length);
        for name in names.into_iter().rev() {
            text.push_str(name);
            text.push(SEPARATOR);
        }
        text.pop();
        text.into()
    }

    /// Returns its links, the last first.
    fn links(&self) -> impl Iterator<Item = &PathLink> {
        std::iter::successors(Some(&*self.0), |link| {
            link.above.as_ref().map(|above| &*above.0)
        })
    }

    /// Returns whether both are the same link.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Without recursion, as everything that goes through a tree.
impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        let (mut left, mut right) = (self, other);
        loop {
            if left.is_same(right) {
                return true;
            }
            if left.0.name != right.0.name {
                return false;
            }
            (left, right) = match (&left.0.above, &right.0.above) {
                (None, None) => return true,
                (Some(left), Some(right)) => (left, right),
                _ => return false,
            };
        }
    }
}

impl Eq for Path {}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Drop for PathLink {
    fn drop(&mut self) {
        let mut above = self.above.take();
        while let Some(mut link) = above.and_then(|path| Arc::into_inner(path.0)) {
            above = link.above.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn a_path_is_the_names_from_the_top() {
        let app = Path::alone("app");
        let pool = app.below("db").below("pool");
        assert_eq!(pool.as_str(), "app/db/pool");
        assert_eq!(pool, Path::alone("app").below("db").below("pool"));
        assert_ne!(pool, Path::alone("app").below("cache").below("pool"));
        assert_ne!(pool, app.below("pool"));
    }

    #[test]
    fn a_link_below_is_one_of_the_very_owner() {
        let app = Path::alone("app");
        let db = app.below("db");
        assert!(db.is_link_below(&app, "db"));
        assert!(!db.is_link_below(&app, "cache"));
        assert!(!db.is_link_below(&Path::alone("app"), "db"));
        assert!(!app.is_link_below(&app, "app"));
    }

    #[test]
    fn a_deep_path_needs_no_stack() {
        let deep = (0..200_000).fold(Path::alone("x"), |path, _| path.below("x"));
        let same = (0..200_000).fold(Path::alone("x"), |path, _| path.below("x"));
        assert_eq!(deep, same);
        assert_eq!(deep.as_str().len(), 400_001);
    }
}
