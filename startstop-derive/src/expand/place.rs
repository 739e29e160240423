//! Paths, heads and bounds that both macros write.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{GenericParam, Generics, Token, WherePredicate};

use super::lifetimes;
use crate::model::Place;

/// The name of the hidden module.
const PRIVATE: &str = "__private";

/// Returns the path of the hidden module.
pub(super) fn private(place: &Place) -> TokenStream {
    match &place.krate {
        Some(path) => quote!(#path::__private),
        None => quote!(::startstop_core::__private),
    }
}

/// Returns the path as if it were written at `span`: an error about what begins with it then falls there,
/// and a second one about the same is known by its place to be the same.
pub(super) fn at(path: &TokenStream, span: Span) -> TokenStream {
    let respanned = path.clone().into_iter().map(|mut token| {
        match &token {
            // `$crate` keeps its span: the span says which crate it means.
            TokenTree::Ident(ident) if ident == "$crate" => {}
            // Of the macro, or a path from `crate = ..` would count as one of the user's, who has imported the same.
            TokenTree::Ident(ident) if ident == PRIVATE => {
                token.set_span(Span::call_site().located_at(span));
            }
            _ => token.set_span(span),
        }
        token
    });
    respanned.collect()
}

/// The tokens around the name of an impl's type. The lifetimes of a type that is a service are
/// `'static`; to name them would be in vain, which a lint could tell the user.
pub(super) struct Head<'a> {
    generics: &'a Generics,
    place: &'a Place,
    private: &'a TokenStream,
}

impl<'a> Head<'a> {
    pub(super) fn new(generics: &'a Generics, place: &'a Place, private: &'a TokenStream) -> Self {
        Self {
            generics,
            place,
            private,
        }
    }

    /// Returns the parameters, in their brackets. These are ours, so that what we demand of a parameter is no
    /// repetition of the user's.
    pub(super) fn params(&self) -> TokenStream {
        let mut generics = self.generics.clone();
        let params = generics.params.into_iter();
        let is_free = |param: &GenericParam| !matches!(param, GenericParam::Lifetime(_));
        generics.params = params.filter(is_free).collect();
        generics.lt_token = Some(<Token![<]>::default());
        generics.gt_token = Some(<Token![>]>::default());
        self.statics(generics.split_for_impl().0)
    }

    /// Returns the arguments of the type.
    pub(super) fn args(&self) -> TokenStream {
        self.statics(self.generics.split_for_impl().1)
    }

    /// Returns the where clause: what is written on the item, what every service demands, and `assumed`. A
    /// given bound replaces what is demanded of type parameters.
    pub(super) fn clause(&self, assumed: Option<TokenStream>) -> TokenStream {
        let private = self.private;
        let written = self
            .generics
            .where_clause
            .iter()
            .flat_map(|clause| &clause.predicates);
        let given = self.place.bound.iter().flatten();
        let is_on_type = |predicate: &&WherePredicate| matches!(predicate, WherePredicate::Type(_));
        let written = written.chain(given).filter(is_on_type);
        let demanded = self
            .generics
            .type_params()
            .filter(|_| self.place.bound.is_none());
        let demanded = demanded.map(|param| {
            let ident = &param.ident;
            quote!(#ident: #private::Send + #private::Sync + 'static)
        });
        let assumed = assumed.into_iter();
        let predicates = quote!(#(#written,)* #(#demanded,)* #(#assumed,)*);
        if predicates.is_empty() {
            return predicates;
        }
        self.statics(quote!(where #predicates))
    }

    /// That the type is a service in all that it has to be, such as `Send`: that is checked where it
    /// becomes one, and what is missing is not to be missed again in each method. The compiler accepts
    /// an assumption that does not hold only with a lifetime of its own. Of a type with lifetimes it
    /// would believe nothing else.
    pub(super) fn assumed(&self) -> Option<TokenStream> {
        let private = self.private;
        let has_lifetimes = self.generics.lifetimes().next().is_some();
        (!has_lifetimes).then(|| quote!(for<'__any> Self: #private::Assumed))
    }

    /// Returns the tokens with `'static` for each lifetime of the type, and for `'_` where it is none of a function.
    pub(super) fn statics(&self, tokens: impl ToTokens) -> TokenStream {
        let names: Vec<String> = self
            .generics
            .lifetimes()
            .map(|param| param.lifetime.ident.to_string())
            .collect();
        lifetimes::statics(tokens.to_token_stream(), &names)
    }
}
