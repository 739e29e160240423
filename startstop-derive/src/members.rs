//! Structs of runners and marked methods, as the macros take them and as they refuse them.

use proc_macro2::TokenStream;

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("it is made of tokens")
}

/// The code for a struct with these fields, as text without spaces.
fn composed(attribute: &str, fields: &str) -> String {
    let item = tokens(&format!("{attribute} struct App {{ {fields} }}"));
    crate::service(item).to_string().replace(' ', "")
}

fn says(code: &str, said: &str) -> bool {
    code.contains("compile_error") && code.contains(&said.replace(' ', ""))
}

#[test]
fn a_limit_and_policies_become_expressions() {
    let code = composed(
        r#"#[service(limit(3, "60s"))]"#,
        "#[service(member(on_failure = ignore, on_completion = stop_group))] db: Runner<Db>",
    );
    assert!(!code.contains("compile_error"), "{code}");
    for part in ["3", "Duration::new(60u64,0u32)", "OnFailure::Ignore", "OnCompletion::StopGroup"] {
        assert!(code.contains(part), "{part}: {code}");
    }
}

#[test]
fn what_cannot_be_composed_is_refused_with_a_word_on_what_can() {
    for (fields, said) in [
        ("#[service(member, after(dbb))] a: A, #[service(member)] db: B", "did you mean `db`?"),
        ("#[service(member, after(x))] a: A, #[service(member)] db: B", "unknown member `x`"),
        ("#[service(member, after(x))] a: A, x: X", "`x` is not a member"),
        ("#[service(member)] a: A, #[service(member, after(a, a))] b: B", "`a` is named twice"),
        ("#[service(member(on_completion = 3))] a: A", "`on_completion` takes"),
        ("#[service(member, after(a))] a: A", "depend on each other: a -> a"),
    ] {
        let code = composed("", fields);
        assert!(says(&code, said), "{fields}: {code}");
    }
    let code = composed("#[service(limit(\"3\", \"60s\"))]", "#[service(member)] a: A");
    assert!(says(&code, "a whole number as its maximum"), "{code}");
}

#[test]
fn a_method_of_the_wrong_shape_is_refused() {
    for (method, said) in [
        ("fn go(&self) {}", "`go` is not async"),
        ("async fn go() {}", "`go` takes no `&self`"),
        ("async fn go(self) {}", "`go` takes `self` by value"),
        ("async fn go(&mut self) {}", "`go` takes `&mut self`"),
        ("async fn go(&self, cx: Context, more: u8) {}", "`go` takes more than a `Context`"),
    ] {
        let block = tokens(&format!("impl S {{ #[start] {method} }}"));
        let code = crate::methods(TokenStream::new(), block).to_string().replace(' ', "");
        assert!(says(&code, said), "{method}: {code}");
    }
}
