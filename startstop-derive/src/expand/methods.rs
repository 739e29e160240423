//! The impl block without its marks, and the impl that tells the derive which methods they were.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Ident;
use syn::spanned::Spanned;

use super::place;
use crate::model::{Marked, Methods};

/// Writes the block and its link.
pub(crate) fn methods(methods: &Methods) -> TokenStream {
    let private = place::private(&methods.place);
    let (params, _, _) = methods.generics.split_for_impl();
    let clause = place::where_clause(&methods.generics, &methods.place, &private);
    let (block, self_ty) = (&methods.block, &methods.self_ty);
    let bodies = bodies(methods, &private);
    quote! {
        #block
        #[automatically_derived]
        impl #params #private::Methods<Self> for #self_ty #clause {
            #bodies
        }
    }
}

fn bodies(methods: &Methods, private: &TokenStream) -> TokenStream {
    match &methods.body {
        Marked::Pair(pair) => {
            let start = hook(methods, &quote!(start), Some(&pair.start), private);
            let stop = pair.stop.as_ref();
            let stop = stop.map(|stop| hook(methods, &quote!(stop), Some(stop), private));
            quote!(#start #stop)
        }
        Marked::Stub => hook(methods, &quote!(start), None, private),
    }
}

fn hook(
    methods: &Methods,
    name: &TokenStream,
    method: Option<&Ident>,
    private: &TokenStream,
) -> TokenStream {
    let error = quote!(<Self as #private::Derived>::Error);
    // Both hooks have the place of the type: the error about a derive that is missing is then the
    // same for both, and printed once.
    let future = place::future(methods.self_ty.span(), &error, private);
    let body = match method {
        Some(method) => place::call(method, &quote!(service), &error, private),
        None => quote!({ let _ = (service, cx); #private::stub() }),
    };
    quote!(fn #name(service: &Self, cx: #private::Context) -> #future { #body })
}
