//! Passing over what was reported already.
//!
//! A comma may belong to what is passed over: to generic arguments, or to the head of a closure.

use proc_macro2::TokenTree;
use syn::parse::{Parse, ParseStream};
use syn::{AngleBracketedGenericArguments, Expr, Token, Type};

/// Passes over what was reported, up to the next comma that does not belong to it.
pub(super) fn skip_to_comma(input: ParseStream) {
    let _ = skip_whole::<Type>(input) || skip_whole::<Expr>(input);
    while !is_at_end(input) {
        let ahead = input.fork();
        match ahead.parse::<AngleBracketedGenericArguments>() {
            Ok(_) => skip_up_to(input, &ahead),
            Err(_) => skip_token(input),
        }
    }
}

/// Passes over something that a comma or the end follows; whether it was there.
fn skip_whole<T: Parse>(input: ParseStream) -> bool {
    let ahead = input.fork();
    let is_whole = ahead.parse::<T>().is_ok() && is_at_end(&ahead);
    if is_whole {
        skip_up_to(input, &ahead);
    }
    is_whole
}

/// Passes over what was parsed ahead, token by token: an `advance_to` would report what the parser has
/// left over inside of a group.
fn skip_up_to(input: ParseStream, ahead: ParseStream) {
    while input.cursor() != ahead.cursor() && !input.is_empty() {
        skip_token(input);
    }
}

fn skip_token(input: ParseStream) {
    let _ = input.parse::<TokenTree>();
}

/// Returns whether an entry ends here.
pub(super) fn is_at_end(input: ParseStream) -> bool {
    input.is_empty() || input.peek(Token![,])
}
