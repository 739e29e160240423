//! A `.env` file beside a `Procfile`: `KEY=VALUE` a line, for all processes.

use super::lines::lines;
use super::mistakes::Found;

pub(super) type Vars = Vec<(String, String)>;

/// An `export` before the key is passed over; a value may stand in quotes.
pub(super) fn read(text: &str) -> (Vars, Found) {
    let (mut vars, mut found) = (Vars::new(), Found::new());
    for (at, line) in lines(text) {
        match entry(line) {
            Ok(var) => vars.push(var),
            Err(what) => found.push((at, what)),
        }
    }
    (vars, found)
}

fn entry(line: &str) -> Result<(String, String), String> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (key, value) = line.split_once('=').ok_or("a line is `KEY=VALUE`")?;
    let (key, value) = (key.trim(), value.trim());
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.is_empty() || !key.chars().all(fits) {
        return Err(format!(
            "`{key}` is no name of a variable; it has letters, digits and `_`"
        ));
    }
    let value = unquoted(value);
    if key == "PORT" && value.parse::<u16>().is_err() {
        return Err(format!("`{value}` is no port"));
    }
    Ok((key.to_owned(), value))
}

/// Removes quotes: a value in single quotes is as it stands; in double quotes a backslash escapes.
fn unquoted(value: &str) -> String {
    let value = without_comment(value);
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    match (within('\''), within('"')) {
        (Some(text), _) => text.to_owned(),
        (None, Some(text)) => unescaped(text),
        (None, None) => value.to_owned(),
    }
}

/// Removes a comment behind a value in quotes. Elsewhere a `#` is a part of the value.
fn without_comment(value: &str) -> &str {
    let quotes = |c: &char| matches!(c, '\'' | '"');
    let Some(quote) = value.chars().next().filter(quotes) else {
        return value;
    };
    let mut before = ' ';
    let closes = |(at, c): (usize, char)| {
        let escaped = quote == '"' && before == '\\';
        before = if escaped { ' ' } else { c };
        (at > 0 && c == quote && !escaped).then_some(at + 1)
    };
    match value.char_indices().find_map(closes) {
        Some(end) if value[end..].trim_start().starts_with('#') => &value[..end],
        _ => value,
    }
}

fn unescaped(text: &str) -> String {
    let (mut plain, mut chars) = (String::new(), text.chars());
    while let Some(c) = chars.next() {
        plain.push(match (c, chars.as_str().chars().next()) {
            ('\\', Some('n')) => '\n',
            ('\\', Some(escaped)) => escaped,
            (c, _) => {
                plain.push(c);
                continue;
            }
        });
        chars.next();
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_comment_may_stand_behind_quotes() {
        let text =
            "A=\"x # y\" # z\nB='\\' # z\nC=\"\\\" # x\"#\nD=a # b\nE=\"x\" y\nF=\"\\\\\" # \"\n";
        let (vars, found) = read(text);
        let values: Vec<_> = vars.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["x # y", "\\", "\" # x", "a # b", "\"x\" y", "\\"]);
        assert!(found.is_empty());
    }

    #[test]
    fn values_may_be_quoted_and_mistakes_are_found_where_they_are() {
        let text = "# of all\nA=1 2\n\nexport B = 'x\\n'\r\nC=\"x\\n\\\"\\\\\"\nD=\nE=\"\n  bad\nA-B=1\nPORT=x\n";
        let (vars, found) = read(text);
        let expected = [
            ("A", "1 2"),
            ("B", "x\\n"),
            ("C", "x\n\"\\"),
            ("D", ""),
            ("E", "\""),
        ];
        assert_eq!(
            vars,
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        assert_eq!(found.len(), 3);
        assert!(text[found[0].0..].starts_with("bad") && text[found[1].0..].starts_with("A-B"));
    }
}
