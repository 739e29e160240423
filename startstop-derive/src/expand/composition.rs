//! The impl in which a composed type tells of its members.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Index, Type};

use super::{place, value};
use crate::model::{Composition, Limit, Member, Value};

/// Writes what stands in the impl of `Service`, beside `run`.
pub(super) fn hooks(private: &TokenStream) -> TokenStream {
    quote! {
        fn children(&self) -> #private::Vec<#private::Status> {
            #private::children(self)
        }

        fn grace(&self) -> #private::Option<#private::Duration> {
            #private::grace(self)
        }

        fn __grace(&self, __parts: #private::Spans<'_>) -> #private::Option<#private::Duration> {
            #private::grace_of(self, __parts)
        }

        fn __is_owner(&self) -> bool {
            true
        }

        fn __parts(&self) -> #private::Parts {
            #private::parts(self)
        }
    }
}

/// Writes what stands in the impl of `Composed`.
pub(super) fn members(composition: &Composition, private: &TokenStream) -> TokenStream {
    let fields = composition
        .members
        .iter()
        .map(|member| field(member, private));
    let limit = composition
        .limit
        .as_ref()
        .map(|limit| self::limit(limit, private));
    let backoff = composition
        .backoff
        .as_ref()
        .map(|backoff| self::backoff(backoff, private));
    quote! {
        fn members<__P>(&self) -> #private::Vec<#private::Field<'_>> {
            #private::From::from([#(#fields),*])
        }

        #limit
        #backoff
    }
}

/// Returns a member. An error about the type of the field falls there.
fn field(member: &Member, private: &TokenStream) -> TokenStream {
    let Member {
        name,
        ty,
        after,
        bound_to,
        ..
    } = member;
    let span = Span::call_site().located_at(ty.span());
    let at_type = place::at(private, span);
    let field = match &member.field {
        syn::Member::Named(ident) => {
            let mut ident: Ident = ident.clone();
            ident.set_span(ident.span().located_at(span));
            syn::Member::Named(ident)
        }
        syn::Member::Unnamed(index) => Index {
            index: index.index,
            span,
        }
        .into(),
    };
    let after = (!after.is_empty()).then(|| quote!(.after(&[#(#after),*])));
    let bound_to = (!bound_to.is_empty()).then(|| quote!(.bound_to(&[#(#bound_to),*])));
    let transient = member.is_transient.then(|| quote!(.transient()));
    let policies = member
        .policies
        .iter()
        .map(|policy| value::setter(policy, private));
    let field = quote_spanned!(span=> &self.#field);
    let made = if is_runner(ty) {
        runner(name, ty, &field, private)
    } else {
        quote_spanned!(span=> <__P as #at_type::MemberOf<_, _>>::field(#name, #field))
    };
    quote!(#made #after #bound_to #transient #(#policies)*)
}

/// Returns whether a type is a `Runner` of something, by its name.
fn is_runner(ty: &Type) -> bool {
    let last = match ty {
        Type::Path(ty) => ty.path.segments.last(),
        _ => None,
    };
    last.is_some_and(|last| last.ident == "Runner" && !last.arguments.is_none())
}

/// Returns a member that is a runner. The compiler tells of a runner of no service where the field is declared. It finds the same
/// again here, in an expression that begins and ends where the type does: what it has told of one place it does not repeat.
fn runner(name: &str, ty: &Type, field: &TokenStream, private: &TokenStream) -> TokenStream {
    let (first, last) = ends(ty);
    let private = place::at(private, first);
    let [stated, runner, known] =
        ["stated", "runner", "__runner"].map(|name| Ident::new(name, last));
    quote_spanned! {first=> {
        let #known = #field;
        #private::#stated(&#known);
        #private::#runner(#name, &#known)
    }}
}

/// Returns the places of the first and the last token of a type.
fn ends(ty: &Type) -> (Span, Span) {
    let tokens = ty.to_token_stream().into_iter();
    let mut spans = tokens.map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    (first, spans.last().unwrap_or(first))
}

fn backoff(backoff: &Value, private: &TokenStream) -> TokenStream {
    let backoff = value::value(backoff, private);
    quote! {
        fn backoff(&self) -> #private::Option<#private::Backoff> {
            #private::Option::Some(#backoff)
        }
    }
}

fn limit(Limit { max, window }: &Limit, private: &TokenStream) -> TokenStream {
    let (max, window) = (value::value(max, private), value::value(window, private));
    quote! {
        fn limit(&self) -> #private::Option<(u32, #private::Duration)> {
            #private::Option::Some((#max, #window))
        }
    }
}
