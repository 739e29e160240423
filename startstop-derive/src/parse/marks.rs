//! An impl block whose methods are marked.
//!
//! Only the head of the block and the signatures of marked methods are parsed. The rest is passed on
//! as it is, so that the macro is quick and never in the way of newer syntax.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, Generics, Ident, ReceiverKind, ReturnType, Signature, Token, Type};
use syn::{Visibility, braced, token};

use super::args::Args;
use super::{keys, value};
use crate::diagnostics::Diagnostics;
use crate::model::{Marked, Methods, Pair};

/// What is accepted, for messages.
const ACCEPTED: &str = "accepted are `async fn(&self)` and `async fn(&self, Context)`";

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
    let bare = without_marks(block.clone());
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
    let marks: Vec<&Attribute> = attrs.iter().filter(|attr| mark_of(attr).is_some()).collect();
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
        let Some(name) = mark_of(mark) else { continue };
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
    shape(signature, out);
}

/// Reports what a signature shows; types are left to the compiler.
fn shape(signature: &Signature, out: &mut Diagnostics) {
    let name = &signature.ident;
    value::clash(name, out);
    if signature.asyncness.is_none() && matches!(signature.output, ReturnType::Default) {
        out.report(name.span(), format!("`{name}` is not async: {ACCEPTED}"));
    }
    match signature.receiver() {
        None => out.report(name.span(), format!("`{name}` takes no `&self`: {ACCEPTED}")),
        Some(receiver) => match &receiver.kind {
            ReceiverKind::Value => {
                out.report_at(receiver, format!("`{name}` takes `self` by value: {ACCEPTED}"));
            }
            ReceiverKind::Reference(_, _, Some(_)) => {
                out.report_at(receiver, format!("`{name}` takes `&mut self`, while `start` and `stop` run side by side: {ACCEPTED}"));
            }
            _ => {}
        },
    }
    let typed = signature.inputs.iter().filter(|arg| matches!(arg, FnArg::Typed(_)));
    for extra in typed.skip(1) {
        out.report_at(extra, format!("`{name}` takes more than a `Context`: {ACCEPTED}"));
    }
}

/// `start` or `stop`, if the attribute is a mark.
fn mark_of(attr: &Attribute) -> Option<&'static str> {
    ["start", "stop"].into_iter().find(|mark| attr.path().is_ident(mark))
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

/// The block without its marks: attributes that no one else knows. In the place of each stands one
/// that quiets a lint, for a marked method has to be async even if it awaits nothing.
pub(crate) fn without_marks(block: TokenStream) -> TokenStream {
    let bare = |token| match token {
        TokenTree::Group(items) if items.delimiter() == Delimiter::Brace => {
            let mut bare = Group::new(Delimiter::Brace, unmarked(items.stream()));
            bare.set_span(items.span());
            bare.into()
        }
        token => token,
    };
    block.into_iter().map(bare).collect()
}

fn unmarked(items: TokenStream) -> TokenStream {
    let mut is_attr = false;
    let bare = items.into_iter().map(|token| {
        let is_mark = is_attr && is_mark(&token);
        is_attr = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        if is_mark {
            Group::new(Delimiter::Bracket, quote!(allow(clippy::unused_async))).into()
        } else {
            token
        }
    });
    bare.collect()
}

fn is_mark(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else { return false };
    let first = group.stream().into_iter().next();
    matches!(first, Some(TokenTree::Ident(name)) if name == "start" || name == "stop")
}
