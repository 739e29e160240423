//! The statements for the server.

/// The channel that the server tells changes on.
pub(super) const CHANNEL: &str = "startstop_leases";

/// Tells whether there is nothing to make: who may make nothing is refused even if it is there.
pub(super) const THERE: &str = "select to_regclass('startstop_leases') is not null and to_regclass('startstop_fence') is not null as there";

/// One transaction, in which those who make it at the same time wait for each other: two that do not find a table both make it, and
/// one of them fails.
pub(super) const CREATE: &str = concat!(
    "select pg_advisory_xact_lock(7454420512);\n",
    include_str!("create.sql")
);

pub(super) const READ: &str = "select holder, fence, version, lease_ms, pg_is_in_recovery() as standby \
    from (select 1) as one left join startstop_leases on name = $1";

/// A commit is on the disk before it is told, whatever the server does by default. A row that somebody else has locked is waited for
/// no longer than a second: the server does not notice that a call was given up, and each would keep one of its connections.
const DURABLE: &str = "with durable as (select set_config('synchronous_commit', 'on', true) \
    || set_config('lock_timeout', '1s', true) as so)";

pub(super) const INSERT: &str = "insert into startstop_leases (name, holder, lease_ms, fence, version) \
    select $1, $2, $3, nextval('startstop_fence'), nextval('startstop_fence') from durable where so is not null \
    on conflict (name) do nothing";

pub(super) const UPDATE: &str = "update startstop_leases set holder = $2, lease_ms = $3, \
    fence = nextval('startstop_fence'), version = nextval('startstop_fence') \
    from durable where so is not null and name = $1 and version = $4";

pub(super) const RENEW: &str = "update startstop_leases set version = nextval('startstop_fence') \
    from durable where so is not null and name = $1 and version = $2 and holder is not null";

pub(super) const RELEASE: &str = "update startstop_leases set holder = null, version = nextval('startstop_fence') \
    from durable where so is not null and name = $1 and version = $2 and holder is not null";

/// Removes a row that nobody waits for, so nobody is told.
pub(super) fn forget() -> String {
    format!(
        "{DURABLE} delete from startstop_leases using durable \
         where so is not null and name = $1 and version = $2 and holder is null"
    )
}

/// Makes a statement of a write that tells the listeners in the same transaction.
pub(super) fn telling(write: &str) -> String {
    format!(
        "{DURABLE}, written as ({write} returning name, holder, fence, version, lease_ms) \
         select holder, fence, version, lease_ms, false as standby, pg_notify('{CHANNEL}', format('%s %s %s %s %s%s', \
         version, fence, coalesce(lease_ms, -1), char_length(name), name, holder)) from written"
    )
}

pub(super) const LIST: &str = "select name, holder, fence, version, lease_ms, pg_is_in_recovery() as standby from startstop_leases \
    where starts_with(name, $1) order by name collate \"C\"";

/// Takes nothing, and asks for each right that taking needs. That to the sequence is asked for in words: the server looks at it only
/// when the next number is drawn.
pub(super) const CHECK: &str = "with tried as (update startstop_leases set version = nextval('startstop_fence') where false returning 1), \
    added as (insert into startstop_leases (name, holder, lease_ms, fence, version) \
    select '', '', 0, nextval('startstop_fence'), 0 where false returning 1) \
    select count(*) as tried, has_sequence_privilege('startstop_fence', 'usage, update') as counts \
    from tried, added, startstop_leases where false";
