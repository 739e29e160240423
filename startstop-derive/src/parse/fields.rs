//! The fields of a struct, with their attributes.

use syn::ext::IdentExt;
use syn::{Field, Fields, Index, Member, Type};

use super::args::Args;
use super::lists::{Name, OfMember};
use super::{entries, keys};
use crate::diagnostics::Diagnostics;

/// A field, and what it says of itself if it is a member.
pub(super) struct MarkedField {
    pub(super) name: String,
    pub(super) field: Member,
    pub(super) ty: Type,
    pub(super) says: Option<Says>,
}

/// The attributes of a member.
pub(super) struct Says {
    /// Whether it says that it is a member. One with mistakes in it may be meant to be one.
    pub(super) is_member: bool,
    pub(super) after: After,
    pub(super) of_member: OfMember,
}

/// The members that a member starts after.
pub(super) enum After {
    /// The one that is declared before it.
    Before,
    /// Those that it names.
    Named(Vec<Name>),
    /// This was reported.
    Unknown,
}

/// Reads all fields; `None` if none is meant to be a member.
pub(super) fn read(fields: &Fields, out: &mut Diagnostics) -> Option<Vec<MarkedField>> {
    let mut is_composed = false;
    let mut read = |(at, field): (usize, &Field)| {
        let before = out.count();
        let args = attributes(field, out);
        is_composed |= args.means("member") || args.means("after");
        let (name, member) = match &field.ident {
            Some(ident) => (ident.unraw().to_string(), Member::Named(ident.clone())),
            None => (at.to_string(), Member::Unnamed(Index::from(at))),
        };
        MarkedField {
            name,
            field: member,
            ty: field.ty.clone(),
            says: says(args, before, out),
        }
    };
    let marked: Vec<MarkedField> = fields.iter().enumerate().map(&mut read).collect();
    is_composed.then_some(marked)
}

fn attributes(field: &Field, out: &mut Diagnostics) -> Args {
    let mut args = Args::default();
    for attr in field
        .attrs
        .iter()
        .filter(|attr| attr.path().is_ident("service"))
    {
        entries::attribute(attr, &mut args, keys::OF_FIELD, "#[service(member)]", out);
    }
    args
}

/// Returns what the field says of itself; `before` is how many mistakes there were before its attributes were read.
fn says(mut args: Args, before: usize, out: &mut Diagnostics) -> Option<Says> {
    let after = args.span_of("after");
    // A field with mistakes counts as a member, so that no follow-on error comes where another field names it.
    if !args.has("member") && out.count() == before {
        out.report(
            after?,
            "`after` without `member`: write `#[service(member, after(..))]`",
        );
    }
    let is_member = args.has("member");
    let after = match args.after.take() {
        Some(names) => After::Named(names),
        None if args.means("after") => After::Unknown,
        None => After::Before,
    };
    Some(Says {
        is_member,
        after,
        of_member: args.of_member,
    })
}
