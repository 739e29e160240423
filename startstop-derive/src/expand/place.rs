//! Paths and bounds that both macros write.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote;
use syn::{GenericParam, Generics};

use crate::model::Place;

/// The path of the hidden module.
pub(super) fn private(place: &Place) -> TokenStream {
    match &place.krate {
        Some(path) => quote!(#path::__private),
        None => quote!(::startstop_core::__private),
    }
}

/// The path as if it were written at `span`: an error about what begins with it then falls there,
/// and a second one about the same is known by its place to be the same.
pub(super) fn at(path: &TokenStream, span: Span) -> TokenStream {
    let respanned = path.clone().into_iter().map(|mut token| {
        // What `$crate` means is in its span.
        if !matches!(&token, TokenTree::Ident(ident) if ident == "$crate") {
            token.set_span(span);
        }
        token
    });
    respanned.collect()
}

/// The where clause: what is written on the item, and what every service demands. A given bound
/// replaces what is demanded of type parameters.
pub(super) fn where_clause(
    generics: &Generics,
    place: &Place,
    private: &TokenStream,
) -> TokenStream {
    let written = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let given = place.bound.iter().flatten();
    let demanded = generics.params.iter().filter_map(|param| match param {
        GenericParam::Type(param) if place.bound.is_none() => {
            let ident = &param.ident;
            Some(quote!(#ident: #private::Send + #private::Sync + 'static))
        }
        GenericParam::Lifetime(param) => {
            let lifetime = &param.lifetime;
            Some(quote!(#lifetime: 'static))
        }
        _ => None,
    });
    quote!(where #(#written,)* #(#given,)* #(#demanded,)*)
}
