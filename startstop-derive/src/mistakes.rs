//! How many mistakes are reported: all that there are, and none that only follows from another.

use proc_macro2::{TokenStream, TokenTree};
use syn::LitStr;

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("it is made of tokens")
}

fn derived(item: &str) -> TokenStream {
    crate::service(tokens(item))
}

fn squeezed(code: &TokenStream) -> String {
    code.to_string().replace(' ', "")
}

/// Returns the messages of all compile errors in the code, in order.
fn messages(code: TokenStream) -> Vec<String> {
    let mut messages = Vec::new();
    let mut is_error = false;
    for token in code {
        match token {
            TokenTree::Ident(ident) => is_error = ident == "compile_error",
            TokenTree::Group(group) if is_error => {
                let message = syn::parse2::<LitStr>(group.stream()).expect("it takes a string");
                messages.push(message.value());
            }
            _ => {}
        }
    }
    messages
}

/// Asserts that these are the mistakes, each known by a part of its message.
fn assert_mistakes(code: TokenStream, parts: &[&str], of: &str) {
    let messages = messages(code);
    assert_eq!(messages.len(), parts.len(), "{of}: {messages:#?}");
    for (message, part) in messages.iter().zip(parts) {
        assert!(message.contains(part), "{of}: {message} instead of {part}");
    }
}

