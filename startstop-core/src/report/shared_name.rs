//! The name of a service, which many places know: its settings, its path, its group, its failures.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A name that costs no allocation to be known in one place more.
#[derive(Clone)]
pub(crate) enum SharedName {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Deref for SharedName {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Static(name) => name,
            Self::Shared(name) => name,
        }
    }
}

impl Borrow<str> for SharedName {
    fn borrow(&self) -> &str {
        self
    }
}

impl From<&str> for SharedName {
    fn from(name: &str) -> Self {
        Self::Shared(name.into())
    }
}

impl From<String> for SharedName {
    fn from(name: String) -> Self {
        Self::Shared(name.into())
    }
}

impl From<Cow<'static, str>> for SharedName {
    fn from(name: Cow<'static, str>) -> Self {
        match name {
            Cow::Borrowed(name) => Self::Static(name),
            Cow::Owned(name) => name.into(),
        }
    }
}

impl PartialEq for SharedName {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SharedName {}

/// As the text, by which it is looked up.
impl Hash for SharedName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl fmt::Debug for SharedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}
