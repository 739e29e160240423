//! The attributes of one item or field.

use proc_macro2::Span;
use syn::{Generics, Ident, Type};

use super::lists::{Name, OfMember};
use crate::model::{Limit, Place, Setting, Value};

/// The attributes of one item or field.
#[derive(Default)]
pub(super) struct Args {
    pub(super) start: Option<Ident>,
    pub(super) stop: Option<Ident>,
    pub(super) error: Option<Type>,
    pub(super) place: Place,
    pub(super) settings: Vec<Setting>,
    pub(super) limit: Option<Limit>,
    pub(super) backoff: Option<Value>,
    /// The content of `member(..)`.
    pub(super) of_member: OfMember,
    pub(super) after: Option<Vec<Name>>,
    pub(super) bound_to: Option<Vec<Name>>,
    /// Every key that was given, well or badly.
    pub(super) given: Vec<(&'static str, Span)>,
    /// Every key that an unknown word is close to.
    pub(super) meant: Vec<&'static str>,
    /// Whether something was reported that may have been meant to be any key.
    pub(super) is_garbled: bool,
}

impl Args {
    pub(super) fn has(&self, key: &str) -> bool {
        self.span_of(key).is_some()
    }

    /// Returns whether the key was given, or is what a slip was meant to be: nothing follows from its absence.
    pub(super) fn means(&self, key: &str) -> bool {
        self.has(key) || self.meant.contains(&key)
    }

    /// Returns whether a bound was given that is not understood, so that nothing can be asked of what it is for.
    pub(super) fn hides_bound(&self, generics: &Generics) -> bool {
        let is_unread = self.means("bound") && self.place.bound.is_none();
        is_unread && generics.type_params().next().is_some()
    }

    pub(super) fn span_of(&self, key: &str) -> Option<Span> {
        self.given
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, span)| *span)
    }
}
