//! Lints that what is written beside an item is free of: those that the item is free of, and that of its own deprecation.

use syn::{Attribute, Data, parse_quote};

/// Returns what is allowed in the impls of a type. Nobody but its users is to hear that it, or a field of it, is deprecated.
pub(super) fn in_impls(attrs: &[Attribute], data: &Data) -> Vec<Attribute> {
    let is_deprecated = |attr: &Attribute| attr.path().is_ident("deprecated");
    let fields = match data {
        Data::Struct(data) => data.fields.iter().collect(),
        Data::Enum(_) | Data::Union(_) => Vec::new(),
    };
    let mut of_fields = fields.into_iter().flat_map(|field| &field.attrs);
    let mut allowed = of_item(attrs);
    if attrs.iter().any(is_deprecated) || of_fields.any(is_deprecated) {
        allowed.push(parse_quote!(#[allow(deprecated)]));
    }
    allowed
}

/// Returns what is allowed in an item.
pub(super) fn of_item(attrs: &[Attribute]) -> Vec<Attribute> {
    let allows = attrs.iter().filter(|attr| attr.path().is_ident("allow"));
    allows.cloned().collect()
}