#[test]
fn a_bad_bound_leaves_the_generated_one() {
    let bound = "T:::startstop_core::__private::Send+";
    let code = derived(r#"#[service(start = serve, bound = "T Store")] struct S<T>(T);"#);
    assert!(squeezed(&code).contains(bound), "{code}");
    assert_mistakes(code, &["`bound` takes"], "the type");

    let args = tokens(r#"bound = "T Store""#);
    let code = crate::methods(
        args,
        tokens("impl<T> S<T> { #[start] async fn serve(&self) {} }"),
    );
    assert!(squeezed(&code).contains(bound), "{code}");
    assert_mistakes(code, &["`bound` takes"], "the block");
}

#[test]
fn what_follows_a_bad_bound_is_read() {
    for (item, parts) in [
        (
            "#[service(bound = \"T Store\" x)] struct S<T>(T);",
            &["`bound` takes", "expected `,`"][..],
        ),
        (
            "#[service(bound = 3, colour)] struct S<T>(T);",
            &["`bound` takes", "`colour`"],
        ),
    ] {
        assert_mistakes(derived(item), parts, item);
    }
}

#[test]
fn a_key_that_was_meant_is_not_missed() {
    for (item, parts) in [
        (
            "#[service(strat = serve, stop = close)] struct S;",
            &["did you mean `start`?"][..],
        ),
        (
            "#[service(stop = close)] struct S;",
            &["`stop` without `start`"],
        ),
        (
            "#[service(strat = a, start = b)] struct S;",
            &["did you mean `start`?"],
        ),
        (
            "struct S { #[service(member, after(c))] a: A, #[service(member)] b: B, #[service(member, afer())] c: C }",
            &["did you mean `after`?"],
        ),
        (
            "#[service(start = serve)] struct S { #[service(memebr)] a: A }",
            &["did you mean `member`?", "`start` beside members"],
        ),
    ] {
        assert_mistakes(derived(item), parts, item);
    }
}

#[test]
fn a_value_with_commas_in_it_is_passed_over_as_a_whole() {
    for (keys, parts) in [
        (
            "eror = Foo<A, B>, colour",
            &["did you mean `error`?", "`colour`"][..],
        ),
        (
            "error = X, error = Foo<A, Bar<B, C>>, colour",
            &["given twice", "`colour`"],
        ),
        (
            "colour = Foo::new::<A, B>(3), name = 3",
            &["`colour`", "`name` takes"],
        ),
        (
            "colour = a.b::<A, B>() c, name = 3",
            &["`colour`", "`name` takes"],
        ),
        ("colour = |a, b| a, name = 3", &["`colour`", "`name` takes"]),
        (
            "colour = [red, green], name = 3",
            &["`colour`", "`name` takes"],
        ),
        ("colour = a < b, name = 3", &["`colour`", "`name` takes"]),
        (
            "crate = Foo<A, B>, name = 3",
            &["expected `,`", "`name` takes"],
        ),
        (
            "bound = Foo<A, B>, name = 3",
            &["`bound` takes", "`name` takes"],
        ),
        (
            "stop Foo<A, B>, name = 3",
            &["`stop` needs a value", "`name` takes"],
        ),
    ] {
        let item = format!("#[service(start = serve, {keys})] struct S;");
        assert_mistakes(derived(&item), parts, keys);
    }
    let item = "struct S { #[service(member)] a: A, #[service(member, after(a<A, B>))] b: B }";
    assert_mistakes(derived(item), &["`after` takes"], item);
}

#[test]
fn what_only_begins_like_a_mark_stays() {
    let block = "impl S { #[start] #[start::traced] #[stop::traced(all)] #[stop_watch] async fn serve(&self) {} }";
    let code = crate::methods(TokenStream::new(), tokens(block));
    for kept in ["#[start::traced]", "#[stop::traced(all)]", "#[stop_watch]"] {
        assert!(squeezed(&code).contains(kept), "{kept}: {code}");
    }
    assert_mistakes(code, &[], block);
}

#[test]
fn a_mark_goes_also_if_it_has_arguments() {
    let block =
        "impl S { #[start(now)] async fn serve(&self) {} #[stop = 1] async fn close(&self) {} }";
    let code = crate::methods(TokenStream::new(), tokens(block));
    assert_eq!(squeezed(&code).matches("#[allow(").count(), 2, "{code}");
    assert_mistakes(
        code,
        &["`#[start]` takes no arguments", "`#[stop]` takes no"],
        block,
    );
}

#[test]
fn no_mistake_hides_another() {
    for (item, parts) in [
        (
            "#[service(start = serve, stop_timeout = 10, limit(3, \"60s\"))] struct S;",
            &["needs a unit", "`limit` without members"][..],
        ),
        (
            "#[service(limit(3, \"60s\"))] struct S { #[service(member, colour)] a: A }",
            &["colour"],
        ),
        (
            "#[service(limit(3, \"60s\"))] struct S { #[service(colour)] a: A }",
            &["colour"],
        ),
        (
            "#[service(member, limit(3, \"60s\"))] struct S { a: A }",
            &["`member` stands on a field"],
        ),
    ] {
        assert_mistakes(derived(item), parts, item);
    }
    let unknown = "did you mean `crate`?";
    for (block, parts) in [
        (
            "impl S { #[stop] async fn close(&self) {} }",
            &[unknown, "`#[stop]` without `#[start]`"][..],
        ),
        (
            "impl S { async fn close(&self) {} }",
            &[unknown, "no method is marked"],
        ),
        (
            "impl S { #[start] const N: u8 = 1; #[stop] async fn close(&self) {} }",
            &[unknown, "only a method can be marked"],
        ),
        (
            "impl S { #[stop] const N: u8 = 1; }",
            &[
                unknown,
                "only a method can be marked",
                "`#[stop]` without `#[start]`",
            ],
        ),
    ] {
        let code = crate::methods(tokens("create = x"), tokens(block));
        assert_mistakes(code, parts, block);
    }
}

#[test]
fn marks_in_the_impl_of_a_trait_are_read_and_refused() {
    for (block, parts) in [
        (
            "impl Tr for S { #[start] async fn serve(&self) {} }",
            &["not on that of a trait"][..],
        ),
        (
            "impl Tr for S { #[start] fn serve(&self) {} #[stop] async fn close() {} }",
            &[
                "not on that of a trait",
                "`serve` is not async",
                "`close` takes no `&self`",
            ],
        ),
        (
            "impl Tr for S { #[stop] async fn close(&self) {} }",
            &["not on that of a trait"],
        ),
        ("impl Tr for S {}", &["not on that of a trait"]),
    ] {
        let code = crate::methods(TokenStream::new(), tokens(block));
        // The derive does not miss the start method as well.
        let stands_in = squeezed(&code).contains("fn__marked()");
        assert_eq!(stands_in, block.contains("#[start]"), "{block}: {code}");
        assert!(!squeezed(&code).contains("Methods<Self>"), "{code}");
        assert_mistakes(code, parts, block);
    }
}

#[test]
fn marked_methods_may_be_alternatives_by_cfg() {
    let twice = "`#[start]` twice";
    let (unix, other) = ("#[cfg(unix)] #[start]", "#[start] #[cfg(not(unix))]");
    for (first, second, parts) in [
        (unix, other, &[][..]),
        (unix, "#[start]", &[twice]),
        ("#[start]", other, &[twice]),
        ("#[cfg(unix)] #[start] #[start]", other, &[twice]),
    ] {
        let block =
            format!("impl S {{ {first} async fn a(&self) {{}} {second} async fn b(&self) {{}} }}");
        let code = crate::methods(TokenStream::new(), tokens(&block));
        assert_mistakes(code, parts, &block);
    }
}

#[test]
fn a_mark_in_a_cfg_attr_is_one_mistake() {
    let inner = "#[cfg_attr(all(), start, doc = \"Serves.\")] async fn serve(&self) {}";
    let other = "#[cfg_attr(start, must_use)] fn other(&self) -> u8 { 0 }";
    let block = format!("impl S {{ {inner} {other} }}");
    let code = crate::methods(TokenStream::new(), tokens(&block));
    let text = squeezed(&code);
    assert!(
        text.contains("#[cfg_attr(all(),allow(clippy::unused_async),doc=\"Serves.\")]"),
        "{text}"
    );
    assert!(text.contains("#[cfg_attr(start,must_use)]"), "{text}");
    assert_mistakes(code, &["`start` in a `cfg_attr` is no mark"], &block);
}

#[test]
fn what_was_understood_is_written_beside_mistakes() {
    for (item, written, left_out) in [
        (
            "#[service(start = serve, colour = 3)] struct S;",
            "Self::serve",
            "colour",
        ),
        (
            "#[service(start = 5, stop = close)] struct S;",
            "Self::close",
            "Self::serve",
        ),
        (
            "#[service(stop = close)] struct S;",
            "Self::close",
            "Linked",
        ),
        (
            "#[service(start = serve, stop = serve)] struct S;",
            "Self::serve",
            "fnstop",
        ),
        (
            "#[service(start = serve, error = 5)] struct S;",
            "unread(",
            "IntoError",
        ),
        (
            "#[service(start = serve, drain = \"1s\", name = 5)] struct S;",
            ".drain(",
            ".name(",
        ),
        ("#[service(stop_timeout = 10)] struct S;", "Linked", "stub"),
        ("#[service(begin = serve)] struct S;", "stub", "Linked"),
        (
            "#[service(start = serve, bound = \"T Store\")] struct S<T>(T);",
            "stub",
            "Self::serve",
        ),
        (
            "struct S { #[service(member)] a: A, #[service(membr)] b: B }",
            "self.a",
            "self.b",
        ),
    ] {
        let code = squeezed(&derived(item));
        let (code, _) = code
            .split_once("::core::compile_error")
            .expect("there are mistakes");
        assert!(code.contains(written), "{item}: {code}");
        assert!(!code.contains(left_out), "{item}: {code}");
    }
}
