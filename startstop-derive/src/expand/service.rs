//! The impl of `Service` for a type that derives it.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::composition;
use super::hook::{self, Hook};
use super::place;
use super::value::setter;
use crate::model::{Body, Composition, Service};

/// Writes the impls of one type.
pub(crate) fn service(service: &Service) -> TokenStream {
    let private = place::private(&service.place);
    let bodies = bodies(service, &private);
    let settings = settings(service, &private);
    let error = error(service, &private);
    let head = head(service, &quote!(Service), &private);
    let links = links(service, &private);
    quote! {
        #[automatically_derived]
        #head {
            type Error = #error;
            #bodies
            #settings
        }
        #links
    }
}

fn error(service: &Service, private: &TokenStream) -> TokenStream {
    match &service.error {
        Some(error) => quote!(#error),
        None => quote!(#private::BoxError),
    }
}

/// `impl<..> Trait for Type<..> where ..`
fn head(service: &Service, of: &TokenStream, private: &TokenStream) -> TokenStream {
    let (params, args, _) = service.generics.split_for_impl();
    let clause = place::where_clause(&service.generics, &service.place, private);
    let ident = &service.ident;
    quote!(impl #params #private::#of for #ident #args #clause)
}

fn bodies(service: &Service, private: &TokenStream) -> TokenStream {
    let error = match &service.error {
        // Not `Self::Error`: an enum may have a variant of that name. And not the type itself: what is
        // wrong with it would be reported in each place.
        Some(_) => quote!(<Self as #private::Service>::Error),
        None => error(service, private),
    };
    let span = service.ident.span();
    let hook = |name| Hook { name, service: hook::Service::Receiver, error: &error, private };
    match &service.body {
        Body::Named(pair) => {
            let run = hook("run").calling(&pair.start);
            let shutdown = pair.stop.as_ref().map(|stop| hook("shutdown").calling(stop));
            quote!(#run #shutdown)
        }
        Body::Linked => {
            let run = hook("run").passing("start", span);
            let shutdown = hook("shutdown").passing("stop", span);
            quote!(#run #shutdown)
        }
        Body::Composed(_) => {
            // What is wrong with the error type is said there.
            let span = service.error.as_ref().map_or(span, Spanned::span);
            let run = hook("run").passing("compose", Span::call_site().located_at(span));
            let others = composition::hooks(private);
            quote!(#run #others)
        }
        Body::Stub { .. } => hook("run").passing("stub", span),
    }
}

/// `settings`, unless nothing is set, nor other than by default.
fn settings(service: &Service, private: &TokenStream) -> Option<TokenStream> {
    let setters = service.settings.iter().map(|setting| setter(setting, private));
    let set = quote!(#private::Settings::new() #(#setters)*);
    let set = match service.body {
        Body::Composed(_) => quote!(#private::composed(#set)),
        _ if service.settings.is_empty() => return None,
        _ => set,
    };
    Some(quote!(fn settings(&self) -> #private::Settings { #set }))
}

/// What ties the type to the impl block that marks its methods, or to its members.
fn links(service: &Service, private: &TokenStream) -> Option<TokenStream> {
    let linked = match &service.body {
        Body::Composed(composition) => return Some(composed(service, composition, private)),
        Body::Named(_) | Body::Stub { is_linked: false } => return None,
        Body::Stub { is_linked: true } => None,
        Body::Linked => Some(linked(service, private)),
    };
    let head = head(service, &quote!(Derived), private);
    let error = error(service, private);
    Some(quote! {
        #[automatically_derived]
        #head {
            type Error = #error;
        }
        #linked
    })
}

fn composed(service: &Service, composition: &Composition, private: &TokenStream) -> TokenStream {
    let head = head(service, &quote!(Composed), private);
    let members = composition::members(composition, private);
    quote! {
        #[automatically_derived]
        #head {
            #members
        }
    }
}

fn linked(service: &Service, private: &TokenStream) -> TokenStream {
    let head = head(service, &quote!(Linked), private);
    // The error about a start method that is missing falls on the name of the type.
    let this = quote_spanned!(service.ident.span()=> Self);
    quote! {
        #[automatically_derived]
        #head {
            type Methods = #this;
        }
    }
}
