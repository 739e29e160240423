//! Passing over what was reported already.
//!
//! A comma may belong to what is passed over: to generic arguments, or to the head of a closure.

use proc_macro2::TokenTree;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{AngleBracketedGenericArguments, Expr, Token, Type};

/// Passes over what was reported, up to the next comma that does not belong to it.
pub(super) fn skip_to_comma(input: ParseStream) {
    let _ = skip_whole::<Type>(input) || skip_whole::<Expr>(input);
    while !is_at_end(input) {
        if !skip::<AngleBracketedGenericArguments>(input) {
            let _ = input.parse::<TokenTree>();
        }
    }
}

/// Passes over something that a comma or the end follows; whether it was there.
fn skip_whole<T: Parse>(input: ParseStream) -> bool {
    let ahead = input.fork();
    let is_whole = skip::<T>(&ahead) && is_at_end(&ahead);
    if is_whole {
        input.advance_to(&ahead);
    }
    is_whole
}

fn skip<T: Parse>(input: ParseStream) -> bool {
    let ahead = input.fork();
    let is_there = ahead.parse::<T>().is_ok();
    if is_there {
        input.advance_to(&ahead);
    }
    is_there
}

/// Whether an entry ends here.
pub(super) fn is_at_end(input: ParseStream) -> bool {
    input.is_empty() || input.peek(Token![,])
}
