//! Structs of runners and marked methods, as the macros take them and as they refuse them.

use proc_macro2::TokenStream;

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("it is made of tokens")
}

/// Returns the code for a struct with these fields, as text without spaces.
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
    for part in [
        "3",
        "Duration::new(60u64,0u32)",
        "OnFailure::Ignore",
        "OnCompletion::StopGroup",
    ] {
        assert!(code.contains(part), "{part}: {code}");
    }
}

#[test]
fn bound_and_transient_members_and_a_backoff_become_calls() {
    let code = composed(
        "#[service(backoff = Backoff::none())]",
        "#[service(member)] db: A, #[service(member(transient), after())] s: B, \
         #[service(member(bound_to(db), on_completion = fail))] http: C",
    );
    assert!(!code.contains("compile_error"), "{code}");
    let parts = [
        "Option::Some(Backoff::none())",
        ".transient()",
        ".after(&[\"db\"]).bound_to(&[\"db\"])",
        "OnCompletion::Fail",
    ];
    for part in parts {
        assert!(code.contains(part), "{part}: {code}");
    }
}

#[test]
fn what_cannot_be_composed_is_refused_with_a_word_on_what_can() {
    for (fields, said) in [
        (
            "#[service(member, on_failure = ignore)] a: A",
            "`on_failure` stands in the list of `member`: `#[service(member(on_failure = ..))]`",
        ),
        (
            "#[service(member)] a: A, #[service(bound_to(a))] b: A",
            "`bound_to` stands in the list of `member`: `#[service(member(bound_to(..)))]`",
        ),
        (
            "#[service(member, transient)] a: A",
            "`transient` stands in the list of `member`: `#[service(member(transient))]`",
        ),
        (
            "#[service(member)] a: A, #[service(member(after(a)))] b: A",
            "`after` stands beside `member`: `#[service(member, after(..))]`",
        ),
        (
            "#[service(member, after(dbb))] a: A, #[service(member)] db: B",
            "did you mean `db`?",
        ),
        (
            "#[service(member, after(x))] a: A, #[service(member)] db: B",
            "unknown member `x`",
        ),
        (
            "#[service(member, after(x))] a: A, x: X",
            "`x` is not a member",
        ),
        (
            "#[service(member)] a: A, #[service(member, after(a, a))] b: B",
            "`a` is named twice",
        ),
        (
            "#[service(member(on_completion = 3))] a: A",
            "`on_completion` takes",
        ),
        (
            "#[service(member, after(a))] a: A",
            "depend on each other: a -> a",
        ),
        (
            "#[service(member(bound_to(a)))] a: A",
            "depend on each other: a -> a",
        ),
        ("#[service(member(bound_to(x)))] a: A", "unknown member `x`"),
        ("#[service(member(bound_to))] a: A", "`bound_to` takes"),
        (
            "#[service(member(transient = true))] a: A",
            "`transient` takes no value",
        ),
        (
            "#[service(member(transient))] a: A, #[service(member, after(a))] b: B",
            "`a` is transient: nothing can start after it",
        ),
        (
            "#[service(member(transient))] a: A, #[service(member(bound_to(a)), after())] b: B",
            "`a` is transient: nothing can start after it",
        ),
    ] {
        let code = composed("", fields);
        assert!(says(&code, said), "{fields}: {code}");
    }
    let code = composed(
        "#[service(limit(\"3\", \"60s\"))]",
        "#[service(member)] a: A",
    );
    assert!(says(&code, "a whole number as its maximum"), "{code}");
    let code = composed("#[service(backoff = 3)]", "#[service(member)] a: A");
    assert!(
        says(&code, "`backoff` takes an expression of type `Backoff`"),
        "{code}"
    );
    let code = composed("#[service(start = go, backoff = Backoff::none())]", "a: A");
    assert!(says(&code, "`backoff` without members"), "{code}");
}

#[test]
fn a_method_of_the_wrong_shape_is_refused() {
    for (method, said) in [
        ("fn go(&self) {}", "`go` is not async"),
        ("async fn go() {}", "`go` takes no `&self`"),
        ("async fn go(self) {}", "`go` takes `self` by value"),
        ("async fn go(&mut self) {}", "`go` takes `&mut self`"),
        (
            "async fn go(&self, cx: Context, more: u8) {}",
            "`go` takes more than a `Context`",
        ),
    ] {
        let block = tokens(&format!("impl S {{ #[start] {method} }}"));
        let code = crate::methods(TokenStream::new(), block)
            .to_string()
            .replace(' ', "");
        assert!(says(&code, said), "{method}: {code}");
    }
}
