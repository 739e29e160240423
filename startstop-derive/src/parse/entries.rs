//! The list of keys and values in an attribute.
//!
//! An entry that is wrong is reported and passed over, up to the next comma; the rest is read on.

use proc_macro2::{Group, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, LitStr, Meta, Path, Token, Type, WherePredicate, token};

use super::args::Args;
use super::keys::{self, Key, Kind};
use super::lists::{self, OfMember};
use super::skip::{is_at_end, skip_to_comma};
use super::value;
use super::words::{closest, either};
use crate::diagnostics::Diagnostics;
use crate::model::Setting;

/// Reads one attribute.
pub(super) fn attribute(
    attr: &Attribute,
    args: &mut Args,
    known: &[Key],
    example: &str,
    out: &mut Diagnostics,
) {
    let Meta::List(list) = &attr.meta else {
        out.report_at(&attr.meta, format!("expected a list of keys: `{example}`"));
        args.is_garbled = true;
        return;
    };
    let read = |input: ParseStream| {
        args.read(input, known, out);
        Ok(())
    };
    if let Err(error) = list.parse_args_with(read) {
        out.report_error(error);
        args.is_garbled = true;
    }
}

impl Args {
    /// Reads entries that are all of some tokens.
    pub(super) fn read_all(&mut self, tokens: TokenStream, known: &[Key], out: &mut Diagnostics) {
        let read = |input: ParseStream| {
            self.read(input, known, out);
            Ok(())
        };
        if let Err(error) = read.parse2(tokens) {
            out.report_error(error);
        }
    }

    /// Reads entries up to the end of the input.
    fn read(&mut self, input: ParseStream, known: &[Key], out: &mut Diagnostics) {
        while !input.is_empty() {
            if self.entry(input, known, out).is_none() {
                let _ = input.parse::<Token![=]>();
                skip_to_comma(input);
            } else if !is_at_end(input) {
                out.report(input.span(), "expected `,` before the next key");
                self.is_garbled = true;
                skip_to_comma(input);
            }
            let _ = input.parse::<Token![,]>();
        }
    }

    /// Reads one entry; `None` if what stands there had to be reported.
    fn entry(&mut self, input: ParseStream, known: &[Key], out: &mut Diagnostics) -> Option<()> {
        let span = input.span();
        let Ok(word) = input.call(Ident::parse_any) else {
            out.report(span, format!("expected a key: {}", names(known)));
            self.is_garbled = true;
            return None;
        };
        let key = self.key(&word, known, out)?;
        if key.kind.is_list() {
            return self.list(key, span, input, out);
        }
        if key.kind == Kind::Mark {
            return mark(key, span, input, out);
        }
        if input.parse::<Token![=]>().is_err() || is_at_end(input) {
            let Key { name, kind } = key;
            out.report(
                span,
                format!("`{name}` needs a value: `{name} =` {}", kind.accepted()),
            );
            return None;
        }
        self.value(key, span, input, out)
    }

    fn key<'k>(
        &mut self,
        word: &Ident,
        known: &'k [Key],
        out: &mut Diagnostics,
    ) -> Option<&'k Key> {
        let Some(key) = known.iter().find(|key| word == key.name) else {
            let text = word.to_string();
            let meant = meant(&text, known);
            out.report(word.span(), unknown(&text, meant, known));
            self.meant.extend(meant);
            self.is_garbled |= meant.is_none();
            return None;
        };
        if self.has(key.name) {
            out.report(word.span(), format!("`{}` is given twice", key.name));
            return None;
        }
        self.given.push((key.name, word.span()));
        Some(key)
    }

    /// Reads what stands in parentheses after a key.
    fn list(
        &mut self,
        key: &Key,
        span: Span,
        input: ParseStream,
        out: &mut Diagnostics,
    ) -> Option<()> {
        if is_at_end(input) && key.kind == Kind::Member {
            return Some(());
        }
        if !input.peek(token::Paren) {
            out.report(
                span,
                format!("`{}` takes {}", key.name, key.kind.accepted()),
            );
            return None;
        }
        let list: Group = input.parse().ok()?;
        match key.kind {
            Kind::Limit => self.limit = lists::limit(&list, key, out),
            Kind::Member => self.of_member = of_member(&list, out),
            Kind::BoundTo => self.bound_to = lists::after(&list, key, out),
            _ => self.after = lists::after(&list, key, out),
        }
        Some(())
    }

    fn value(
        &mut self,
        key: &Key,
        span: Span,
        input: ParseStream,
        out: &mut Diagnostics,
    ) -> Option<()> {
        match key.kind {
            Kind::Type => self.error = Some(typed(key, input, <Type as Parse>::parse, out)?),
            Kind::Path => {
                self.place.krate = Some(typed(key, input, Path::parse_mod_style, out)?);
            }
            Kind::Bound => {
                let text = typed(key, input, <LitStr as Parse>::parse, out)?;
                self.place.bound = predicates(key, &text, out);
            }
            Kind::Method => {
                let method =
                    value::method(key, typed(key, input, <Expr as Parse>::parse, out)?, out);
                *(if key.name == "start" {
                    &mut self.start
                } else {
                    &mut self.stop
                }) = method;
            }
            Kind::Backoff => {
                let expr = typed(key, input, <Expr as Parse>::parse, out)?;
                self.backoff = value::setting(key, expr, out);
            }
            _ => {
                let expr = typed(key, input, <Expr as Parse>::parse, out)?;
                let value = value::setting(key, expr, out);
                self.settings.extend(value.map(|value| Setting {
                    name: key.name,
                    span,
                    value,
                }));
            }
        }
        Some(())
    }
}

