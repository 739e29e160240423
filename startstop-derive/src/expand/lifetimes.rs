//! `'static` in the place of lifetimes: a type that is a service has no other.
//!
//! But for what stands for any lifetime: the `'_` of a function's arguments and output, as in `Fn(&str) -> Cow<'_, str>`.

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};

/// The words that a tuple may follow: a list in parentheses after any other one is that of the arguments of a function.
const BEFORE_TUPLES: [&str; 6] = ["as", "const", "dyn", "for", "impl", "mut"];

/// Returns the tokens with `'static` for the lifetimes of these names, and for each `'_` that is none of a function.
pub(super) fn statics(tokens: TokenStream, names: &[String]) -> TokenStream {
    let mut all = names.to_vec();
    all.push("_".to_owned());
    replaced(tokens, &all)
}

fn replaced(tokens: TokenStream, names: &[String]) -> TokenStream {
    let mut scan = Scan::default();
    let fixed = tokens.into_iter().map(|token| {
        let here = scan.names(&token, names);
        let is_lifetime = scan.is_after_tick();
        scan.pass(&token);
        match token {
            TokenTree::Ident(ident) if is_lifetime && here.iter().any(|name| ident == name) => {
                Ident::new("static", ident.span()).into()
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replaced(group.stream(), here));
                inner.set_span(group.span());
                inner.into()
            }
            token => token,
        }
    });
    fixed.collect()
}

/// How far a list of tokens has been read.
#[derive(Default)]
struct Scan {
    before: Option<TokenTree>,
    /// In the output of a function: how many angle brackets of it are open.
    output: Option<usize>,
}

impl Scan {
    fn is_after_tick(&self) -> bool {
        self.is_after('\'')
    }

    fn is_after(&self, sign: char) -> bool {
        matches!(&self.before, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
    }

    /// Returns those of the names, `_` being the last, that are to be replaced in the next token.
    fn names<'n>(&self, next: &TokenTree, names: &'n [String]) -> &'n [String] {
        let is_of_function = self.output.is_some() || self.is_before_arguments(next);
        match names {
            [others @ .., last] if is_of_function && last == "_" => others,
            names => names,
        }
    }

    fn is_before_arguments(&self, next: &TokenTree) -> bool {
        let Some(TokenTree::Ident(word)) = &self.before else {
            return false;
        };
        let is_list =
            matches!(next, TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis);
        is_list && BEFORE_TUPLES.iter().all(|known| word != known)
    }

    fn pass(&mut self, token: &TokenTree) {
        let is_arrow = self.is_after_joint_dash();
        self.output = match (token, self.output) {
            (TokenTree::Punct(sign), _) if is_arrow && sign.as_char() == '>' => {
                self.output.or(Some(0))
            }
            (TokenTree::Punct(sign), Some(open)) => match sign.as_char() {
                '<' => Some(open + 1),
                '>' => open.checked_sub(1),
                ',' | '+' | ';' | '=' if open == 0 => None,
                _ => Some(open),
            },
            (_, output) => output,
        };
        self.before = Some(token.clone());
    }

    fn is_after_joint_dash(&self) -> bool {
        self.is_after('-')
            && matches!(&self.before, Some(TokenTree::Punct(punct)) if punct.spacing() == Spacing::Joint)
    }
}

#[cfg(test)]
mod tests {
    use super::statics;

    fn assert_becomes(text: &str, fixed: &str) {
        let tokens = |text: &str| text.parse::<proc_macro2::TokenStream>().expect("tokens");
        let names = ["a".to_owned()];
        assert_eq!(
            statics(tokens(text), &names).to_string(),
            tokens(fixed).to_string()
        );
    }

    #[test]
    fn lifetimes_of_the_type_and_those_without_a_name_are_static() {
        for (text, fixed) in [
            ("S<'a, '_, 'b>", "S<'static, 'static, 'b>"),
            (
                "(&'a mut (&'_ u8, [&'_ u8; 1]),)",
                "(&'static mut (&'static u8, [&'static u8; 1]),)",
            ),
            ("Box<dyn (Store) + '_>", "Box<dyn (Store) + 'static>"),
        ] {
            assert_becomes(text, fixed);
        }
    }

    #[test]
    fn what_a_function_takes_and_yields_keeps_its_own() {
        for (text, fixed) in [
            ("F: Fn(Cow<'_, str>)", "F: Fn(Cow<'_, str>)"),
            (
                "F: Fn(&'a str) -> A<'_, 'a>, G: B<'_>",
                "F: Fn(&'static str) -> A<'_, 'static>, G: B<'static>",
            ),
            (
                "Box<dyn Fn(&str) -> (A<'_>, B<C<'_>>) + '_>",
                "Box<dyn Fn(&str) -> (A<'_>, B<C<'_>>) + 'static>",
            ),
            (
                "S<fn(&str) -> A<'_>, B<'_>>",
                "S<fn(&str) -> A<'_>, B<'static>>",
            ),
            (
                "S<Box<dyn Fn(&u8) -> A<'_>>, &'_ u8>",
                "S<Box<dyn Fn(&u8) -> A<'_>>, &'static u8>",
            ),
            (
                "F: Fn(Box<dyn Fn(&u8) -> A<'_>>) -> fn() -> A<'_>",
                "F: Fn(Box<dyn Fn(&u8) -> A<'_>>) -> fn() -> A<'_>",
            ),
        ] {
            assert_becomes(text, fixed);
        }
    }
}
