//! The impl block without its marks, and the impl that tells the derive which methods they were.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Ident;

use super::hook::{Hook, Service};
use super::place;
use crate::model::{Marked, Method, Methods};

/// Writes the block and its link: one for each start method, so that in a build without any the derive
/// says what is missing.
pub(crate) fn methods(methods: &Methods) -> TokenStream {
    let private = place::private(&methods.place);
    // At the place of the attribute: the compiler's error about a derive that is missing is then the
    // same for both hooks, and printed once.
    let error = quote!(<Self as #private::Derived>::Error);
    let hook = |name| Hook { name, service: Service::Argument, error: &error, private: &private };
    let links: TokenStream = match &methods.body {
        Marked::Methods { start, stop } => {
            let calling = |Method { name, cfgs }: &Method| {
                let stop = hook("stop").calling(name);
                quote!(#(#cfgs)* #stop)
            };
            let stop: TokenStream = stop.iter().map(calling).collect();
            let linked = |Method { name, cfgs }: &Method| {
                let link = link(methods, &hook("start").calling(name), &stop, &private);
                quote!(#(#cfgs)* #link)
            };
            start.iter().map(linked).collect()
        }
        Marked::Stub { .. } => {
            let start = hook("start").passing("stub", Span::call_site());
            link(methods, &start, &TokenStream::new(), &private)
        }
    };
    let block = &methods.block;
    quote!(#block #links)
}

fn link(
    methods: &Methods,
    start: &TokenStream,
    stop: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let (params, _, _) = methods.generics.split_for_impl();
    let clause = place::where_clause(&methods.generics, &methods.place, private);
    let derived = derived(methods, private);
    let self_ty = named(methods.self_ty.to_token_stream());
    quote! {
        #[automatically_derived]
        impl #params #private::Methods<Self> for #self_ty #clause #derived {
            #start
            #stop
        }
    }
}

/// What a stub that is to be silent about a missing derive assumes. The compiler accepts an assumption
/// that does not hold only with a lifetime of its own.
fn derived(methods: &Methods, private: &TokenStream) -> Option<TokenStream> {
    let is_silent = matches!(methods.body, Marked::Stub { needs_derive: false });
    is_silent.then(|| quote!(for<'__any> Self: #private::Derived))
}

/// The type with `'static` for `'_`: no other lifetime is that of a service, and one without a name
/// could not be said to be it.
fn named(self_ty: TokenStream) -> TokenStream {
    let mut is_lifetime = false;
    let named = self_ty.into_iter().map(|token| {
        let after_tick = std::mem::replace(
            &mut is_lifetime,
            matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\''),
        );
        match token {
            TokenTree::Ident(ident) if after_tick && ident == "_" => {
                Ident::new("static", ident.span()).into()
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), named(group.stream()));
                inner.set_span(group.span());
                inner.into()
            }
            token => token,
        }
    });
    named.collect()
}
