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
        format!("{FIRST_LINE}\nholder {holder}\nfence {fence}\nrenewals {renewals}\n{lease}")
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        (lines.next()? == FIRST_LINE).then_some(())?;
        let holder = lines.next()?.strip_prefix("holder ")?.to_owned();
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

#[cfg(test)]
mod tests {
    use super::{Duration, Entry};

    #[test]
    fn an_entry_comes_back_from_its_text() {
        for lease in [Some(Duration::from_millis(1500)), None] {
            let entry = Entry {
                holder: "host/7/0a".to_owned(),
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
