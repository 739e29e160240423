//! The impl block without its marks, and the impl that tells the derive which methods they were.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Ident;

use super::generated_fn::{Check, GeneratedFn, Receiver};
use super::place::{self, Head};
use crate::model::{Marked, Method, Methods};

/// Writes the block and its link: one for each start method, so that in a build without any the derive
/// says what is missing. A block without any, which is a mistake, has no link.
pub(crate) fn methods(methods: &Methods) -> TokenStream {
    let private = place::private(&methods.place);
    // Both hooks take the place of the attribute, so that the compiler tells of a missing derive once, not for each
    // hook.
    let error = quote!(<__P as #private::DerivedOf<Self>>::Error);
    let function = |name| GeneratedFn {
        name,
        receiver: Receiver::Argument,
        error: &error,
        private: &private,
    };
    let Marked { start, stop, .. } = &methods.body;
    let stop: TokenStream = stop
        .iter()
        .filter(|method| method.is_sound)
        .map(|method| {
            let (cfgs, stop) = (
                &method.cfgs,
                function("stop").calling(&method.name, Check::Error),
            );
            quote!(#(#cfgs)* #stop)
        })
        .collect();
    let linked = |Method {
                      name,
                      cfgs,
                      is_sound,
                  }: &Method| {
        let start = if *is_sound {
            function("start").calling(name, Check::Error)
        } else {
            function("start").standing_in("stub", name.span())
        };
        let link = link(methods, name, &start, &stop, &private);
        quote!(#(#cfgs)* #link)
    };
    let links = if start.is_empty() {
        incomplete(methods, &private)
    } else {
        start.iter().map(linked).collect()
    };
    let block = &methods.block;
    quote!(#block #links)
}

fn link(
    methods: &Methods,
    name: &Ident,
    start: &TokenStream,
    stop: &TokenStream,
    private: &TokenStream,
) -> TokenStream {
    let head = Head::new(&methods.generics, &methods.place, private);
    let clause = head.clause(assumed(methods, &head, private));
    let (params, self_ty) = (head.params(), head.statics(&methods.self_ty));
    let allowed = &methods.place.allowed;
    // What is wrong with the whole of it is that another block marks a start method too.
    let span = Span::call_site().located_at(name.span());
    quote_spanned! {span=>
        #[automatically_derived]
        #(#allowed)*
        impl #params #private::Methods<Self> for #self_ty #clause {
            #start
            #stop
        }
    }
}

/// Writes what keeps the derive from missing the methods of a block that says too little, beside which another one may be
/// complete.
fn incomplete(methods: &Methods, private: &TokenStream) -> TokenStream {
    let head = Head::new(&methods.generics, &methods.place, private);
    let clause = head.clause(None);
    let (params, self_ty) = (head.params(), head.statics(&methods.self_ty));
    let allowed = &methods.place.allowed;
    quote! {
        #[automatically_derived]
        #(#allowed)*
        impl #params #self_ty #clause {
            pub(crate) fn __marked() -> #private::PhantomData<#private::Incomplete> {
                #private::PhantomData
            }
        }
    }
}

/// Returns what is assumed of the type: all that a service is; and where a missing derive is to be passed over in
/// silence, that there is one.
fn assumed(methods: &Methods, head: &Head, private: &TokenStream) -> Option<TokenStream> {
    if methods.body.needs_derive {
        let self_ty = methods.self_ty.to_token_stream().to_string();
        return head.assumed().filter(|_| !self_ty.contains('\''));
    }
    Some(quote!(for<'__any> Self: #private::Derived))
}
