//! The functions that a runner ends up calling: `run` and `shutdown`, and their twins in a link.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Ident;

use super::place;

/// The methods of the trait that a method of the type may be named as.
const TAKEN: [&str; 2] = ["run", "shutdown"];

/// A function that is to be written.
pub(super) struct Hook<'a> {
    pub(super) name: &'static str,
    pub(super) service: Service,
    pub(super) error: &'a TokenStream,
    pub(super) private: &'a TokenStream,
}

/// How a hook gets at the service.
#[derive(Clone, Copy)]
pub(super) enum Service {
    Receiver,
    Argument,
}

impl Hook<'_> {
    /// Calls a method of the user's: the errors about its arguments, output and `Send` all fall on
    /// its name.
    ///
    /// All tokens bear the span of that name, but for the error type: the compiler finds most mistakes
    /// more than once, in the body and in the return type, and prints what is of one place once.
    pub(super) fn calling(&self, method: &Ident) -> TokenStream {
        let span = method.span();
        let (private, error) = (place::at(self.private, span), self.error);
        let (head, service) = (self.head(span), self.service(span));
        let guard = self.guard(method);
        quote_spanned! {span=>
            #head {
                #guard
                #private::ends::<#error, _>(#private::call(Self::#method, #service, cx))
            }
        }
    }

    /// A method named as one of the trait's has to be one of the type's own, or the trait's would call itself.
    fn guard(&self, method: &Ident) -> Option<TokenStream> {
        let private = place::at(self.private, method.span());
        TAKEN.iter().any(|taken| method == taken).then(|| {
            quote_spanned! {method.span()=>
                use #private::ItHasNoSuchMethod as _;
                ().is_used();
            }
        })
    }

    /// Passes on to a function of the hidden module.
    pub(super) fn passing(&self, function: &str, span: Span) -> TokenStream {
        let (head, service) = (self.head(span), self.service(span));
        let private = place::at(self.private, span);
        let function = Ident::new(function, span);
        quote_spanned!(span=> #head { #private::#function(#service, cx) })
    }

    fn head(&self, span: Span) -> TokenStream {
        let (private, error) = (place::at(self.private, span), self.error);
        let name = Ident::new(self.name, span);
        let args = match self.service {
            Service::Receiver => quote_spanned!(span=> &self, cx: #private::Context),
            Service::Argument => quote_spanned!(span=> service: &Self, cx: #private::Context),
        };
        quote_spanned! {span=>
            fn #name(#args)
                -> impl #private::Future<Output = #private::Result<(), #error>> + #private::Send
        }
    }

    /// The service, as a name of the same hygiene as the one in the head.
    fn service(&self, span: Span) -> TokenStream {
        match self.service {
            Service::Receiver => quote_spanned!(span=> self),
            Service::Argument => quote_spanned!(span=> service),
        }
    }
}
