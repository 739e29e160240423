//! Users and groups by their names, as `/etc/passwd` and `/etc/group` have them.

use std::fs;

/// A user, and what its processes know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
    name: String,
    home: String,
}

impl User {
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::find(&fs::read_to_string("/etc/passwd").ok()?, name)
    }

    /// A line is `name:password:uid:gid:comment:home:shell`.
    fn find(passwd: &str, name: &str) -> Option<Self> {
        let fields = fields_of(passwd, name)?;
        let number = |at: usize| fields.get(at)?.parse().ok();
        let home = (*fields.get(5)?).to_owned();
        Some(Self {
            uid: number(2)?,
            gid: number(3)?,
            name: name.to_owned(),
            home,
        })
    }

    /// Returns the variables that a login would set.
    pub(super) fn vars(&self) -> [(&'static str, &str); 3] {
        [
            ("USER", &self.name),
            ("LOGNAME", &self.name),
            ("HOME", &self.home),
        ]
    }
}

/// Returns the number of a group: a line is `name:password:gid:members`.
pub(super) fn group(name: &str) -> Option<u32> {
    fields_of(&fs::read_to_string("/etc/group").ok()?, name)?
        .get(2)?
        .parse()
        .ok()
}

fn fields_of<'t>(table: &'t str, name: &str) -> Option<Vec<&'t str>> {
    let mut lines = table
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    lines.find(|fields| fields.first() == Some(&name))
}

#[cfg(test)]
mod tests {
    use super::User;

    #[test]
    fn a_user_is_found_by_the_whole_name() {
        let passwd = "www:x:1:1::/:\nwww-data:x:33:34:www:/var/www:/bin/sh\nbad:x:y:1::/:\n";
        let user = User::find(passwd, "www-data").unwrap();
        assert_eq!(
            (user.uid, user.gid, user.home.as_str()),
            (33, 34, "/var/www")
        );
        assert_eq!(User::find(passwd, "data"), None);
        assert_eq!(User::find(passwd, "bad"), None);
    }
}
