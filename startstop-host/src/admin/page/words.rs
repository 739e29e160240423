//! Values as text for people, and text from outside, made harmless.

use std::fmt::{self, Write};
use std::time::Duration;

/// A text in a page: it is no markup, and turns no direction.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            c if is_steering(c) => f.write_char('\u{fffd}'),
            c => f.write_char(c),
        })
    }
}

/// Returns whether a character does something to the text around it rather than standing for itself.
fn is_steering(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && c != '\n' && c != '\t')
}

/// Two units at most: `1.2s`, `3m12s`, `5h2m`, `4d7h`.
pub(super) fn brief(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0 if duration.is_zero() => "0s".to_owned(),
        0 => format!("{}ms", duration.as_millis()),
        1..10 => format!("{seconds}.{}s", duration.subsec_millis() / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m{}s", seconds % 60),
        3600..86_400 => format!("{hours}h{}m", minutes % 60),
        _ => format!("{days}d{}h", hours % 24),
    }
}

/// Returns a share in percent, with as many nines as it has.
pub(super) fn percent(share: f64) -> String {
    if share >= 1.0 {
        "100%".to_owned()
    } else {
        format!("{:.3}%", (share * 1e5).floor() / 1e3)
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, Escaped, brief, percent};

    #[test]
    fn markup_and_what_steers_is_escaped() {
        let text = "<b title='a' id=\"b\">&amp;</b>\u{202e}\u{1b}[31m\u{0}\né";
        let plain = "&lt;b title=&#39;a&#39; id=&quot;b&quot;&gt;&amp;amp;&lt;/b&gt;\
                     \u{fffd}\u{fffd}[31m\u{fffd}\né";
        assert_eq!(Escaped(text).to_string(), plain);
    }

    #[test]
    fn times_and_shares_are_brief() {
        let times = [
            (0, "0s"),
            (7, "7ms"),
            (1_250, "1.2s"),
            (192_000, "3m12s"),
            (18_150_000, "5h2m"),
        ];
        for (millis, text) in times {
            assert_eq!(brief(Duration::from_millis(millis)), text);
        }
        assert_eq!(
            (percent(1.0), percent(0.999_999)),
            ("100%".into(), "99.999%".into())
        );
    }
}
