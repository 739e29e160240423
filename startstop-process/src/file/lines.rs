//! The lines of a file that say something.

/// The mark that editors of Windows put before a text.
const MARK: &str = "\u{feff}";

/// Returns a text without that.
pub(super) fn unmarked(text: &str) -> &str {
    text.strip_prefix(MARK).unwrap_or(text)
}

/// Each with where it begins; blank lines and comments are passed over.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let bare = unmarked(text);
    let mut offset = text.len() - bare.len();
    let lines = bare.split_inclusive('\n').map(move |line| {
        let at = offset + (line.len() - line.trim_start().len());
        offset += line.len();
        (at, line.trim())
    });
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}
