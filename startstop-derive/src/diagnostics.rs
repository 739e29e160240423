//! The mistakes of one item, collected so that all are reported at once.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far, in the order in which they stand in the source.
#[derive(Default)]
pub(crate) struct Diagnostics {
    mistakes: Vec<syn::Error>,
}

impl Diagnostics {
    /// Reports a mistake at a place.
    pub(crate) fn report(&mut self, span: Span, message: impl Display) {
        self.mistakes.push(syn::Error::new(span, message));
    }

    /// Reports a mistake at all of some tokens.
    pub(crate) fn report_at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.mistakes.push(syn::Error::new_spanned(tokens, message));
    }

    /// Reports what the parser found.
    pub(crate) fn report_error(&mut self, error: syn::Error) {
        self.mistakes.push(error);
    }

    pub(crate) fn count(&self) -> usize {
        self.mistakes.len()
    }

    /// Returns the mistakes as compile errors.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.mistakes
            .into_iter()
            .map(syn::Error::into_compile_error)
            .collect()
    }
}
