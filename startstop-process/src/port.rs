//! The process that listens on a TCP address of this machine.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::proc_fs;

/// The sockets that listen on an address, by what their descriptors link to.
pub(crate) type Sockets = BTreeSet<String>;

/// Returns the sockets that take what connects to `addr`.
pub(crate) fn listening(addr: &str) -> Sockets {
    let Some((hosts, port)) = split(addr) else {
        return Sockets::new();
    };
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    let lines = tables.iter().flatten().flat_map(|table| table.lines());
    let found = lines.filter_map(Listener::parse);
    found
        .filter(|found| found.port == port && found.takes(&hosts))
        .map(|found| found.link)
        .collect()
}

/// Returns the name and the id of the process that holds one of these sockets, unless it belongs to the
/// process group `except`.
pub(crate) fn holder(sockets: &Sockets, except: Option<u32>) -> Option<String> {
    if sockets.is_empty() {
        return None;
    }
    let pid = proc_fs::numbers("/proc").find(|pid| holds(*pid, sockets))?;
    if except.is_some() && proc_fs::Stat::of(pid).map(|stat| stat.group) == except {
        return None;
    }
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(format!("{} (pid {pid})", name.trim_end()))
}

fn holds(pid: u32, sockets: &Sockets) -> bool {
    let links = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    let mut targets = links.filter_map(|link| fs::read_link(link.path()).ok());
    targets.any(|target| {
        target
            .to_str()
            .is_some_and(|target| sockets.contains(target))
    })
}

/// Returns the addresses of a host, none for a name that only a resolver knows, and the port. What connects to
/// the address of all hosts reaches this one.
fn split(addr: &str) -> Option<(Vec<IpAddr>, u16)> {
    let (host, port) = addr.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let hosts = match host.parse::<IpAddr>() {
        Ok(ip) if ip.is_unspecified() => loopback.into(),
        Ok(ip) => vec![ip],
        Err(_) if host == "localhost" => loopback.into(),
        Err(_) => Vec::new(),
    };
    Some((hosts, port.parse().ok()?))
}

#[derive(Debug, PartialEq, Eq)]
struct Listener {
    ip: IpAddr,
    port: u16,
    link: String,
}

impl Listener {
    /// `sl local_address rem_address st … inode`, in hexadecimal, `0A` for a listener.
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (ip, port) = fields.get(1)?.split_once(':')?;
        if *fields.get(3)? != "0A" {
            return None;
        }
        let port = u16::from_str_radix(port, 16).ok()?;
        Some(Self {
            ip: ip_of(ip)?,
            port,
            link: format!("socket:[{}]", fields.get(9)?),
        })
    }

    fn takes(&self, hosts: &[IpAddr]) -> bool {
        hosts.is_empty() || self.ip.is_unspecified() || hosts.contains(&self.ip)
    }
}

/// Words of 32 bits, each in the order of this machine.
fn ip_of(hex: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        u32::from_str_radix(hex.get(at..at + 8)?, 16)
            .ok()
            .map(u32::to_ne_bytes)
    };
    if hex.len() == 8 {
        return Some(Ipv4Addr::from(word(0)?).into());
    }
    let words = [word(0)?, word(8)?, word(16)?, word(24)?];
    let bytes: Vec<u8> = words.concat();
    let ip = Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?);
    Some(ip.to_ipv4_mapped().map_or(ip.into(), IpAddr::from))
}

#[cfg(test)]
mod tests {
    use super::{Listener, split};

    #[test]
    fn a_line_of_the_table_is_a_listener_with_its_address() {
        let line = "0: 0100007F:18F6 00000000:0000 0A 00000000:00000000 00:00 0 0 0 4711 1";
        let found = Listener::parse(line).unwrap();
        let expected = Listener {
            ip: "127.0.0.1".parse().unwrap(),
            port: 6390,
            link: "socket:[4711]".to_owned(),
        };
        assert_eq!(found, expected);
        assert!(Listener::parse(&line.replace(" 0A ", " 01 ")).is_none());
        let (hosts, port) = split("127.0.0.2:6390").unwrap();
        assert!(found.port == port && !found.takes(&hosts));
        assert!(!found.takes(&split("[::1]:6390").unwrap().0));
        for host in ["localhost", "0.0.0.0", "[::]", "name.of.another"] {
            let (hosts, _) = split(&format!("{host}:6390")).unwrap();
            assert!(found.takes(&hosts), "{host}");
        }
        let six = format!(
            "0: {}01000000:18F6 0:0 0A 0:0 00:0 0 0 0 12 1",
            "0".repeat(24)
        );
        let found = Listener::parse(&six).unwrap();
        assert!(found.takes(&split("localhost:6390").unwrap().0));
    }

    #[test]
    fn a_listener_on_all_addresses_takes_each() {
        let zero = "0".repeat(32);
        let line = format!("0: {zero}:0050 {zero}:0000 0A 0:0 00:0 0 0 0 12 1");
        let found = Listener::parse(&line).unwrap();
        assert!(found.takes(&split("127.0.0.1:80").unwrap().0));
        assert!(found.takes(&split("[::1]:80").unwrap().0));
    }
}
