//! Times of the wall clock as text, for people and for Kubernetes. Nobody compares them.

use std::time::{SystemTime, UNIX_EPOCH};

/// `2026-11-29T08:00:00`, and the microseconds beyond.
fn parts(at: SystemTime) -> (String, u32) {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    (text, since.subsec_micros())
}

/// `2026-11-29T08:00:00Z`.
pub(crate) fn seconds(at: SystemTime) -> String {
    parts(at).0 + "Z"
}

/// `2026-11-29T08:00:00.000000Z`: Kubernetes takes exactly six decimals.
#[cfg(feature = "kubernetes")]
pub(crate) fn micros(at: SystemTime) -> String {
    let (seconds, micros) = parts(at);
    format!("{seconds}.{micros:06}Z")
}

/// Returns the seconds since 1970 of `2026-11-29T08:00:00Z`.
#[cfg(feature = "kubernetes")]
pub(crate) fn parse_seconds(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let numbers = |text: &str, by| {
        let numbers = text
            .split(by)
            .map(str::parse)
            .collect::<Result<Vec<u64>, _>>()
            .ok()?;
        <[u64; 3]>::try_from(numbers).ok()
    };
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time.split('.').next()?, ':')?;
    let is_date =
        (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Returns the day that is so many days after the first of 1970; years begin in March here, so that a leap day comes last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(feature = "kubernetes")]
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = year - u64::from(month <= 2);
    let (era, of_era) = (year / 400, year % 400);
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted + 2) / 5 + day - 1;
    (era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year).checked_sub(719_468)
}

#[cfg(all(test, feature = "kubernetes"))]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{micros, parse_seconds, seconds as text_of};

    #[test]
    fn times_come_back() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:34:56Z", 951_827_696),
            ("2026-11-29T08:00:00Z", 1_795_939_200),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
        ] {
            assert_eq!(parse_seconds(text), Some(seconds), "{text}");
            let at = UNIX_EPOCH + Duration::from_secs(seconds);
            assert_eq!(text_of(at), text);
            assert_eq!(micros(at), text.replace('Z', ".000000Z"));
        }
        for other in [
            "yesterday",
            "0000-00-00T00:00:00Z",
            "2026-11-00T08:00:00Z",
            "1969-12-31T23:59:59Z",
            "18446744073709551615-01-01T00:00:00Z",
            "2026-11-29T18446744073709551615:00:00Z",
        ] {
            assert_eq!(parse_seconds(other), None, "{other}");
        }
    }
}
