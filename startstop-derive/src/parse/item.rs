//! A type that derives `Service`, with its attributes.

use syn::parse::ParseStream;
use syn::{Attribute, Data, DeriveInput, Fields, Meta};

use super::args::Args;
use super::keys;
use crate::diagnostics::Diagnostics;
use crate::model::{Body, Pair, Service};

/// Reads the whole item.
pub(super) fn read(input: DeriveInput, out: &mut Diagnostics) -> Service {
    let mut args = Args::default();
    for attr in input.attrs.iter().filter(|attr| attr.path().is_ident("service")) {
        attribute(attr, &mut args, out);
    }
    refuse_inner(&input.data, out);
    let body = body(&mut args, out);
    Service {
        ident: input.ident,
        generics: input.generics,
        place: args.place,
        error: args.error,
        settings: if out.is_empty() { args.settings } else { Vec::new() },
        body,
    }
}

fn attribute(attr: &Attribute, args: &mut Args, out: &mut Diagnostics) {
    let Meta::List(list) = &attr.meta else {
        out.report_at(&attr.meta, "expected a list of keys: `#[service(start = serve)]`");
        return;
    };
    let read = |input: ParseStream| {
        args.read(input, keys::OF_TYPE, out);
        Ok(())
    };
    if let Err(error) = list.parse_args_with(read) {
        out.report_error(error);
    }
}

/// Reports what has no place: a union, and attributes inside of the item.
fn refuse_inner(data: &Data, out: &mut Diagnostics) {
    match data {
        Data::Struct(data) => refuse_on_fields(&data.fields, out),
        Data::Enum(data) => {
            for variant in &data.variants {
                refuse(&variant.attrs, "variants take", out);
                refuse_on_fields(&variant.fields, out);
            }
        }
        Data::Union(data) => out.report(
            data.union_token.span,
            "a union cannot derive `Service`: expected a struct or an enum",
        ),
    }
}

fn refuse_on_fields(fields: &Fields, out: &mut Diagnostics) {
    for field in fields {
        refuse(&field.attrs, "fields take", out);
    }
}

fn refuse(attrs: &[Attribute], who: &str, out: &mut Diagnostics) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("service")) {
        out.report_at(attr, format!("{who} no `#[service(..)]`: it stands on the type"));
    }
}

fn body(args: &mut Args, out: &mut Diagnostics) -> Body {
    if let (Some(span), None) = (args.span_of("stop"), args.span_of("start")) {
        let message = "`stop` without `start`: name both here, as in `#[service(start = serve, stop = close)]`, or mark both in an impl block, by `#[service_methods]`, `#[start]` and `#[stop]`";
        out.report(span, message);
    }
    match args.start.take() {
        _ if !out.is_empty() => Body::Stub { is_linked: !args.has("start") },
        Some(start) => Body::Named(Pair { start, stop: args.stop.take() }),
        None => Body::Linked,
    }
}
