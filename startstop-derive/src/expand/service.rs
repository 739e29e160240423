//! The impl of `Service` for a type that derives it.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;

use super::composition;
use super::generated_fn::{Check, GeneratedFn, Receiver};
use super::place::{self, Head};
use super::value::setter;
use crate::model::{Body, Composition, ErrorType, Pair, Service};

/// Writes the impls of one type.
pub(crate) fn service(service: &Service) -> TokenStream {
    let private = place::private(&service.place);
    let (bodies, settings) = (bodies(service, &private), settings(service, &private));
    let (error, links) = (error(service, &private), links(service, &private));
    let head = head(service, &quote!(Service), None, &private);
    quote! {
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
        ErrorType::Given(error) => {
            Head::new(&service.generics, &service.place, private).statics(error)
        }
        ErrorType::Boxed | ErrorType::Unread => quote!(#private::BoxError),
    }
}

/// Returns the error, where the impl has said what it is. Not `Self::Error`: an enum may have a variant of that
/// name. And not the type itself: what is wrong with it would be reported in each place.
fn own_error(service: &Service, private: &TokenStream) -> TokenStream {
    match &service.error {
        ErrorType::Given(_) => quote!(<Self as #private::Service>::Error),
        ErrorType::Boxed | ErrorType::Unread => error(service, private),
    }
}

/// `impl<..> Trait for Type<..> where ..`
fn head(
    service: &Service,
    of: &TokenStream,
    assumed: Option<TokenStream>,
    private: &TokenStream,
) -> TokenStream {
    let head = Head::new(&service.generics, &service.place, private);
    let (params, args, clause) = (head.params(), head.args(), head.clause(assumed));
    let (ident, allowed) = (&service.ident, &service.place.allowed);
    quote! {
        #[automatically_derived]
        #(#allowed)*
        impl #params #private::#of for #ident #args #clause
    }
}

fn bodies(service: &Service, private: &TokenStream) -> TokenStream {
    let error = own_error(service, private);
    let span = service.ident.span();
    let function = |name| GeneratedFn {
        name,
        receiver: Receiver::Own,
        error: &error,
        private,
    };
    match &service.body {
        Body::Named(pair) => {
            let run = function("run").passing("written", span);
            let shutdown = pair
                .stop
                .as_ref()
                .map(|_| function("shutdown").passing("written_stop", span));
            quote!(#run #shutdown)
        }
        Body::Linked => {
            let run = function("run").passing("start", span);
            let shutdown = function("shutdown").passing("stop", span);
            quote!(#run #shutdown)
        }
        Body::Composed(_) => {
            let run = function("run").passing("written", span);
            let others = composition::hooks(private);
            quote!(#run #others)
        }
        Body::Stub { .. } => function("run").passing("stub", span),
    }
}

/// `settings`, unless nothing is set, nor other than by default.
fn settings(service: &Service, private: &TokenStream) -> Option<TokenStream> {
    let setters = service
        .settings
        .iter()
        .map(|setting| setter(setting, private));
    let set = quote!(#private::Settings::new() #(#setters)*);
    let set = match service.body {
        Body::Composed(_) => quote!(#private::composed(#set)),
        _ if service.settings.is_empty() => return None,
        _ => set,
    };
    let set = Head::new(&service.generics, &service.place, private).statics(set);
    Some(quote!(fn settings(&self) -> #private::Settings { #set }))
}

/// Writes what ties the type to the impl block that marks its methods, or to its members.
fn links(service: &Service, private: &TokenStream) -> Option<TokenStream> {
    let linked = match &service.body {
        Body::Composed(composition) => return Some(composed(service, composition, private)),
        Body::Named(pair) => {
            let derived = pair.is_linked.then(|| derived(service, private));
            let named = named(service, pair, private);
            return Some(quote!(#named #derived));
        }
        Body::Stub { is_linked: false } => return None,
        Body::Stub { is_linked: true } => None,
        Body::Linked => Some(linked(service, private)),
    };
    let derived = derived(service, private);
    Some(quote!(#derived #linked))
}

fn derived(service: &Service, private: &TokenStream) -> TokenStream {
    let head = head(service, &quote!(Derived), None, private);
    let error = error(service, private);
    quote! {
        #head {
            type Error = #error;
        }
    }
}

/// Returns the calls of the methods that are named.
fn named(service: &Service, Pair { start, stop, .. }: &Pair, private: &TokenStream) -> TokenStream {
    let assumed = Head::new(&service.generics, &service.place, private).assumed();
    let error = own_error(service, private);
    let head = head(service, &quote!(Written<#error>), assumed, private);
    let function = |name| GeneratedFn {
        name,
        receiver: Receiver::Own,
        error: &error,
        private,
    };
    let last = match &service.error {
        ErrorType::Unread => Check::Async,
        ErrorType::Boxed | ErrorType::Given(_) => Check::Error,
    };
    let start = match start {
        Some(start) => function("start").calling(start, last),
        None => function("start").standing_in("stub", service.ident.span()),
    };
    let stop = stop
        .as_ref()
        .map(|stop| function("stop").calling(stop, last));
    quote! {
        #head {
            #start
            #stop
        }
    }
}

fn composed(service: &Service, composition: &Composition, private: &TokenStream) -> TokenStream {
    let members = composition::members(composition, private);
    let written = running(service, private);
    let head = head(service, &quote!(Composed), None, private);
    quote! {
        #head {
            #members
        }
        #written
    }
}

/// Returns what runs the members.
fn running(service: &Service, private: &TokenStream) -> TokenStream {
    let assumed = Head::new(&service.generics, &service.place, private).assumed();
    let error = own_error(service, private);
    let head = head(service, &quote!(Written<#error>), assumed, private);
    // A mistake in the error type is reported at the error type.
    let span = match &service.error {
        ErrorType::Given(error) => error.span(),
        ErrorType::Boxed | ErrorType::Unread => service.ident.span(),
    };
    let start = GeneratedFn {
        name: "start",
        receiver: Receiver::Own,
        error: &error,
        private,
    };
    let start = start.composing(span);
    quote! {
        #head {
            #start
        }
    }
}

fn linked(service: &Service, private: &TokenStream) -> TokenStream {
    let head = head(service, &quote!(Linked), None, private);
    let error = quote!(<Self as #private::Derived>::Error);
    let function = |name, linked| {
        let function = GeneratedFn {
            name,
            receiver: Receiver::Own,
            error: &error,
            private,
        };
        // The name of the type is the place of the error about a missing start method.
        function.linking(linked, service.ident.span())
    };
    let (start, stop) = (
        function("start", "linked_start"),
        function("stop", "linked_stop"),
    );
    quote! {
        #head {
            #start
            #stop
        }
    }
}
