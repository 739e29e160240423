//! Numbers as one reads them.

/// Nanoseconds, in three digits and a unit.
pub(crate) fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        ..999.5 => (nanoseconds, "ns"),
        ..999.5e3 => (nanoseconds / 1e3, "µs"),
        ..999.5e6 => (nanoseconds / 1e6, "ms"),
        _ => (nanoseconds / 1e9, "s"),
    };
    format!("{} {unit}", digits(value))
}

/// Three digits, as far as they are behind the point.
pub(crate) fn digits(value: f64) -> String {
    match value {
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => thousands(&format!("{value:.0}")),
    }
}

/// Without what is behind the point.
pub(crate) fn whole(value: f64) -> String {
    thousands(&format!("{value:.0}"))
}

pub(crate) fn count(value: usize) -> String {
    thousands(&value.to_string())
}

fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_and_a_unit() {
        let found = [0.312, 9.999, 123.4, 999.6, 4_711.0, 1.5e6, 2e9].map(time);
        assert_eq!(
            found,
            [
                "0.31 ns", "10.0 ns", "123 ns", "1.00 µs", "4.71 µs", "1.50 ms", "2.00 s"
            ]
        );
    }

    #[test]
    fn thousands_are_set_apart() {
        let found = [7, 1_000, 10_000, 1_000_000].map(count);
        assert_eq!(found, ["7", "1,000", "10,000", "1,000,000"]);
    }
}
