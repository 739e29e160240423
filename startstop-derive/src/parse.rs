//! From tokens to the model. All mistakes that a macro can see are reported here, and only here.

mod allowed;
mod args;
mod duration;
mod entries;
mod fields;
mod graph;
mod item;
mod keys;
mod lists;
mod marks;
mod shape;
mod skip;
mod strip;
mod value;
mod words;

use proc_macro2::TokenStream;

use crate::diagnostics::Diagnostics;
use crate::model::{Methods, Service};

pub(crate) use strip::without_marks;

/// Understands an item with `#[derive(Service)]`; `None` if it is no item at all.
pub(crate) fn service(item: TokenStream, out: &mut Diagnostics) -> Option<Service> {
    match syn::parse2(item) {
        Ok(input) => Some(item::read(input, out)),
        Err(error) => {
            out.report_error(error);
            None
        }
    }
}

/// Understands an impl block with `#[service_methods]`; `None` if it is no such block.
pub(crate) fn methods(
    args: TokenStream,
    block: TokenStream,
    out: &mut Diagnostics,
) -> Option<Methods> {
    marks::read(args, block, out)
}
