//! An impl block whose methods are marked.
//!
//! Only the head of the block and the signatures of marked methods are parsed. The rest is passed on
//! as it is, so that the macro is quick and never in the way of newer syntax.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Generics, Signature, Token, Type, Visibility, braced, token};

use super::args::Args;
use super::strip::{self, Mark};
use super::{allowed, keys, shape};
use crate::diagnostics::Diagnostics;
use crate::model::{Marked, Method, Methods};

/// The head of a block, and what was found in it.
struct Block {
    allowed: Vec<Attribute>,
    generics: Generics,
    self_ty: Type,
    is_of_trait: bool,
    found: Found,
}

/// The methods marked so far.
#[derive(Default)]
struct Found {
    start: Vec<Method>,
    stop: Vec<Method>,
    /// All marks, also those that were refused, with the place of what they mark.
    marks: Vec<(&'static str, Span)>,
}

impl Found {
    fn span_of(&self, mark: &str) -> Option<Span> {
        self.marks
            .iter()
            .find(|(name, _)| *name == mark)
            .map(|(_, span)| *span)
    }

    fn of(&mut self, mark: &str) -> &mut Vec<Method> {
        if mark == "start" {
            &mut self.start
        } else {
            &mut self.stop
        }
    }
}

/// Reads the arguments of the attribute and the block under it.
pub(super) fn read(
    args: TokenStream,
    block: TokenStream,
    out: &mut Diagnostics,
) -> Option<Methods> {
    if let Some(again) = strip::repeated(&block) {
        out.report_at(&again, "`#[service_methods]` is given twice");
        return None;
    }
    let mut given = Args::default();
    given.read_all(args, keys::OF_METHODS, out);
    let bare = strip::without_marks(block.clone());
    let parsed = (|input: ParseStream| self::block(input, out)).parse2(block);
    let Block {
        allowed,
        generics,
        self_ty,
        is_of_trait,
        found,
    } = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            out.report_error(error);
            return None;
        }
    };
    // A block of a trait need not mark the methods: the type's own block may.
    if is_of_trait && found.span_of("start").is_none() {
        return None;
    }
    let is_known = !is_of_trait && !given.hides_bound(&generics);
    let Found { start, stop, .. } = if is_known { found } else { Found::default() };
    given.place.allowed = allowed;
    let body = Marked {
        start,
        stop,
        needs_derive: is_known,
    };
    Some(Methods {
        generics,
        self_ty,
        place: given.place,
        body,
        block: bare,
    })
}

fn block(input: ParseStream, out: &mut Diagnostics) -> syn::Result<Block> {
    let allowed = allowed::of_item(&input.call(Attribute::parse_outer)?);
    let start = input.span();
    if input.parse::<Token![impl]>().is_err() {
        return Err(syn::Error::new(
            start,
            "`#[service_methods]` stands on an `impl` block",
        ));
    }
    let mut generics: Generics = input.parse()?;
    let head: Type = input.parse()?;
    let of_type = self::of_type(input, &head, out)?;
    generics.where_clause = input.parse()?;
    let items;
    braced!(items in input);
    items.call(Attribute::parse_inner)?;
    let mut found = Found::default();
    while !items.is_empty() {
        item(&items, &mut found, out)?;
    }
    let is_of_trait = of_type.is_some();
    if !is_of_trait {
        demand_start(&head, &found, out);
    }
    Ok(Block {
        allowed,
        generics,
        self_ty: of_type.unwrap_or(head),
        is_of_trait,
        found,
    })
}

/// Returns the type of an impl of a trait, which is a mistake.
fn of_type(input: ParseStream, of: &Type, out: &mut Diagnostics) -> syn::Result<Option<Type>> {
    if input.parse::<Token![for]>().is_err() {
        return Ok(None);
    }
    let message =
        "`#[service_methods]` stands on the type's own `impl` block, not on that of a trait";
    out.report(of.span(), message);
    input.parse().map(Some)
}

fn demand_start(self_ty: &Type, found: &Found, out: &mut Diagnostics) {
    match (found.span_of("start"), found.span_of("stop")) {
        (None, None) => out.report(self_ty.span(), "no method is marked: put `#[start]` on one"),
        (None, Some(stop)) => {
            out.report(
                stop,
                "`#[stop]` without `#[start]`: mark the start method too, in the same block",
            );
        }
        (Some(_), _) => {}
    }
}

/// Reads one item of the block.
fn item(input: ParseStream, found: &mut Found, out: &mut Diagnostics) -> syn::Result<()> {
    let attrs = input.call(Attribute::parse_outer)?;
    let marks: Vec<Mark> = attrs.iter().flat_map(strip::marks_of).collect();
    if let Some(first) = marks.first() {
        let ahead = input.fork();
        let _ = ahead.parse::<Visibility>();
        let signature = ahead.parse::<Signature>().ok();
        let span = signature
            .as_ref()
            .map_or(first.meta.span(), |method| method.ident.span());
        found
            .marks
            .extend(marks.iter().map(|mark| (mark.name, span)));
        match signature {
            Some(signature) => method(&attrs, &marks, &signature, found, out),
            None => out.report_at(&first.meta, "only a method can be marked"),
        }
    }
    skip_item(input);
    Ok(())
}

/// Reads a method that bears marks.
fn method(
    attrs: &[Attribute],
    marks: &[Mark],
    signature: &Signature,
    found: &mut Found,
    out: &mut Diagnostics,
) {
    let ident = &signature.ident;
    let cfgs = attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    let cfgs: Vec<Attribute> = cfgs.cloned().collect();
    let before = out.count();
    let mut new = Vec::new();
    for mark in marks {
        let name = mark.name;
        self::mark(mark, out);
        let is_rival = |other: &&Method| cfgs.is_empty() || other.cfgs.is_empty();
        let rival = found
            .of(name)
            .iter()
            .rfind(is_rival)
            .map(|method| &method.name);
        match rival.or(new.contains(&name).then_some(ident)) {
            Some(first) => {
                let message = format!("`#[{name}]` twice: `{first}` is marked already");
                out.report_at(&mark.meta, message);
            }
            None => new.push(name),
        }
    }
    if let Some(other) = marks.iter().find(|mark| mark.name != marks[0].name) {
        let message = format!("`{ident}` is marked already: `start` and `stop` are two methods");
        out.report_at(&other.meta, message);
    }
    shape::check(signature, out);
    let is_sound = out.count() == before;
    for name in new {
        let method = Method {
            name: ident.clone(),
            cfgs: cfgs.clone(),
            is_sound,
        };
        found.of(name).push(method);
    }
}

/// Reports what a mark cannot be.
fn mark(
    Mark {
        name,
        meta,
        is_conditional,
    }: &Mark,
    out: &mut Diagnostics,
) {
    if let Err(error) = meta.require_path_only() {
        out.report(error.span(), format!("`#[{name}]` takes no arguments"));
    }
    if *is_conditional {
        let message = format!(
            "`{name}` in a `cfg_attr` is no mark: put `#[{name}]` on the method itself, beside a `#[cfg(..)]` if there is the method in some builds only"
        );
        out.report_at(meta, message);
    }
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
