//! The marks of methods, taken away: the compiler does not know them.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::{Meta, Path, parse2};

/// The block without its marks. In the place of each stands an attribute that quiets a lint, for a
/// marked method has to be async even if it awaits nothing.
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
    parse2::<Meta>(group.stream()).is_ok_and(|meta| mark_of(meta.path()).is_some())
}

/// `start` or `stop`, if the path of an attribute is that of a mark.
pub(super) fn mark_of(path: &Path) -> Option<&'static str> {
    ["start", "stop"].into_iter().find(|mark| path.is_ident(mark))
}
