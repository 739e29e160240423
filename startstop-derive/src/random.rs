//! No input makes the macros panic: what goes out is always code or compile errors, and parses.

use std::fmt::Write;

use fastrand::Rng;
use proc_macro2::TokenStream;

/// Words that are likely to come near something: keys, values, and what stands around them.
const WORDS: &[&str] = &[
    "start",
    "stop",
    "error",
    "name",
    "readiness",
    "start_timeout",
    "drain",
    "shutdown_always",
    "history_capacity",
    "restart",
    "watchdog",
    "bound",
    "crate",
    "member",
    "member(on_failure = ignore)",
    "member(bound_to(a), transient)",
    "bound_to(a)",
    "transient",
    "backoff",
    "after",
    "after(a)",
    "(a, b)",
    "limit",
    "limit(3, \"60s\")",
    "serve",
    "run",
    "on_failure",
    "explicit",
    "self",
    "Self",
    "r#type",
    "fn",
    "async",
    "&",
    "&mut",
    "mut",
    "=",
    "==",
    ",",
    ";",
    ":",
    "::",
    "->",
    "=>",
    "<",
    ">",
    ".",
    "..",
    "|",
    "||",
    "-",
    "#",
    "!",
    "?",
    "'a",
    "_",
    "0",
    "1u8",
    "-1",
    "1.5",
    "99999999999999999999999999",
    "true",
    "\"\"",
    "\"10s\"",
    "\"10\"",
    "\"1.5s\"",
    "\"T: Store\"",
    "\"T: (\"",
    "\"99999999999999999999h\"",
    "\"\\u{1F600}ms\"",
    "b\"x\"",
    "'c'",
    "c\"x\"",
    "r\"raw\"",
    "#[start]",
    "#[stop]",
    "#[service]",
    "#[service(start = serve)]",
    "async fn serve(&self) {}",
    "const N: u8 = 1;",
    "where",
    "T: Copy",
    "impl",
    "for",
    "struct",
    "dyn",
];

const ITEMS: &[(&str, &str)] = &[
    ("#[service(", ")] struct S;"),
    ("#[service", "] struct S;"),
    ("#[service = ", "] struct S;"),
    (
        "#[service(start = serve, ",
        ")] struct S<'a, T: Copy = u8, const N: usize>(&'a T) where T: Sized;",
    ),
    (
        "#[service(start = serve)] struct S { #[service(",
        ")] field: u8 }",
    ),
    (
        "struct S { #[service(member, ",
        ")] a: u8, #[service(member, after(a))] b: u8 }",
    ),
    (
        "struct S(#[service(member(",
        "))] u8, #[service(member, after(0))] u8);",
    ),
    (
        "struct S(#[service(member)] u8, #[service(member, after(",
        "))] u8);",
    ),
    ("#[service(limit(", "))] struct S(#[service(member)] u8);"),
    ("enum E { #[service(", ")] A(u8), B { b: u8 } }"),
    ("#[service(", ")] union U { a: u8 }"),
    ("struct S<", ">;"),
    ("", ""),
];

const BLOCKS: &[(&str, &str)] = &[
    ("impl S { #[start] ", " }"),
    ("impl S { #[start] async fn serve(&self) {} ", " }"),
    ("impl<T> S<T> { #[start] async fn serve(", ") {} }"),
    ("impl ", " { #[stop] async fn close(&self) {} }"),
    ("impl S { #[start", "] async fn serve(&self) {} }"),
    ("struct S { ", " }"),
    ("", ""),
];

/// In the stage `random` of `.ci/run`.
const CASES: usize = 20_000;

#[test]
fn no_attribute_of_a_type_makes_the_derive_panic() {
    each_case(|rng| {
        let item = framed(rng, ITEMS);
        let Ok(tokens) = item.parse::<TokenStream>() else {
            return;
        };
        assert_is_file(&crate::service(tokens), &item);
    });
}

#[test]
fn no_block_makes_the_attribute_panic() {
    each_case(|rng| {
        let (args, block) = (words(rng), framed(rng, BLOCKS));
        let (Ok(args), Ok(tokens)) = (args.parse::<TokenStream>(), block.parse::<TokenStream>())
        else {
            return;
        };
        let code = crate::methods(args, tokens.clone());
        // Only a block that was Rust before has to be Rust afterwards.
        if syn::parse2::<syn::File>(crate::parse::without_marks(tokens)).is_ok() {
            assert_is_file(&code, &block);
        }
    });
}

/// `impl ! {` is the never type, and `impl ! where` a negative impl.
#[test]
fn a_block_of_the_never_type_stays_rust() {
    let block = "impl ! { #[stop] async fn close(&self) {} }";
    let tokens = block.parse().expect("tokens");
    assert_is_file(&crate::methods(TokenStream::new(), tokens), block);
}

/// Runs many cases; the seed is printed with a failure, and taken from `SEED` if that is set.
fn each_case(case: impl Fn(&mut Rng)) {
    let given = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(..));
    println!("SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    for _ in 0..cases() {
        case(&mut rng);
    }
}

/// A tenth, unless `STARTSTOP_PROGRAMS` asks for another share, or for more.
fn cases() -> usize {
    let share = std::env::var("STARTSTOP_PROGRAMS").unwrap_or_else(|_| "1/10".to_owned());
    let (times, parts) = share.split_once('/').unwrap_or((&share, "1"));
    let number = |text: &str| text.parse::<usize>().expect("a number");
    (CASES * number(times) / number(parts)).max(1)
}

fn framed(rng: &mut Rng, frames: &[(&str, &str)]) -> String {
    let (before, after) = frames[rng.usize(..frames.len())];
    format!("{before}{}{after}", words(rng))
}

/// Random words, with groups among them.
fn words(rng: &mut Rng) -> String {
    let mut text = String::new();
    let mut open = Vec::new();
    for _ in 0..rng.usize(..12) {
        match rng.u8(..12) {
            0 => {
                let (left, right) = [('(', ')'), ('[', ']'), ('{', '}')][rng.usize(..3)];
                text.push(left);
                open.push(right);
            }
            1 => text.extend(open.pop()),
            _ => write!(text, "{} ", WORDS[rng.usize(..WORDS.len())]).expect("a string takes all"),
        }
    }
    text.extend(open.into_iter().rev());
    text
}

fn assert_is_file(code: &TokenStream, of: &str) {
    if let Err(error) = syn::parse2::<syn::File>(code.clone()) {
        panic!("{error}\nof: {of}\ninto: {code}");
    }
}
