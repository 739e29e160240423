//! Spans, paths and bounds that both macros write.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{GenericParam, Generics, Ident};

use crate::model::Place;

/// The place of `span`, resolved where the macro is called.
pub(super) fn at(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// The path of the hidden module.
pub(super) fn private(place: &Place) -> TokenStream {
    match &place.krate {
        Some(path) => quote!(#path::__private),
        None => quote!(::startstop_core::__private),
    }
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

/// The future of a method, as `run` and `shutdown` return it.
pub(super) fn call(
    method: &Ident,
    service: &TokenStream,
    error: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    // The errors about arguments, output and `Send` all fall on the name of the method.
    let span = at(method.span());
    quote_spanned! {span=>
        #private::Ends::<#error>::ends(#private::awaits(#private::call(Self::#method, #service, cx)))
    }
}

/// The type of what `run` and `shutdown` return.
pub(super) fn future(span: Span, error: &TokenStream, private: &TokenStream) -> TokenStream {
    quote_spanned! {at(span)=>
        impl #private::Future<Output = #private::Result<(), #error>> + #private::Send
    }
}
