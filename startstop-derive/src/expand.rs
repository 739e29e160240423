//! From the model to code.
//!
//! 1. Every path is absolute, through the hidden module of the crate: nothing in the user's scope
//!    can change its meaning, nothing needs to be in that scope.
//! 2. Tokens about a method or a value bear its span, so that the compiler's errors point there. A
//!    local name and its uses bear the same span, for it carries their hygiene too.

mod composition;
mod generated_fn;
mod methods;
mod place;
mod lifetimes;
mod service;
mod value;

pub(crate) use methods::methods;
pub(crate) use service::service;
