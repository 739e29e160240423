//! The values of keys, checked as far as a macro can: literals and names here, the rest by the
//! compiler.

use std::time::Duration;

use syn::{Expr, Ident, Lit};

use super::duration;
use super::keys::{Key, Kind, POLICIES, Variants};
use super::words::closest;
use crate::diagnostics::Diagnostics;
use crate::model::Value;

/// Returns the name of a method; `None` was reported.
pub(super) fn method(key: &Key, expr: Expr, out: &mut Diagnostics) -> Option<Ident> {
    let Some(name) = name_in(&expr) else {
        out.report_at(expr, wrong_kind(key));
        return None;
    };
    Some(name.clone())
}

/// Returns the value of a setting; `None` was reported.
pub(super) fn setting(key: &Key, expr: Expr, out: &mut Diagnostics) -> Option<Value> {
    if let Some(checked) = literal(key.kind, &expr) {
        return match checked {
            Ok(duration) => Some(duration.map_or(Value::Expr(expr), Value::Duration)),
            Err(message) => {
                out.report_at(expr, message.unwrap_or_else(|| wrong_kind(key)));
                None
            }
        };
    }
    let of_crate = key.kind.variants();
    if let (Some(variants), Some(name)) = (of_crate, name_in(&expr)) {
        if let Some(found) = variant(variants, name) {
            return Some(found);
        }
    }
    let Some(name) = constructor_in(&expr) else {
        return Some(Value::Expr(expr));
    };
    if key.kind == Kind::Policy {
        let found = POLICIES.iter().find(|policy| name == **policy);
        return found
            .map(|_| Value::Policy(name.clone()))
            .or_else(|| unknown(key, name, POLICIES, out));
    }
    match of_crate {
        Some(variants) => unknown(key, name, variants.snake, out),
        None => Some(Value::Expr(expr)),
    }
}

fn variant(variants: &Variants, name: &Ident) -> Option<Value> {
    let mut both = variants.snake.iter().zip(variants.names);
    let at = both.position(|(snake, as_is)| name == *snake || name == *as_is)?;
    Some(Value::Variant(variants.of, variants.names[at]))
}

/// Checks a value that is a literal: a duration is read, others are fine as they are. An error
/// without a message is a literal of the wrong kind.
fn literal(kind: Kind, expr: &Expr) -> Option<Result<Option<Duration>, Option<String>>> {
    Some(match (kind, literal_in(expr)?) {
        (Kind::Duration, Lit::Str(text)) => duration::parse(&text.value()).map(Some).map_err(Some),
        (Kind::Duration, Lit::Int(_) | Lit::Float(_)) => Err(Some(format!(
            "a duration needs a unit: expected {}",
            duration::ACCEPTED
        ))),
        (Kind::Text, Lit::Str(_)) | (Kind::Flag, Lit::Bool(_)) => Ok(None),
        (Kind::Count | Kind::Maximum, Lit::Int(_)) if !matches!(expr, Expr::Unary(_)) => Ok(None),
        _ => Err(None),
    })
}

/// Returns the literal that an expression is, also where a macro passed it on or a sign stands before it.
fn literal_in(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(lit) => Some(&lit.lit),
        Expr::Group(group) => literal_in(&group.expr),
        Expr::Unary(unary) => literal_in(&unary.expr).filter(|lit| !matches!(lit, Lit::Bool(_))),
        _ => None,
    }
}

/// Returns the single name that an expression is.
fn name_in(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident(),
        Expr::Group(group) => name_in(&group.expr),
        _ => None,
    }
}

/// Returns the name of a constructor: constants and variants begin with a capital.
fn constructor_in(expr: &Expr) -> Option<&Ident> {
    name_in(expr).filter(|name| name.to_string().starts_with(|c: char| c.is_lowercase()))
}

fn unknown<T>(key: &Key, name: &Ident, known: &[&'static str], out: &mut Diagnostics) -> Option<T> {
    let word = name.to_string();
    let message = match closest(&word, known.iter().copied()) {
        Some(meant) => format!("unknown name `{word}`, did you mean `{meant}`?"),
        None => format!("unknown name `{word}`: {}", wrong_kind(key)),
    };
    out.report(name.span(), message);
    None
}

fn wrong_kind(key: &Key) -> String {
    format!("`{}` takes {}", key.name, key.kind.accepted())
}
