//! The content of a `.lease` file.

use std::time::Duration;

use crate::record::{Record, Version};

const FIRST_LINE: &str = "startstop lease 1";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) holder: String,
    pub(super) fence: u64,
    pub(super) renewals: u64,
    /// None if it is in force with another record.
    pub(super) lease: Option<Duration>,
}

impl Entry {
    pub(super) fn version(&self) -> Version {
        Version::from(format!("{}.{}", self.fence, self.renewals))
    }

    pub(super) fn record(&self) -> Record {
        Record::held(&*self.holder, self.fence, self.version())
            .lasting(self.lease.unwrap_or_default())
    }

    pub(super) fn to_text(&self) -> String {
        let Self {
            holder,
            fence,
            renewals,
            lease,
        } = self;
        let millis = |lease: Duration| format!("lease {} ms\n", lease.as_millis());
        let lease = lease.map_or_else(String::new, millis);
        let holder = on_one_line(holder);
        format!("{FIRST_LINE}\nholder {holder}\nfence {fence}\nrenewals {renewals}\n{lease}")
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        (lines.next()? == FIRST_LINE).then_some(())?;
        let holder = from_one_line(lines.next()?.strip_prefix("holder ")?);
        let fence = lines.next()?.strip_prefix("fence ")?.parse().ok()?;
        let renewals = lines.next()?.strip_prefix("renewals ")?.parse().ok()?;
        let lease = match lines.next() {
            None => None,
            Some(line) => Some(
                line.strip_prefix("lease ")?
                    .strip_suffix(" ms")?
                    .parse()
                    .ok()?,
            ),
        };
        Some(Self {
            holder,
            fence,
            renewals,
            lease: lease.map(Duration::from_millis),
        })
    }
}

/// A line end would be the end of the holder, so it stands there as `%0a`, and what has one of those as `%250a`.
const CODES: [(&str, &str); 3] = [("%", "%25"), ("\n", "%0a"), ("\r", "%0d")];

fn on_one_line(holder: &str) -> String {
    let replace = |text: String, (plain, code)| text.replace(plain, code);
    CODES.into_iter().fold(holder.to_owned(), replace)
}

fn from_one_line(text: &str) -> String {
    let replace = |text: String, (plain, code)| text.replace(code, plain);
    CODES.into_iter().rev().fold(text.to_owned(), replace)
}

#[cfg(test)]
mod tests {
    use super::{Duration, Entry};

    #[test]
    fn an_entry_comes_back_from_its_text() {
        let millis = Some(Duration::from_millis(1500));
        for (holder, lease) in [
            ("host/7/0a", millis),
            ("host/7/0a", None),
            ("a\nfence 9\r\n", millis),
            ("a\r", millis),
            ("50%0a %", millis),
        ] {
            let entry = Entry {
                holder: holder.to_owned(),
                fence: 3,
                renewals: 9,
                lease,
            };
            assert_eq!(Entry::parse(&entry.to_text()), Some(entry));
        }
        assert_eq!(Entry::parse("something else"), None);
        assert_eq!(Entry::parse(""), None);
    }
}
