//! The settings of the admin port of a program.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::{io, sync::Arc};

use super::control::Control;
use super::server::AdminServer;
use super::{AdminShared, routes};
use crate::probes::Probes;

/// The settings of the admin port of a program.
#[derive(Default)]
pub(crate) struct AdminSettings {
    place: Option<AdminPlace>,
    token: Option<String>,
    hosts: Vec<String>,
}

/// The place to listen at.
enum AdminPlace {
    At(String),
    On(TcpListener),
}

impl AdminSettings {
    pub(crate) fn at(&mut self, addr: String) {
        self.place = Some(AdminPlace::At(addr));
    }

    pub(crate) fn on(&mut self, listener: TcpListener) {
        self.place = Some(AdminPlace::On(listener));
    }

    pub(crate) fn allow_control(&mut self, token: String) {
        self.token = Some(token);
    }

    pub(crate) fn allow_host(&mut self, name: String) {
        self.hosts.push(name);
    }

    /// Returns the part that serves, its port bound, or why it cannot; `None` if nobody has asked for it.
    pub(crate) fn part(&self, probes: &Probes) -> Result<Option<AdminServer>, String> {
        if let Some(token) = &self.token {
            check(token)?;
        }
        let Some(place) = &self.place else {
            return Ok(None);
        };
        let listener = match place {
            AdminPlace::At(addr) => bind(addr).map_err(|error| cannot("listen on", addr, error))?,
            AdminPlace::On(listener) => listener
                .try_clone()
                .map_err(|error| cannot("share", "the listener of the admin port", error))?,
        };
        let control = Control::new(self.token.as_deref(), &self.hosts);
        let routes = routes(AdminShared::new(probes.clone(), control));
        Ok(Some(AdminServer::new(Arc::new(listener), routes)))
    }
}

fn cannot(what: &str, name: &str, error: impl Display) -> String {
    format!("admin: cannot {what} {name}: {error}")
}

/// A token that a header can carry, and that is one.
fn check(token: &str) -> Result<(), String> {
    let fits = token.bytes().all(|byte| byte.is_ascii_graphic());
    match token {
        "" => Err("admin: the token of `allow_control` is empty".to_owned()),
        _ if fits => Ok(()),
        _ => Err(
            "admin: the token of `allow_control` has a character in it that is no visible ASCII"
                .into(),
        ),
    }
}

/// Listens on an address, or on a port alone, which is one of loopback.
fn bind(addr: &str) -> io::Result<TcpListener> {
    match addr.strip_prefix(':').unwrap_or(addr).parse::<u16>() {
        Ok(port) => TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))),
        Err(_) => TcpListener::bind(&*addr.to_socket_addrs()?.collect::<Vec<_>>()),
    }
}
