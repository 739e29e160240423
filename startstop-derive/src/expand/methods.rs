//! The impl block without its marks, and the impl that tells the derive which methods they were.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Ident;

use super::hook::{Hook, Service};
use super::place;
use crate::model::{Marked, Methods};

/// Writes the block and its link.
pub(crate) fn methods(methods: &Methods) -> TokenStream {
    let private = place::private(&methods.place);
    let (params, _, _) = methods.generics.split_for_impl();
    let clause = place::where_clause(&methods.generics, &methods.place, &private);
    let derived = derived(methods, &private);
    let (block, self_ty) = (&methods.block, named(methods.self_ty.to_token_stream()));
    let bodies = bodies(methods, &private);
    quote! {
        #block
        #[automatically_derived]
        impl #params #private::Methods<Self> for #self_ty #clause #derived {
            #bodies
        }
    }
}

/// What a stub that is to be silent about a missing derive assumes. The compiler accepts an assumption
/// that does not hold only with a lifetime of its own.
fn derived(methods: &Methods, private: &TokenStream) -> Option<TokenStream> {
    let is_silent = matches!(methods.body, Marked::Stub { needs_derive: false });
    is_silent.then(|| quote!(for<'__any> Self: #private::Derived))
}

fn bodies(methods: &Methods, private: &TokenStream) -> TokenStream {
    // At the place of the attribute: the compiler's error about a derive that is missing is then the
    // same for both hooks, and printed once.
    let error = quote!(<Self as #private::Derived>::Error);
    let hook = |name| Hook { name, service: Service::Argument, error: &error, private };
    match &methods.body {
        Marked::Pair(pair) => {
            let start = hook("start").calling(&pair.start);
            let stop = pair.stop.as_ref().map(|stop| hook("stop").calling(stop));
            quote!(#start #stop)
        }
        Marked::Stub { .. } => hook("start").passing("stub", Span::call_site()),
    }
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
