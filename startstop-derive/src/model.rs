//! The model of an item: the data between parsing and expansion.
//!
//! 1. A model is complete: expansion asks no question and cannot fail.
//! 2. A declaration with mistakes has a model too, of what was understood, so that the compiler finds
//!    what else is wrong with it; the type is a service, so that no error follows on.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Expr, Generics, Ident, Path, Type, WherePredicate};

/// A type that derives `Service`.
pub(crate) struct Service {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) place: Place,
    pub(crate) error: ErrorType,
    pub(crate) body: Body,
    pub(crate) settings: Vec<Setting>,
}

/// The error of a service.
pub(crate) enum ErrorType {
    /// `BoxError`, into which any error converts.
    Boxed,
    /// The one that is given.
    Given(Box<Type>),
    /// One that was not understood: whether errors convert into it cannot be told.
    Unread,
}

/// An impl block that marks the methods of a service.
pub(crate) struct Methods {
    pub(crate) generics: Generics,
    pub(crate) self_ty: Type,
    pub(crate) place: Place,
    pub(crate) body: Marked,
    /// The block without its marks.
    pub(crate) block: TokenStream,
}

/// The path of the crate, the bounds that the impls put on type parameters, and the lints that the impls are free of.
#[derive(Default)]
pub(crate) struct Place {
    /// `None` is `::startstop_core`.
    pub(crate) krate: Option<Path>,
    /// `None` is the generated bound.
    pub(crate) bound: Option<Vec<WherePredicate>>,
    /// The lints that the user allows of the item, and its own deprecation.
    pub(crate) allowed: Vec<Attribute>,
}

/// The source of the `run` and `shutdown` of a derived service.
pub(crate) enum Body {
    /// From methods named on the type.
    Named(Pair),
    /// From methods marked in an impl block.
    Linked,
    /// From fields that are runners.
    Composed(Box<Composition>),
    /// From nowhere, for it is not clear from where. `is_linked`: an impl block may mark methods, and
    /// is to find the derive.
    Stub { is_linked: bool },
}

/// Which methods an impl block marks: more than one of a kind only where each has a `cfg`.
pub(crate) struct Marked {
    /// Those that start it; none only where that was reported.
    pub(crate) start: Vec<Method>,
    pub(crate) stop: Vec<Method>,
    /// Whether a derive that is missing is a mistake of its own.
    pub(crate) needs_derive: bool,
}

/// A marked method.
pub(crate) struct Method {
    pub(crate) name: Ident,
    /// The conditions of the builds that have it: a macro sees it in all.
    pub(crate) cfgs: Vec<Attribute>,
    /// Whether it can be called; if not, that was reported.
    pub(crate) is_sound: bool,
}

/// The start method and, perhaps, the stop method.
pub(crate) struct Pair {
    /// `None` if it was not understood.
    pub(crate) start: Option<Ident>,
    pub(crate) stop: Option<Ident>,
    /// Whether an impl block may mark methods, although one is named here: that was reported.
    pub(crate) is_linked: bool,
}

/// The members of a struct.
pub(crate) struct Composition {
    /// In the order of their declaration. Their graph has no cycle.
    pub(crate) members: Vec<Member>,
    pub(crate) limit: Option<Limit>,
    pub(crate) backoff: Option<Value>,
}

/// A field that is a member.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) field: syn::Member,
    /// The type of the field.
    pub(crate) ty: Type,
    /// The names of the members that it starts after.
    pub(crate) after: Vec<String>,
    /// Those that it is bound to.
    pub(crate) bound_to: Vec<String>,
    pub(crate) is_transient: bool,
    /// The policies for its failure and its completion, if they are set.
    pub(crate) policies: Vec<Setting>,
}

/// How many restarts of members there may be, in which time.
pub(crate) struct Limit {
    pub(crate) max: Value,
    pub(crate) window: Value,
}

/// One setting with its value.
pub(crate) struct Setting {
    /// The key: also the name of the setter.
    pub(crate) name: &'static str,
    pub(crate) span: Span,
    pub(crate) value: Value,
}

/// The value of a setting.
pub(crate) enum Value {
    /// An expression, as written.
    Expr(Expr),
    /// A duration written as a string.
    Duration(Duration),
    /// A constructor of `RestartPolicy`, by its name.
    Policy(Ident),
    /// A variant of an enum of the crate, by the names of both.
    Variant(&'static str, &'static str),
}
