//! A type that derives `Service`, with its attributes.

use syn::{Attribute, Data, DeriveInput, Fields, Generics};

use super::args::Args;
use super::fields::{self, MarkedField};
use super::{allowed, entries, graph, keys};
use crate::diagnostics::Diagnostics;
use crate::model::{Body, Composition, ErrorType, Pair, Service};

/// Reads the whole item.
pub(super) fn read(input: DeriveInput, out: &mut Diagnostics) -> Service {
    let mut args = Args::default();
    for attr in input
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("service"))
    {
        entries::attribute(
            attr,
            &mut args,
            keys::OF_TYPE,
            "#[service(start = serve)]",
            out,
        );
    }
    let before = out.count();
    let marked = inner(&input.data, out);
    if marked.is_none() && out.count() == before {
        refuse_limit(&args, out);
    }
    // A mistake inside of the item may have been meant as a member.
    args.is_garbled |= out.count() > before;
    let body = match marked {
        Some(marked) => composed(marked, &mut args, out),
        None => methods(&mut args, &input.generics, out),
    };
    args.place.allowed = allowed::in_impls(&input.attrs, &input.data);
    let error = match args.error.take() {
        Some(error) => ErrorType::Given(Box::new(error)),
        None if args.means("error") => ErrorType::Unread,
        None => ErrorType::Boxed,
    };
    Service {
        ident: input.ident,
        generics: input.generics,
        error,
        place: args.place,
        settings: args.settings,
        body,
    }
}

/// Reads the marked fields, if there are some, and reports what has no place: a union, and attributes
/// inside of an enum.
fn inner(data: &Data, out: &mut Diagnostics) -> Option<Vec<MarkedField>> {
    match data {
        Data::Struct(data) => return fields::read(&data.fields, out),
        Data::Enum(data) => {
            for variant in &data.variants {
                refuse(
                    &variant.attrs,
                    "variants take",
                    "it stands on the type",
                    out,
                );
                refuse_on_fields(&variant.fields, out);
            }
        }
        Data::Union(data) => out.report(
            data.union_token.span,
            "a union cannot derive `Service`: expected a struct or an enum",
        ),
    }
    None
}

fn refuse_on_fields(fields: &Fields, out: &mut Diagnostics) {
    for field in fields {
        refuse(
            &field.attrs,
            "fields of an enum take",
            "members are fields of a struct",
            out,
        );
    }
}

fn refuse(attrs: &[Attribute], who: &str, instead: &str, out: &mut Diagnostics) {
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("service")) {
        out.report_at(attr, format!("{who} no `#[service(..)]`: {instead}"));
    }
}

fn composed(marked: Vec<MarkedField>, args: &mut Args, out: &mut Diagnostics) -> Body {
    let methods = ["start", "stop"]
        .into_iter()
        .find_map(|key| Some((key, args.span_of(key)?)));
    if let Some((key, span)) = methods {
        let message = format!(
            "`{key}` beside members: a service either calls its methods, or is composed of its fields; leave out `start` and `stop`, or every `member`"
        );
        out.report(span, message);
    }
    let members = graph::resolve(marked, out);
    if methods.is_some() {
        return Body::Stub { is_linked: false };
    }
    let (limit, backoff) = (args.limit.take(), args.backoff.take());
    Body::Composed(Box::new(Composition {
        members,
        limit,
        backoff,
    }))
}

fn refuse_limit(args: &Args, out: &mut Diagnostics) {
    if let (Some(span), false) = (args.span_of("limit"), args.means("member")) {
        let message = "`limit` without members: it limits the restarts of fields marked `#[service(member)]`; `restart` takes a policy with a limit of its own";
        out.report(span, message);
    }
    if let (Some(span), false) = (args.span_of("backoff"), args.means("member")) {
        let message = "`backoff` without members: it delays the restarts of fields marked `#[service(member)]`; `restart` takes a policy with a backoff of its own";
        out.report(span, message);
    }
}

fn methods(args: &mut Args, generics: &Generics, out: &mut Diagnostics) -> Body {
    if let (Some(span), false) = (args.span_of("stop"), args.means("start")) {
        let message = "`stop` without `start`: name both here, as in `#[service(start = serve, stop = close)]`, or mark both in an impl block, by `#[service_methods]`, `#[start]` and `#[stop]`";
        out.report(span, message);
    }
    if let Some(stop) = args
        .stop
        .as_ref()
        .filter(|stop| args.start.as_ref() == Some(stop))
    {
        let message = format!("`{stop}` is `start` already: `stop` is another method, or none");
        out.report(stop.span(), message);
    }
    let is_linked = !args.means("start");
    let is_named = !is_linked || args.means("stop");
    if args.hides_bound(generics) || (!is_named && args.is_garbled) {
        return Body::Stub { is_linked };
    }
    if !is_named {
        return Body::Linked;
    }
    let start = args.start.take();
    let stop = args.stop.take().filter(|stop| start.as_ref() != Some(stop));
    Body::Named(Pair {
        start,
        stop,
        is_linked,
    })
}
