//! The functions that a runner ends up calling: `run` and `shutdown`, and their twins in a link.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Ident;

use super::place;

/// The methods of the trait: one of the type's own comes before them.
const OF_TRAIT: [&str; 6] = ["run", "shutdown", "settings", "children", "grace", "boxed"];

/// A function that is to be written.
pub(super) struct GeneratedFn<'a> {
    pub(super) name: &'static str,
    pub(super) receiver: Receiver,
    pub(super) error: &'a TokenStream,
    pub(super) private: &'a TokenStream,
}

/// How a function gets at the service.
#[derive(Clone, Copy)]
pub(super) enum Receiver {
    /// As the method's own.
    Own,
    /// As an argument.
    Argument,
}

impl GeneratedFn<'_> {
    /// Calls a method of the user's, and has the function `ends` await it: the errors about its arguments, output and `Send` all fall on
    /// its name.
    ///
    /// All tokens bear the span of that name, but for the error type: the compiler finds most mistakes
    /// more than once, in the body and in the return type, and prints what is of one place once.
    pub(super) fn calling(&self, method: &Ident, ends: &str) -> TokenStream {
        let span = method.span();
        let (private, error) = (place::at(self.private, span), self.error);
        let (head, service) = (self.head(span), self.service(span));
        let (ends, method) = (Ident::new(ends, span), self.method(method));
        quote_spanned! {span=>
            #head {
                #private::#ends::<#error, _>(#private::call(#method, #service, __cx))
            }
        }
    }

    /// Returns the method, by its path. One named as one of the trait's has to be one of the type's own, or the
    /// trait's would be taken for it: two of the same type are the trait's twice.
    fn method(&self, name: &Ident) -> TokenStream {
        let span = name.span();
        let private = place::at(self.private, span);
        let path = quote_spanned!(span=> Self::#name);
        if OF_TRAIT.iter().all(|known| name != known) {
            return path;
        }
        quote_spanned! {span=> {
            use #private::Found as _;
            let __both = #private::Both(#path, <Self as #private::Service>::#name);
            __both.is_used();
            #private::method_of::<Self, _>(__both.found())
        }}
    }

    /// Passes on to a function of the hidden module.
    pub(super) fn passing(&self, function: &str, span: Span) -> TokenStream {
        let (head, service) = (self.head(span), self.service(span));
        let private = place::at(self.private, span);
        let function = Ident::new(function, span);
        quote_spanned!(span=> #head { #private::#function(#service, __cx) })
    }

    fn head(&self, span: Span) -> TokenStream {
        let (private, error) = (place::at(self.private, span), self.error);
        let name = Ident::new(self.name, span);
        let args = match self.receiver {
            Receiver::Own => quote_spanned!(span=> &self, __cx: #private::Context),
            Receiver::Argument => quote_spanned!(span=> __service: &Self, __cx: #private::Context),
        };
        quote_spanned! {span=>
            fn #name(#args)
                -> impl #private::Future<Output = #private::Result<(), #error>> + #private::Send
        }
    }

    /// Returns the service, as a name of the same hygiene as the one in the head.
    fn service(&self, span: Span) -> TokenStream {
        match self.receiver {
            Receiver::Own => quote_spanned!(span=> self),
            Receiver::Argument => quote_spanned!(span=> __service),
        }
    }
}
