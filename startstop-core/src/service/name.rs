//! Names of services, from the names of their types.

use std::borrow::Cow;

/// Returns the type's name without paths: `a::Db<b::Pg>` is `Db<Pg>`.
pub(crate) fn of_type<T: ?Sized>() -> Cow<'static, str> {
    without_paths(std::any::type_name::<T>())
}

/// Returns the type's name without paths, of a type with parameters: `a::Db<b::Pg>` is `Db<Pg>`.
pub(crate) fn of_type_with_parameters(full: &'static str) -> Option<String> {
    // Each runner that is made comes by here.
    let is_plain = full.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    if is_plain {
        None
    } else {
        Some(without_paths(full).into_owned())
    }
}

/// Returns the type's name without path, of a type without parameters.
pub(crate) fn of_plain_type<T: ?Sized>() -> &'static str {
    last_segment(std::any::type_name::<T>())
}

/// Returns what comes after the last path separator.
fn last_segment(full: &'static str) -> &'static str {
    full.rsplit("::").next().unwrap_or(full)
}

/// Returns the name of the function around a closure, or of a function itself: `a::main::{{closure}}` is `main`.
pub(crate) fn of_function<F: ?Sized>() -> Cow<'static, str> {
    of_function_called(std::any::type_name::<F>())
}

fn of_function_called(full: &'static str) -> Cow<'static, str> {
    match last_named_segment(full) {
        Some(name) => Cow::Borrowed(name),
        None => without_paths(full),
    }
}

fn without_paths(full: &'static str) -> Cow<'static, str> {
    if !full.contains(['<', '(', '[', '&', ' ']) {
        return Cow::Borrowed(last_segment(full));
    }
    let mut short = String::with_capacity(full.len());
    // Where the path begins that is being read, and those around it.
    let mut path = 0;
    let mut around = Vec::new();
    let mut rest = full;
    while let Some(c) = rest.chars().next() {
        if let Some(segment) = rest.strip_prefix("::") {
            short.truncate(path);
            rest = segment;
            continue;
        }
        let is_arrow = c == '>' && short.ends_with('-');
        short.push(c);
        match c {
            '<' => around.push(std::mem::replace(&mut path, short.len())),
            '>' if !is_arrow => path = around.pop().unwrap_or(short.len()),
            // Braces are of `{{closure}}`, around a type that is declared in one.
            c if c.is_alphanumeric() || matches!(c, '_' | '{' | '}') => {}
            _ => path = short.len(),
        }
        rest = &rest[c.len_utf8()..];
    }
    Cow::Owned(short)
}

/// Returns the last segment outside of angle brackets that is not `{{closure}}` or the like.
fn last_named_segment(full: &'static str) -> Option<&'static str> {
    let mut depth = 0_usize;
    let mut end = full.len();
    for (at, c) in full.char_indices().rev() {
        match c {
            '>' if !full[..at].ends_with('-') => depth += 1,
            '<' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    end = at;
                }
            }
            ':' if depth == 0 => {
                let segment = full[at + 1..end].trim_end_matches(':');
                if is_name(segment) {
                    return Some(segment);
                }
                end = at;
            }
            _ => {}
        }
    }
    let segment = &full[..end];
    is_name(segment).then_some(segment)
}

fn is_name(segment: &str) -> bool {
    !segment.is_empty() && segment.chars().all(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::{last_named_segment, of_type_with_parameters, without_paths};

    #[test]
    fn a_type_loses_its_paths_and_keeps_its_parameters() {
        for (full, short) in [
            ("app::Db", "Db"),
            ("Db", "Db"),
            ("app::Db<app::pg::Pool>", "Db<Pool>"),
            (
                "app::Db<alloc::string::String, [u8; 4]>",
                "Db<String, [u8; 4]>",
            ),
            ("(a::B, &c::D)", "(B, &D)"),
            ("alloc::boxed::Box<dyn app::Store>", "Box<dyn Store>"),
            ("app::Db<fn(a::B) -> c::D, e::F>", "Db<fn(B) -> D, F>"),
            (
                "app::main::{{closure}}::Db<app::main::{{closure}}::Pg>",
                "Db<Pg>",
            ),
            ("app::<impl app::Db>::open::Local<app::Pg>", "Local<Pg>"),
            (
                "app::<impl app::Db<fn(a::B) -> c::D>>::open::Local",
                "Local",
            ),
        ] {
            assert_eq!(without_paths(full), short);
        }
    }

    #[test]
    fn only_parameters_make_a_name_of_its_own() {
        let of_type = of_type_with_parameters;
        assert_eq!(of_type("app::Db<app::Pool>").as_deref(), Some("Db<Pool>"));
        assert_eq!(of_type("app::open<app::Pool>::Db"), None);
    }

    #[test]
    fn a_closure_is_named_after_the_function_around_it() {
        for (full, name) in [
            ("app::main::{{closure}}", "main"),
            ("app::main::{{closure}}::{{closure}}", "main"),
            ("app::worker", "worker"),
            ("worker", "worker"),
            ("app::make<app::Db>::{{closure}}", "make"),
            ("app::make<app::Db>", "make"),
            ("app::make<app::pg::Pool>::{{closure}}", "make"),
            ("<app::Db as app::Open>::open::{{closure}}", "open"),
            (
                "<app::Db<a::B> as app::Open<c::D>>::open::{{closure}}",
                "open",
            ),
            ("app::Db<fn(u8) -> u8>::open::{{closure}}", "open"),
            ("app::make<fn(u8) -> u8>::{{closure}}", "make"),
        ] {
            assert_eq!(last_named_segment(full), Some(name), "{full}");
        }
    }
}
