//! Which names leases have in stores that take almost any.

use super::StoreError;

/// A notification of `PostgreSQL` has room for it and for the holder.
const LONGEST: usize = 1000;

pub(super) fn check(name: &str) -> Result<(), StoreError> {
    if name.is_empty() {
        return Err(StoreError::refused("the name of a lease is empty"));
    }
    if name.contains('\0') {
        return Err(StoreError::refused("the name of a lease has a zero byte"));
    }
    if name.len() > LONGEST {
        return Err(StoreError::refused(format!(
            "the name of a lease is longer than {LONGEST} bytes"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, check};

    #[test]
    fn a_name_that_nobody_could_have_meant_is_refused() {
        assert!(check("orders/shards/17").is_ok());
        assert!(check(&"a".repeat(LONGEST)).is_ok());
        for name in ["", "a\0b", &"a".repeat(LONGEST + 1)] {
            assert!(check(name).is_err(), "{name:?}");
        }
    }
}
