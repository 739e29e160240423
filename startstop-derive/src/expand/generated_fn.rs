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

/// The last that is checked of a method.
#[derive(Clone, Copy)]
pub(super) enum Check {
    /// That it is async, for the error of the service was not understood.
    Async,
    /// That its error is one of the service.
    Error,
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
    /// Calls a method of the user's, and checks what it is and returns, up to what `last` says: the errors about its arguments,
    /// output and `Send` all fall on its name.
    ///
    /// All tokens bear the span of that name, but for the error type: the compiler finds most mistakes
    /// more than once, in the body and in the return type, and prints what is of one place once.
    pub(super) fn calling(&self, method: &Ident, last: Check) -> TokenStream {
        let span = method.span();
        let (private, error) = (place::at(self.private, span), self.error);
        let (head, service) = (self.generic_head(span), self.service(span));
        let method = self.method(method);
        let last = match last {
            Check::Error => quote_spanned! {span=>
                let __error = <__P as #private::Yields<#error, _, _, _>>::checked(__output);
                <__P as #private::IntoError<#error, _, _, _>>::checked(__error)
            },
            Check::Async => quote_spanned!(span=> #private::unread(__output)),
        };
        quote_spanned! {span=>
            #head {
                let __returned = <__P as #private::Method<'_, _, _, _>>::checked(#method, #service, __cx);
                let __output = <__P as #private::Async<_, _, _>>::checked(__returned);
                #last
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
            <__P as #private::MethodOf<Self, _, _>>::method(__both.found())
        }}
    }

    /// Calls a marked method by its link.
    pub(super) fn linking(&self, function: &str, span: Span) -> TokenStream {
        let (head, service) = (self.generic_head(span), self.service(span));
        let private = place::at(self.private, span);
        let function = Ident::new(function, span);
        quote_spanned! {span=>
            #head {
                use #private::NamesItself as _;
                // Or the import were not used where the type has a function of its own.
                let _ = #private::Anyone::__marked();
                let __methods = <__P as #private::MethodsOf<_, _>>::methods(Self::__marked());
                #private::#function(__methods, #service, __cx)
            }
        }
    }

    /// Runs the members.
    pub(super) fn composing(&self, span: Span) -> TokenStream {
        let (private, error) = (self.private, self.error);
        let (head, service) = (self.generic_head(span), self.service(span));
        quote_spanned! {span=>
            #head {
                <__P as #private::FromMember<#error, _>>::compose(#service, __cx)
            }
        }
    }

    /// Passes on to a function of the hidden module, in a function without parameters.
    pub(super) fn passing(&self, function: &str, span: Span) -> TokenStream {
        self.passing_in(&self.head(span, &TokenStream::new()), function, span)
    }

    /// Passes on as well, in a function with the parameter of the checks.
    pub(super) fn standing_in(&self, function: &str, span: Span) -> TokenStream {
        self.passing_in(&self.generic_head(span), function, span)
    }

    fn passing_in(&self, head: &TokenStream, function: &str, span: Span) -> TokenStream {
        let (private, service) = (place::at(self.private, span), self.service(span));
        let function = Ident::new(function, span);
        quote_spanned!(span=> #head { #private::#function(#service, __cx) })
    }

    /// Writes a head with the parameter that the checks are about in name.
    fn generic_head(&self, span: Span) -> TokenStream {
        let private = place::at(self.private, span);
        let params = match self.receiver {
            Receiver::Own => quote_spanned!(span=> <__P>),
            Receiver::Argument => {
                quote_spanned!(span=> <__P: #private::DerivedOf<#private::Anyone>>)
            }
        };
        self.head(span, &params)
    }

    fn head(&self, span: Span, params: &TokenStream) -> TokenStream {
        let private = place::at(self.private, span);
        let name = Ident::new(self.name, span);
        let args = match self.receiver {
            Receiver::Own => quote_spanned!(span=> &self, __cx: #private::Context),
            Receiver::Argument => quote_spanned!(span=> __service: &Self, __cx: #private::Context),
        };
        let output = self.output(span);
        quote_spanned!(span=> fn #name #params(#args) -> #output)
    }

    /// Writes the return type. What is asked of a link is wrong with the whole of it, and told at its attribute.
    fn output(&self, span: Span) -> TokenStream {
        let span = match self.receiver {
            Receiver::Own => span,
            Receiver::Argument => Span::call_site(),
        };
        let (private, error) = (place::at(self.private, span), self.error);
        quote_spanned! {span=>
            impl #private::Future<Output = #private::Result<(), #error>> + #private::Send
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
