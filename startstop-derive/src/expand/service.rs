//! The impl of `Service` for a type that derives it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use super::hook::{self, Hook};
use super::place;
use crate::model::{Body, Service, Setting, Value};

/// Writes the impls of one type.
pub(crate) fn service(service: &Service) -> TokenStream {
    let private = place::private(&service.place);
    let bodies = bodies(service, &private);
    let settings = settings(&service.settings, &private);
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
        Body::Stub { .. } => hook("run").passing("stub", span),
    }
}

/// `settings`, unless nothing is set.
fn settings(settings: &[Setting], private: &TokenStream) -> Option<TokenStream> {
    let setters = settings.iter().map(|setting| setter(setting, private));
    (!settings.is_empty()).then(|| {
        quote! {
            fn settings(&self) -> #private::Settings {
                #private::Settings::new() #(#setters)*
            }
        }
    })
}

fn setter(setting: &Setting, private: &TokenStream) -> TokenStream {
    let span = setting.span;
    let name = format_ident!("{}", setting.name, span = span);
    let value = match &setting.value {
        Value::Expr(expr) => quote!(#expr),
        Value::Duration(duration) => {
            let (secs, nanos) = (duration.as_secs(), duration.subsec_nanos());
            quote!(#private::Duration::new(#secs, #nanos))
        }
        Value::Policy(policy) => quote!(#private::RestartPolicy::#policy()),
        Value::Readiness(variant) => {
            let variant = format_ident!("{variant}");
            quote!(#private::Readiness::#variant)
        }
    };
    quote_spanned!(span=> .#name(#value))
}

/// What ties the type to the impl block that marks its methods.
fn links(service: &Service, private: &TokenStream) -> Option<TokenStream> {
    let linked = match service.body {
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
