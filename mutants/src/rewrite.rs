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
