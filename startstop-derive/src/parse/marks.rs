//! An impl block whose methods are marked.
//!
//! Only the head of the block and the signatures of marked methods are parsed. The rest is passed on
//! as it is, so that the macro is quick and never in the way of newer syntax.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Generics, Ident, Signature, Token, Type, Visibility, braced, token};

use super::args::Args;
use super::strip::{self, mark_of};
use super::{keys, shape};
use crate::diagnostics::Diagnostics;
use crate::model::{Marked, Methods, Pair};

/// The methods marked so far.
#[derive(Default)]
struct Found {
    start: Option<Ident>,
    stop: Option<Ident>,
}

/// Reads the arguments of the attribute and the block under it.
pub(super) fn read(
    args: TokenStream,
    block: TokenStream,
    out: &mut Diagnostics,
) -> Option<Methods> {
    let mut given = Args::default();
    let read_args = |input: ParseStream| {
        given.read(input, keys::OF_METHODS, out);
        Ok(())
    };
    if let Err(error) = read_args.parse2(args) {
        out.report_error(error);
    }
    let bare = strip::without_marks(block.clone());
    let parsed = (|input: ParseStream| self::block(input, out)).parse2(block);
    let (generics, self_ty, found) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            out.report_error(error);
            return None;
        }
    };
    let body = match found.start {
        Some(start) if out.is_empty() => Marked::Pair(Pair { start, stop: found.stop }),
        _ => Marked::Stub,
    };
    Some(Methods { generics, self_ty, place: given.place, body, block: bare })
}

fn block(input: ParseStream, out: &mut Diagnostics) -> syn::Result<(Generics, Type, Found)> {
    input.call(Attribute::parse_outer)?;
    let start = input.span();
    if input.parse::<Token![impl]>().is_err() {
        return Err(syn::Error::new(start, "`#[service_methods]` stands on an `impl` block"));
    }
    let mut generics: Generics = input.parse()?;
    let self_ty: Type = input.parse()?;
    if input.peek(Token![for]) {
        let message =
            "`#[service_methods]` stands on the type's own `impl` block, not on that of a trait";
        return Err(syn::Error::new(self_ty.span(), message));
    }
    generics.where_clause = input.parse()?;
    let items;
    braced!(items in input);
    items.call(Attribute::parse_inner)?;
    let mut found = Found::default();
    let mut marks = 0;
    while !items.is_empty() {
        marks += item(&items, &mut found, out)?;
    }
    if marks == 0 {
        out.report(self_ty.span(), "no method is marked: put `#[start]` on one");
    } else if let (None, Some(stop), true) = (&found.start, &found.stop, out.is_empty()) {
        out.report(stop.span(), "`#[stop]` without `#[start]`: mark the start method too");
    }
    Ok((generics, self_ty, found))
}

/// Reads one item of the block, and says how many marks it bears.
fn item(input: ParseStream, found: &mut Found, out: &mut Diagnostics) -> syn::Result<usize> {
    let attrs = input.call(Attribute::parse_outer)?;
    let marks: Vec<&Attribute> =
        attrs.iter().filter(|attr| mark_of(attr.path()).is_some()).collect();
    if !marks.is_empty() {
        let ahead = input.fork();
        let _ = ahead.parse::<Visibility>();
        match ahead.parse::<Signature>() {
            Ok(signature) => method(&marks, &signature, found, out),
            Err(_) => out.report_at(marks[0], "only a method can be marked"),
        }
    }
    skip_item(input);
    Ok(marks.len())
}

fn method(marks: &[&Attribute], signature: &Signature, found: &mut Found, out: &mut Diagnostics) {
    for mark in marks {
        let Some(name) = mark_of(mark.path()) else { continue };
        if let Err(error) = mark.meta.require_path_only() {
            out.report(error.span(), format!("`#[{name}]` takes no arguments"));
        }
        let place = if name == "start" { &mut found.start } else { &mut found.stop };
        if let Some(first) = place {
            let message = format!("`#[{name}]` twice: `{first}` is marked already");
            out.report_at(mark, message);
            continue;
        }
        *place = Some(signature.ident.clone());
    }
    shape::check(signature, out);
}

/// Passes over an item: up to its body, or its semicolon.
fn skip_item(input: ParseStream) {
    while !input.is_empty() {
        let is_last = input.peek(token::Brace) || input.peek(Token![;]);
        let _ = input.parse::<TokenTree>();
        if is_last {
            return;
        }
    }
}
