//! The macros of `startstop-core`.
//!
//! A pipeline: `parse` understands the item and reports all mistakes, `model` is what was understood,
//! `expand` writes the code.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod diagnostics;
mod expand;
mod model;
mod parse;
#[cfg(test)]
mod members;
#[cfg(test)]
mod mistakes;
#[cfg(test)]
mod random;
#[cfg(test)]
mod values;

use proc_macro2::TokenStream;

use diagnostics::Diagnostics;

#[doc = include_str!("service.md")]
#[proc_macro_derive(Service, attributes(service))]
pub fn derive_service(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    service(item.into()).into()
}

#[doc = include_str!("service_methods.md")]
#[proc_macro_attribute]
pub fn service_methods(
    args: proc_macro::TokenStream,
    block: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    methods(args.into(), block.into()).into()
}

fn service(item: TokenStream) -> TokenStream {
    let mut out = Diagnostics::default();
    let mut code = parse::service(item, &mut out)
        .as_ref()
        .map(expand::service)
        .unwrap_or_default();
    code.extend(out.into_tokens());
    code
}

fn methods(args: TokenStream, block: TokenStream) -> TokenStream {
    let mut out = Diagnostics::default();
    let model = parse::methods(args, block.clone(), &mut out);
    let mut code = match &model {
        Some(model) => expand::methods(model),
        None => parse::without_marks(block),
    };
    code.extend(out.into_tokens());
    code
}
