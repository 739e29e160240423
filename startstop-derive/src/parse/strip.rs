//! The marks of methods, taken away: the compiler does not know them.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Path, Token, parse2};

/// Returns the block without its marks. In the place of each stands an attribute that quiets a lint, for a
/// marked method has to be async even if it awaits nothing.
pub(crate) fn without_marks(block: TokenStream) -> TokenStream {
    if repeated(&block).is_some() {
        return block;
    }
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

/// Returns a second `#[service_methods]` on a block: that one reads the marks.
pub(super) fn repeated(block: &TokenStream) -> Option<Attribute> {
    let attrs = |input: ParseStream| {
        let attrs = input.call(Attribute::parse_outer)?;
        input.parse::<TokenStream>().map(|_| attrs)
    };
    let is_it = |attr: &Attribute| {
        let last = attr.path().segments.last();
        last.is_some_and(|last| last.ident == "service_methods")
    };
    attrs.parse2(block.clone()).ok()?.into_iter().find(is_it)
}

fn unmarked(items: TokenStream) -> TokenStream {
    let mut is_attr = false;
    let bare = items.into_iter().map(|token| {
        let is_group = std::mem::replace(
            &mut is_attr,
            matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#'),
        );
        match token {
            TokenTree::Group(attr) if is_group => unmarked_attribute(&attr).into(),
            token => token,
        }
    });
    bare.collect()
}

/// Returns the group of an attribute, or what stands in its place if it is a mark or has one in it.
fn unmarked_attribute(attr: &Group) -> Group {
    let Ok(meta) = parse2::<Meta>(attr.stream()) else {
        return attr.clone();
    };
    let quiet = || quote!(allow(clippy::unused_async));
    if mark_of(meta.path()).is_some() {
        return Group::new(Delimiter::Bracket, quiet());
    }
    match conditional(&meta) {
        Some((cfg, metas)) if metas.iter().any(|meta| mark_of(meta.path()).is_some()) => {
            let bare = metas.iter().map(|meta| match mark_of(meta.path()) {
                Some(_) => quiet(),
                None => meta.to_token_stream(),
            });
            Group::new(Delimiter::Bracket, quote!(cfg_attr(#cfg, #(#bare),*)))
        }
        _ => attr.clone(),
    }
}

/// A mark: the method under it starts or stops the service.
pub(super) struct Mark {
    /// `start` or `stop`.
    pub(super) name: &'static str,
    pub(super) meta: Meta,
    /// Whether it stands in a `cfg_attr`, which is not told apart from one that is off.
    pub(super) is_conditional: bool,
}

/// Returns the marks in an attribute.
pub(super) fn marks_of(attr: &Attribute) -> Vec<Mark> {
    let mark = |meta: Meta, is_conditional| {
        Some(Mark {
            name: mark_of(meta.path())?,
            meta,
            is_conditional,
        })
    };
    match conditional(&attr.meta) {
        Some((_, metas)) => metas
            .into_iter()
            .filter_map(|meta| mark(meta, true))
            .collect(),
        None => mark(attr.meta.clone(), false).into_iter().collect(),
    }
}

/// Returns the condition of a `cfg_attr`, and the attributes behind it.
fn conditional(meta: &Meta) -> Option<(Meta, Vec<Meta>)> {
    let list = meta
        .require_list()
        .ok()
        .filter(|list| list.path.is_ident("cfg_attr"))?;
    let metas = list
        .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
        .ok()?;
    let mut metas = metas.into_iter();
    Some((metas.next()?, metas.collect()))
}

/// `start` or `stop`, if the path of an attribute is that of a mark.
fn mark_of(path: &Path) -> Option<&'static str> {
    ["start", "stop"]
        .into_iter()
        .find(|mark| path.is_ident(mark))
}
