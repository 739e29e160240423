//! The list of mistakes, as cargo-mutants gives it.

use serde::Deserialize;

/// One mistake.
#[derive(Debug, Deserialize)]
pub(crate) struct Mutant {
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) genre: Genre,
    pub(crate) replacement: String,
    pub(crate) span: Span,
}

/// What a mistake does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub(crate) enum Genre {
    /// Another value in place of what a function does.
    FnValue,
    BinaryOperator,
    UnaryOperator,
    /// An arm of a `match` is left out.
    MatchArm,
    MatchArmGuard,
    /// A field is left to the base of a struct expression.
    StructField,
}

/// What it replaces.
#[derive(Debug, Deserialize)]
pub(crate) struct Span {
    pub(crate) start: Point,
    pub(crate) end: Point,
}

impl Mutant {
    /// The text of its file with the mistake in it.
    pub(crate) fn applied_to(&self, text: &str) -> Option<String> {
        let (start, end) = (
            self.span.start.offset_in(text)?,
            self.span.end.offset_in(text)?,
        );
        Some([&text[..start], &self.replacement, &text[end..]].concat())
    }
}

/// A character of a text, counted from 1.
#[derive(Debug, Deserialize)]
pub(crate) struct Point {
    line: usize,
    column: usize,
}

impl Point {
    /// The offset in bytes.
    pub(crate) fn offset_in(&self, text: &str) -> Option<usize> {
        let line = text.split_inclusive('\n').nth(self.line - 1)?;
        let (column, _) = line.char_indices().nth(self.column - 1)?;
        Some(line.as_ptr().addr() - text.as_ptr().addr() + column)
    }
}

/// The mistakes; the place in the list is the number of each.
pub(crate) fn read(json: &str) -> serde_json::Result<Vec<Mutant>> {
    serde_json::from_str(json)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_mistake_is_applied_where_it_is() {
        let span = r#"{"start": {"line": 2, "column": 3}, "end": {"line": 2, "column": 5}}"#;
        let list = format!(
            r#"[{{"file": "f", "name": "n", "genre": "BinaryOperator", "replacement": ">>", "span": {span}}}]"#
        );
        let mutants = read(&list).expect("it is a list");
        assert_eq!(
            mutants[0].applied_to("é\n1 << 2;").as_deref(),
            Some("é\n1 >> 2;")
        );
    }
}
