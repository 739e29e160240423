//! The lines of a file that say something.

/// Each with where it begins; blank lines and comments are passed over.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut offset = 0;
    let lines = text.split_inclusive('\n').map(move |line| {
        let at = offset + (line.len() - line.trim_start().len());
        offset += line.len();
        (at, line.trim())
    });
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}
