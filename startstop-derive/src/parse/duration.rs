//! Durations in strings: a whole number and a unit.

use std::time::Duration;

/// The accepted forms, for messages.
pub(crate) const ACCEPTED: &str =
    "a whole number with a unit, such as \"250ms\", \"10s\", \"2m\" or \"1h\"";

/// Reads a duration, or says what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    if digits.is_empty() {
        return Err(format!("`{text}` is not a duration: expected {ACCEPTED}"));
    }
    let scale = match unit {
        "ms" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "" => return Err(format!("`{text}` has no unit: expected {ACCEPTED}")),
        _ if is_fraction(unit) => return Err(fraction(text)),
        _ => return Err(format!("unknown unit `{unit}`: expected {ACCEPTED}")),
    };
    let number = digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(scale));
    match number {
        Some(number) if unit == "ms" => Ok(Duration::from_millis(number)),
        Some(number) => Ok(Duration::from_secs(number)),
        None => Err(format!(
            "`{text}` is too long: write `Duration::MAX` to wait for ever"
        )),
    }
}

fn is_fraction(rest: &str) -> bool {
    rest.strip_prefix('.')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn fraction(text: &str) -> String {
    format!(
        "`{text}` is not a whole number: use a smaller unit, such as \"1500ms\" for one and a half seconds"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;

    #[test]
    fn every_unit_is_read() {
        for (text, millis) in [
            ("250ms", 250),
            ("10s", 10_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("0s", 0),
            ("007s", 7_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, wrong) in [
            ("", "is not a duration"),
            ("s", "is not a duration"),
            ("-1s", "is not a duration"),
            ("ten seconds", "is not a duration"),
            ("10", "has no unit"),
            ("10 s", "unknown unit ` s`"),
            ("10sec", "unknown unit `sec`"),
            ("1h30m", "unknown unit `h30m`"),
            ("1.5s", "is not a whole number"),
            ("99999999999999999999s", "is too long"),
            ("9999999999999999999h", "is too long"),
        ] {
            let message = parse(text).unwrap_err();
            assert!(message.contains(wrong), "{text}: {message}");
        }
    }
}
