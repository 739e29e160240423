//! Lists in parentheses after a key.

use proc_macro2::{Group, Span};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, Index, Token};

use super::keys::{self, Key};
use super::skip::{is_at_end, skip_to_comma};
use super::value;
use crate::diagnostics::Diagnostics;
use crate::model::{Limit, Setting};

/// A field as it is named, without `r#`: a tuple's by its number.
pub(super) struct Name {
    pub(super) text: String,
    pub(super) span: Span,
}

/// Reads `limit(max, window)`.
pub(super) fn limit(list: &Group, key: &Key, out: &mut Diagnostics) -> Option<Limit> {
    let parts = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(list.stream());
    let parts: Vec<Expr> = parts
        .map(|parts| parts.into_iter().collect())
        .unwrap_or_default();
    let Ok([max, window]) = <[Expr; 2]>::try_from(parts) else {
        out.report_at(
            list,
            format!("`{}` takes {}", key.name, key.kind.accepted()),
        );
        return None;
    };
    let max = value::setting(&keys::MAX, max, out);
    let window = value::setting(&keys::WINDOW, window, out);
    Some(Limit {
        max: max?,
        window: window?,
    })
}

/// The content of `member(..)`.
#[derive(Default)]
pub(super) struct OfMember {
    pub(super) policies: Vec<Setting>,
    pub(super) bound_to: Vec<Name>,
    pub(super) is_transient: bool,
}

/// Reads `after(..)` or `bound_to(..)`; `None` if something in it had to be reported.
pub(super) fn after(list: &Group, key: &Key, out: &mut Diagnostics) -> Option<Vec<Name>> {
    let mut names = Some(Vec::new());
    let read = |input: ParseStream| {
        while !input.is_empty() {
            let found = name(input, key, out).filter(|name| is_new(name, names.as_deref(), out));
            match (found, &mut names) {
                (Some(name), Some(names)) => names.push(name),
                _ => names = None,
            }
            let _ = input.parse::<Token![,]>();
        }
        Ok(())
    };
    if let Err(error) = read.parse2(list.stream()) {
        out.report_error(error);
    }
    names
}

fn name(input: ParseStream, key: &Key, out: &mut Diagnostics) -> Option<Name> {
    let span = input.span();
    let text = match input.call(Ident::parse_any) {
        Ok(ident) => Some(ident.unraw().to_string()),
        Err(_) => input
            .parse::<Index>()
            .ok()
            .map(|index| index.index.to_string()),
    };
    if text.is_none() || !is_at_end(input) {
        let at = if text.is_none() { span } else { input.span() };
        out.report(at, format!("`{}` takes {}", key.name, key.kind.accepted()));
        skip_to_comma(input);
        return None;
    }
    text.map(|text| Name { text, span })
}

fn is_new(name: &Name, names: Option<&[Name]>, out: &mut Diagnostics) -> bool {
    let is_new = names
        .into_iter()
        .flatten()
        .all(|known| known.text != name.text);
    if !is_new {
        out.report(name.span, format!("`{}` is named twice", name.text));
    }
    is_new
}
