//! How large the futures of a service are, and from which size on each is put into a box of its own.
//!
//! A value that is passed lies on the stack, which is small, and in a debug build each function on the way keeps a copy. So
//! a large future is boxed before it is passed on, in the expression that makes it: that is one copy.

use crate::service::context::Context;

/// In bytes.
pub(crate) const INLINE: usize = 2_048;

/// Returns whether a method of a service yields a large future. Ask it in a `const` block: a branch that is not compiled
/// keeps no copy, any other does, whether it is taken or not.
pub(crate) const fn is_large<S, F>(_: fn(&'static S, Context) -> F) -> bool {
    size_of::<F>() > INLINE
}
