//! Values of each kind, as the derive takes them and as it refuses them.

use proc_macro2::TokenStream;

/// Returns the code for a type with this attribute, as text.
fn derived(attribute: &str) -> String {
    let item = format!("#[service(start = serve, {attribute})] struct S<T>(T);");
    crate::service(item.parse::<TokenStream>().expect("it is made of tokens")).to_string()
}

#[test]
fn each_kind_of_value_becomes_an_expression() {
    for (attribute, code) in [
        ("name = \"http\"", ".name (\"http\")"),
        ("name = NAME", ".name (NAME)"),
        (
            "stop_timeout = \"1500ms\"",
            "Duration :: new (1u64 , 500000000u32)",
        ),
        ("drain = DRAIN * 2", ".drain (DRAIN * 2)"),
        ("shutdown_always = true", ".shutdown_always (true)"),
        ("history_capacity = 8", ".history_capacity (8)"),
        ("restart = on_failure", "RestartPolicy :: on_failure ()"),
        ("restart = POLICY", ".restart (POLICY)"),
        ("readiness = explicit", "Readiness :: Explicit"),
        ("error = std::io::Error", "type Error = std :: io :: Error"),
        ("bound = \"T: Store\"", "where T : Store"),
        ("crate = other::path", "other :: path"),
    ] {
        let all = derived(attribute);
        let squeezed = |text: &str| text.replace(' ', "");
        assert!(
            squeezed(&all).contains(&squeezed(code)),
            "{attribute}: {all}"
        );
        assert!(!all.contains("compile_error"), "{attribute}: {all}");
    }
}

#[test]
fn what_is_no_value_of_its_kind_is_refused_with_a_word_on_what_is() {
    for (attribute, said) in [
        ("stop_timeout = 10", "a duration needs a unit"),
        ("stop_timeout = -10", "a duration needs a unit"),
        ("stop_timeout = \"soon\"", "soon"),
        ("name = 3", "`name` takes"),
        ("shutdown_always = \"yes\"", "`shutdown_always` takes"),
        ("restart = on_failur", "did you mean `on_failure`?"),
        (
            "restart = whenever_it_likes",
            "unknown name `whenever_it_likes`",
        ),
        ("readiness = explict", "did you mean `explicit`?"),
        ("bound = \"T Store\"", "`bound` takes"),
        ("error = 3", "`error` takes"),
        ("stop = 3", "`stop` takes"),
        ("colour = 3", "unknown key `colour`"),
        ("strat = serve", "did you mean `start`?"),
        ("name = \"a\", name = \"b\"", "twice"),
    ] {
        let all = derived(attribute);
        assert!(all.contains("compile_error"), "{attribute}: {all}");
        assert!(all.contains(said), "{attribute}: {all}");
    }
}
