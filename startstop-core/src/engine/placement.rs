//! The place of a service in what has started it.
//!
//! A group places each member that it starts, and few are ever asked where they are: the link of a path is made then.

use crate::report::path::Path;
use crate::report::shared_name::SharedName;

/// The place of a service, as it is kept.
pub(super) enum Placement {
    Known(Path),
    /// The part of an owner with this path under that name.
    Below(Path, SharedName),
}

impl Placement {
    /// Returns the path, which is the same link from then on.
    pub(super) fn path(&mut self) -> Path {
        let path = match self {
            Self::Known(path) => return path.clone(),
            Self::Below(owner, name) => owner.below(name.clone()),
        };
        *self = Self::Known(path.clone());
        path
    }

    /// Returns whether the service is a part of nothing.
    pub(super) fn is_alone(&self) -> bool {
        match self {
            Self::Known(path) => path.is_alone(),
            Self::Below(..) => false,
        }
    }

    /// Returns whether this is the place of the part of `owner` with that name.
    pub(super) fn is_below(&self, owner: &Path, name: &str) -> bool {
        match self {
            Self::Known(path) => path.is_below(owner, name),
            Self::Below(above, known) => **known == *name && above == owner,
        }
    }

    /// The same below that very link of an owner, which is known at a glance.
    pub(super) fn is_link_below(&self, owner: &Path, name: &str) -> bool {
        match self {
            Self::Known(path) => path.is_link_below(owner, name),
            Self::Below(above, known) => above.is_same(owner) && **known == *name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Path, Placement};

    #[test]
    fn a_place_is_the_same_before_and_after_it_is_asked_for() {
        let app = Path::alone("app");
        let mut place = Placement::Below(app.clone(), "db".into());
        for _ in 0..2 {
            assert!(!place.is_alone());
            assert!(place.is_below(&Path::alone("app"), "db") && !place.is_below(&app, "cache"));
            assert!(place.is_link_below(&app, "db"));
            assert!(!place.is_link_below(&Path::alone("app"), "db"));
            assert_eq!(place.path(), app.below("db"));
        }
        assert!(Placement::Known(app).is_alone());
    }
}
