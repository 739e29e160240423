//! The shape of a marked method, as far as its signature shows it. Types are left to the compiler.

use syn::{FnArg, ReceiverKind, ReturnType, Signature};

use crate::diagnostics::Diagnostics;

/// The accepted forms, for messages.
const ACCEPTED: &str = "accepted are `async fn(&self)` and `async fn(&self, Context)`";

/// Reports what cannot be called by a service.
pub(super) fn check(signature: &Signature, out: &mut Diagnostics) {
    let name = &signature.ident;
    if signature.asyncness.is_none() && matches!(signature.output, ReturnType::Default) {
        out.report(name.span(), format!("`{name}` is not async: {ACCEPTED}"));
    }
    match signature.receiver() {
        None => out.report(
            name.span(),
            format!("`{name}` takes no `&self`: {ACCEPTED}"),
        ),
        Some(receiver) => match &receiver.kind {
            ReceiverKind::Value => {
                out.report_at(
                    receiver,
                    format!("`{name}` takes `self` by value: {ACCEPTED}"),
                );
            }
            ReceiverKind::Reference(_, _, Some(_)) => {
                out.report_at(receiver, format!("`{name}` takes `&mut self`, while `start` and `stop` run side by side: {ACCEPTED}"));
            }
            _ => {}
        },
    }
    let typed = signature
        .inputs
        .iter()
        .filter(|arg| matches!(arg, FnArg::Typed(_)));
    for extra in typed.skip(1) {
        out.report_at(
            extra,
            format!("`{name}` takes more than a `Context`: {ACCEPTED}"),
        );
    }
}
