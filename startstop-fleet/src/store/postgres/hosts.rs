//! The hosts of a configuration, one by one, so that one that takes connections and never answers does not keep us from the others.

use std::net::{IpAddr, SocketAddr};

use tokio_postgres::Config;
use tokio_postgres::config::{Host, TargetSessionAttrs};

use crate::store::addresses;

/// Returns a configuration for each host, or that which it was if its hosts and ports do not fit together.
pub(super) fn each(config: &Config) -> Vec<Config> {
    let (hosts, addrs, ports) = (
        config.get_hosts(),
        config.get_hostaddrs(),
        config.get_ports(),
    );
    let count = hosts.len().max(addrs.len());
    let fits = |len| len <= 1 || len == count;
    let paired = hosts.is_empty() || addrs.is_empty() || hosts.len() == addrs.len();
    if count <= 1 || !paired || !fits(ports.len()) {
        return vec![config.clone()];
    }
    let port = |place| ports.get(place).or(ports.first()).copied();
    let one = |place| alone(config, hosts.get(place), addrs.get(place), port(place));
    let mut each: Vec<Config> = (0..count).map(one).collect();
    each.iter_mut().for_each(want_primary);
    each
}

/// Wants the primary, the only one of use among servers that follow each other.
fn want_primary(config: &mut Config) {
    if config.get_target_session_attrs() == TargetSessionAttrs::Any {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
}

/// Returns a configuration for each address of a host, or that which it was if there is nothing to choose.
pub(super) async fn addresses(config: &Config) -> Vec<Config> {
    let [Host::Tcp(name)] = config.get_hosts() else {
        return vec![config.clone()];
    };
    if !config.get_hostaddrs().is_empty() || name.parse::<IpAddr>().is_ok() {
        return vec![config.clone()];
    }
    let port = config.get_ports().first().copied();
    let found = addresses::sorted(name, port.unwrap_or_default()).await;
    if found.len() < 2 {
        return vec![config.clone()];
    }
    let host = config.get_hosts().first();
    let one = |found: &SocketAddr| alone(config, host, Some(&found.ip()), port);
    let mut each: Vec<Config> = found.iter().map(one).collect();
    each.iter_mut().for_each(want_primary);
    each
}

/// Returns the configuration with one host; there is no other way to take one away.
fn alone(config: &Config, host: Option<&Host>, addr: Option<&IpAddr>, port: Option<u16>) -> Config {
    let mut one = Config::new();
    match host {
        Some(Host::Tcp(name)) => drop(one.host(name)),
        #[cfg(unix)]
        Some(Host::Unix(path)) => drop(one.host_path(path)),
        None => {}
    }
    addr.map(|addr| one.hostaddr(*addr));
    port.map(|port| one.port(port));
    config.get_user().map(|user| one.user(user));
    config.get_password().map(|word| one.password(word));
    config.get_dbname().map(|name| one.dbname(name));
    config.get_options().map(|options| one.options(options));
    let application = config.get_application_name();
    application.map(|name| one.application_name(name));
    let limit = config.get_connect_timeout();
    limit.map(|limit| one.connect_timeout(*limit));
    let limit = config.get_tcp_user_timeout();
    limit.map(|limit| one.tcp_user_timeout(*limit));
    let interval = config.get_keepalives_interval();
    interval.map(|interval| one.keepalives_interval(interval));
    let retries = config.get_keepalives_retries();
    retries.map(|retries| one.keepalives_retries(retries));
    one.ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    one
}

#[cfg(test)]
mod tests {
    use tokio_postgres::Config;

    use super::{alone, each};

    fn config(text: &str) -> Config {
        text.parse().unwrap()
    }

    #[test]
    fn all_but_the_host_is_kept() {
        let text = "user=app password=secret dbname=shop options='-c a=b' application_name=invoices sslmode=require \
            sslnegotiation=direct connect_timeout=3 tcp_user_timeout=4 keepalives=0 keepalives_idle=5 keepalives_interval=6 \
            keepalives_retries=7 target_session_attrs=read-only channel_binding=require load_balance_hosts=random";
        let several = config(&format!(
            "{text} host=a,b hostaddr=10.0.0.1,10.0.0.2 port=1,2"
        ));
        let a = config(&format!("{text} host=a hostaddr=10.0.0.1 port=1"));
        let b = config(&format!("{text} host=b hostaddr=10.0.0.2 port=2"));
        assert!(each(&several) == [a.clone(), b]);
        let same = alone(
            &a,
            a.get_hosts().first(),
            a.get_hostaddrs().first(),
            Some(1),
        );
        assert!(same == a);
    }

    #[test]
    fn of_several_hosts_the_primary_is_looked_for() {
        let primary = |host| {
            config(&format!(
                "host={host} target_session_attrs=read-write port=7"
            ))
        };
        assert!(each(&config("host=a,b port=7")) == [primary("a"), primary("b")]);
        let sockets = each(&config("host=/run/a,/run/b port=7"));
        assert!(sockets == [primary("/run/a"), primary("/run/b")]);
        for same in [
            "host=a",
            "host=a,b port=1,2,3",
            "host=a,b hostaddr=10.0.0.1",
            "user=app",
        ] {
            assert!(each(&config(same)) == [config(same)], "{same}");
        }
    }
}
