//! The text with the switches in it.

use std::cmp::Reverse;
use std::fmt::Write;
use std::ops::Range;

/// A place in a text, and what stands there when one of its mistakes is turned on.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) range: Range<usize>,
    pub(crate) shape: Shape,
    /// The number of each mistake, and its text.
    pub(crate) alternatives: Vec<(usize, String)>,
}

/// How a switch is put there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shape {
    /// At the begin of a body: returns something else.
    Body,
    /// Around the guard of an arm: the arm is left out.
    Guard,
    /// Behind the pattern of an arm without a guard.
    NewGuard,
    /// Around an expression.
    Value,
}

/// Puts in the switches of all places. Around the text of each mistake stand two marks, by which it is
/// found again in what the compiler says.
pub(crate) fn rewritten(text: &str, mut places: Vec<Place>) -> String {
    // What begins at the same place: the outer before the inner, but what is put between two characters first.
    places.sort_by_key(|place| {
        let Range { start, end } = place.range;
        (start, start < end, Reverse(end), place.shape)
    });
    render(text, 0..text.len(), &places)
}

fn render(text: &str, range: Range<usize>, places: &[Place]) -> String {
    let mut out = String::new();
    let mut at = range.start;
    let mut rest = places;
    while let Some((place, behind)) = rest.split_first() {
        let inside = behind
            .iter()
            .take_while(|inner| inner.range.end <= place.range.end && !place.range.is_empty());
        let (inside, behind) = behind.split_at(inside.count());
        out.push_str(&text[at..place.range.start]);
        place.put(&render(text, place.range.clone(), inside), &mut out);
        at = place.range.end;
        rest = behind;
    }
    out.push_str(&text[at..range.end]);
    out
}

impl Place {
    fn put(&self, inner: &str, out: &mut String) {
        match self.shape {
            Shape::Body => {
                for (id, text) in &self.alternatives {
                    put(
                        out,
                        format_args!(
                            "if crate::mutant::on({id}) {{ /*<{id}*/ return {text}\n; /*>{id}*/ }}\n"
                        ),
                    );
                }
            }
            Shape::Guard => {
                put(out, format_args!("(!({}) && ({inner}\n))", self.any()));
            }
            Shape::NewGuard => put(out, format_args!(" if !({})", self.any())),
            Shape::Value => {
                out.push('(');
                for (id, text) in &self.alternatives {
                    put(
                        out,
                        format_args!(
                            "if crate::mutant::on({id}) {{ /*<{id}*/ {text}\n /*>{id}*/ }} else "
                        ),
                    );
                }
                put(out, format_args!("{{ {inner}\n }})"));
            }
        }
    }

    fn any(&self) -> String {
        let switches = self
            .alternatives
            .iter()
            .map(|(id, _)| format!("/*<{id}*/ crate::mutant::on({id}) /*>{id}*/"));
        switches.collect::<Vec<_>>().join(" || ")
    }
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes all text");
}

/// The mistake whose text is at an offset of a rewritten text, if there is one.
pub(crate) fn at(text: &str, offset: usize) -> Option<usize> {
    let begin = text[..offset].rfind("/*<")?;
    let id: usize = text[begin + 3..].split_once("*/")?.0.parse().ok()?;
    let end = begin + text[begin..].find(&format!("/*>{id}*/"))?;
    (offset < end).then_some(id)
}

/// The value that the function at an offset is made to return: its type may be what does not fit there, where the function
/// has a type without a name.
pub(crate) fn returned_before(text: &str, offset: usize) -> Option<usize> {
    let mut parts = text[..offset].rsplit("/*<");
    parts.find_map(|part| {
        let (id, behind) = part.split_once("*/")?;
        behind.starts_with(" return ").then(|| id.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::{Place, Shape, at, rewritten};

    fn place(text: &str, part: &str, shape: Shape, alternatives: &[(usize, &str)]) -> Place {
        let start = text.find(part).expect("it is there");
        let alternatives = alternatives
            .iter()
            .map(|(id, text)| (*id, (*text).to_owned()))
            .collect();
        Place {
            range: start..start + part.len(),
            shape,
            alternatives,
        }
    }

    fn words(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_switch_within_another_is_in_what_is_not_changed() {
        let text = "let x = a == b && c;";
        let places = vec![
            place(text, "a == b", Shape::Value, &[(1, "a != b")]),
            place(text, "a == b && c", Shape::Value, &[(2, "a == b || c")]),
        ];
        let inner = "(if crate::mutant::on(1) { /*<1*/ a != b /*>1*/ } else { a == b })";
        let outer = "(if crate::mutant::on(2) { /*<2*/ a == b || c /*>2*/ } else { ";
        assert_eq!(
            words(&rewritten(text, places)),
            format!("let x = {outer}{inner} && c }});")
        );
    }

    #[test]
    fn a_body_returns_before_it_begins() {
        let text = "fn f() -> u8 { 1 + 2 }";
        let mut body = place(text, "1 + 2", Shape::Body, &[(3, "0"), (4, "1")]);
        body.range.end = body.range.start;
        let sum = place(text, "1 + 2", Shape::Value, &[(5, "1 - 2")]);
        let text = words(&rewritten(text, vec![sum, body]));
        let returns = |id, value| {
            format!("if crate::mutant::on({id}) {{ /*<{id}*/ return {value} ; /*>{id}*/ }}")
        };
        let before = format!(
            "fn f() -> u8 {{ {} {} (if",
            returns(3, "0"),
            returns(4, "1")
        );
        assert!(text.starts_with(&before), "{text}");
    }

    #[test]
    fn an_arm_that_is_left_out_has_a_guard() {
        let text = "match x { A if g => 1, B => 2, _ => 3 }";
        let mut arm = place(text, "B", Shape::NewGuard, &[(7, "")]);
        arm.range.start = arm.range.end;
        let guard = place(text, "g", Shape::Guard, &[(6, "")]);
        let text = words(&rewritten(text, vec![arm, guard]));
        assert!(
            text.contains("A if (!(/*<6*/ crate::mutant::on(6) /*>6*/) && (g )) => 1"),
            "{text}"
        );
        assert!(
            text.contains("B if !(/*<7*/ crate::mutant::on(7) /*>7*/) => 2"),
            "{text}"
        );
    }

    #[test]
    fn what_the_compiler_complains_of_is_found_by_the_marks() {
        let text = "a /*<12*/ b /*>12*/ c";
        let found = ["a", "b", "c"].map(|part| at(text, text.find(part).expect("it is there")));
        assert_eq!(found, [None, Some(12), None]);
    }
}