/// Reads `member(..)`.
fn of_member(list: &Group, out: &mut Diagnostics) -> OfMember {
    let mut args = Args::default();
    args.read_all(list.stream(), keys::OF_MEMBER, out);
    let is_transient = args.has("transient");
    let bound_to = args.bound_to.unwrap_or_default();
    OfMember {
        policies: args.settings,
        bound_to,
        is_transient,
    }
}

/// Reads a key that stands alone.
fn mark(key: &Key, span: Span, input: ParseStream, out: &mut Diagnostics) -> Option<()> {
    if is_at_end(input) {
        return Some(());
    }
    out.report(
        span,
        format!("`{}` takes {}", key.name, key.kind.accepted()),
    );
    None
}

/// Parses a value, or says what the key takes.
fn typed<T>(
    key: &Key,
    input: ParseStream,
    parse: fn(ParseStream) -> syn::Result<T>,
    out: &mut Diagnostics,
) -> Option<T> {
    // A fork, so that after a mistake the input still stands at the first token of the value.
    let ahead = input.fork();
    if let Ok(value) = parse(&ahead) {
        input.advance_to(&ahead);
        return Some(value);
    }
    out.report(
        input.span(),
        format!("`{}` takes {}", key.name, key.kind.accepted()),
    );
    None
}

/// Reads a bound; `None`, which is the generated one, if it had to be reported.
fn predicates(key: &Key, text: &LitStr, out: &mut Diagnostics) -> Option<Vec<WherePredicate>> {
    let list = text.parse_with(Punctuated::<WherePredicate, Token![,]>::parse_terminated);
    let report = |error: &syn::Error| {
        let accepted = key.kind.accepted();
        out.report(
            text.span(),
            format!("`{}` takes {accepted}: {error}", key.name),
        );
    };
    list.inspect_err(report)
        .ok()
        .map(|list| list.into_iter().collect())
}

/// Returns the key that a word was meant to be, also where it is one of another place.
fn meant(word: &str, known: &[Key]) -> Option<&'static str> {
    let of_member = has(known, "member") && has(keys::OF_MEMBER, word);
    if word == "member" || of_member {
        return Some("member");
    }
    closest(word, known.iter().map(|key| key.name))
}

fn has(keys: &[Key], word: &str) -> bool {
    keys.iter().any(|key| key.name == word)
}

fn unknown(word: &str, meant: Option<&str>, known: &[Key]) -> String {
    match (elsewhere(word, known), meant) {
        (Some(place), _) => format!("`{word}` stands {place}"),
        (None, Some(meant)) => format!("unknown key `{word}`, did you mean `{meant}`?"),
        (None, None) => format!("unknown key `{word}`: expected {}", names(known)),
    }
}

/// Returns where a word stands that is a key of a field or of its `member(..)`, and is none here.
fn elsewhere(word: &str, known: &[Key]) -> Option<String> {
    let place = if has(known, "start") {
        "on a field"
    } else if has(known, "member") {
        "in the list of `member`"
    } else if has(known, "transient") {
        "beside `member`"
    } else {
        return None;
    };
    let of_member = keys::OF_MEMBER.iter().find(|key| key.name == word);
    let written = match (word, of_member) {
        ("member", _) => "member".to_owned(),
        ("after", _) => "member, after(..)".to_owned(),
        (_, Some(key)) if key.kind.is_list() => format!("member({word}(..))"),
        (_, Some(key)) if key.kind == Kind::Mark => format!("member({word})"),
        (_, Some(_)) => format!("member({word} = ..)"),
        (_, None) => return None,
    };
    Some(format!("{place}: `#[service({written})]`"))
}

fn names(known: &[Key]) -> String {
    either(known.iter().map(|key| key.name))
}
