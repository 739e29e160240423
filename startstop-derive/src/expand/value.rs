//! Settings and their values.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};

use crate::model::{Setting, Value};

/// Returns the call that sets it.
pub(super) fn setter(setting: &Setting, private: &TokenStream) -> TokenStream {
    let span = setting.span;
    let name = format_ident!("{}", setting.name, span = span);
    let value = value(&setting.value, private);
    quote_spanned!(span=> .#name(#value))
}

/// Returns a value, as an expression.
pub(super) fn value(value: &Value, private: &TokenStream) -> TokenStream {
    match value {
        Value::Expr(expr) => quote!(#expr),
        Value::Duration(duration) => {
            let (secs, nanos) = (duration.as_secs(), duration.subsec_nanos());
            quote!(#private::Duration::new(#secs, #nanos))
        }
        Value::Policy(policy) => quote!(#private::RestartPolicy::#policy()),
        Value::Variant(of, variant) => {
            let (of, variant) = (format_ident!("{of}"), format_ident!("{variant}"));
            quote!(#private::#of::#variant)
        }
    }
}
