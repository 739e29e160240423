//! The protocol of a handover, and the successor's end.
//!
//! The successor sends its version, a byte. The predecessor answers with its own at once, and then sends `WAIT` each second while
//! it serves another one: a successor that hears nothing for longer knows that nobody is awake there. When it is its turn, and
//! if the versions are the same, it gets `LIST`, the silence in microseconds after which the watchdog of the manager bites, eight
//! bytes, 0 for none, the number of listeners, two bytes, and for each of them a byte that bears the descriptor, the length
//! of its name, two bytes, and the name. Then the successor sends `WAIT` each second while it is alive, and `READY`, or dies. One
//! that is silent for too long is sent `GIVEN_UP`.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketType, recv, recvmsg, sendmsg,
};

use super::alive::{Alive, WAIT};
use crate::probes::Probes;

/// Listeners that are handed over, by name.
pub(super) type Named = Vec<(String, TcpListener)>;

pub(super) const VERSION: u8 = 1;
pub(super) const READY: u8 = b'R';
pub(super) const LIST: u8 = b'T';
pub(super) const GIVEN_UP: u8 = b'X';
const LISTENER: u8 = b'L';

/// How long the other one may be silent: it says something each second.
pub(super) const SILENCE: Duration = Duration::from_secs(5);

/// The program that is to be replaced, while it waits for us.
#[derive(Debug)]
pub(crate) struct Predecessor {
    stream: UnixStream,
    /// After how long a silence the watchdog of its manager bites: a command of the unit, such as `ExecReload=`, is not told
    /// (systemd 252).
    #[cfg_attr(not(feature = "notify"), allow(dead_code))]
    pub(super) watchdog: Option<Duration>,
    alive: Alive,
}

impl Predecessor {
    /// Asks who listens there for its listeners; `None` if nobody does.
    pub(super) fn ask(path: &Path) -> io::Result<Option<(Self, Named)>> {
        let stream = match connect(path) {
            Err(error) if is_nobody(&error) => return Ok(None),
            connected => connected.map_err(frozen)?,
        };
        check_user(&stream)?;
        let (watchdog, listeners) = take(&stream).map_err(frozen)?;
        let alive = Alive::tell(stream.try_clone()?)?;
        let predecessor = Self {
            stream,
            watchdog,
            alive,
        };
        Ok(Some((predecessor, listeners)))
    }

    /// From now on we count as alive only while these say so.
    pub(super) fn watch(&self, probes: &Probes) {
        self.alive.watch(probes);
    }

    /// Returns whether the manager has both in one unit, which is a control group; where that is not known, it has.
    #[cfg(feature = "notify")]
    pub(super) fn is_of_our_unit(&self) -> bool {
        #[cfg(target_os = "linux")]
        if let Ok(peer) = rustix::net::sockopt::socket_peercred(&self.stream) {
            let group = |process: &str| std::fs::read(format!("/proc/{process}/cgroup"));
            let groups = (group("self"), group(&peer.pid.as_raw_nonzero().to_string()));
            return !matches!(groups, (Ok(ours), Ok(its)) if ours != its);
        }
        true
    }

    /// Returns its end of the connection, for a task.
    pub(super) fn stream(&self) -> io::Result<tokio::net::UnixStream> {
        let stream = self.stream.try_clone()?;
        stream.set_nonblocking(true)?;
        tokio::net::UnixStream::from_std(stream)
    }

    /// Returns whether it has given this program up, as far as the system knows: a runtime that wakes may not know it yet.
    pub(super) fn has_given_up(&self) -> bool {
        let mut byte = [0];
        while let Ok((1.., _)) = recv(&self.stream, &mut byte, RecvFlags::DONTWAIT) {
            if byte == [GIVEN_UP] {
                return true;
            }
        }
        false
    }

    /// Tells it that it is replaced. One that has ended by itself need not know.
    pub(super) fn tell_ready(mut self) {
        drop(self.stream.write_all(&[READY]));
    }
}

/// Connects, with a limit for that and for each answer: one that is frozen has a queue, in which one would wait for ever.
fn connect(path: &Path) -> io::Result<UnixStream> {
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
    for direction in [Timeout::Send, Timeout::Recv] {
        set_socket_timeout(&socket, direction, Some(SILENCE))?;
    }
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(UnixStream::from(socket))
}

/// Takes what the predecessor hands over, when it is our turn.
fn take(mut stream: &UnixStream) -> io::Result<(Option<Duration>, Named)> {
    stream.write_all(&[VERSION])?;
    let [version] = bytes(stream)?;
    if version != VERSION {
        return Err(other_version("the program there", version));
    }
    loop {
        match bytes(stream)? {
            [WAIT] => {}
            [LIST] => break,
            [other] => return Err(io::Error::other(format!("handover: it says {other}"))),
        }
    }
    let watchdog = u64::from_be_bytes(bytes(stream)?);
    let watchdog = Some(Duration::from_micros(watchdog)).filter(|silence| !silence.is_zero());
    let count = u16::from_be_bytes(bytes(stream)?);
    let listeners = (0..count)
        .map(|_| receive(stream))
        .collect::<io::Result<_>>()?;
    Ok((watchdog, listeners))
}

/// Turns an error of a read that took too long into one that names the silent predecessor.
fn frozen(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => io::Error::new(
            ErrorKind::TimedOut,
            format!(
                "handover: the program there has not answered within {SILENCE:?}: is it frozen?"
            ),
        ),
        _ => error,
    }
}

pub(super) fn other_version(who: &str, version: u8) -> io::Error {
    let message = format!(
        "handover: {who} speaks version {version}, this program version {VERSION}: stop the old one, and start the new one"
    );
    io::Error::new(ErrorKind::Unsupported, message)
}

/// Returns whether nobody listens: there is no socket, or one that was left behind.
fn is_nobody(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::ConnectionRefused
    )
}

/// The other end has gone in the middle of it.
pub(super) fn is_end(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

/// A socket in a directory that all can write to may be anybody's.
#[cfg(target_os = "linux")]
fn check_user(stream: &UnixStream) -> io::Result<()> {
    let (user, ours) = (
        rustix::net::sockopt::socket_peercred(stream)?.uid,
        rustix::process::geteuid(),
    );
    if user == ours || user.is_root() {
        return Ok(());
    }
    let message = format!("handover: the program there runs as user {}", user.as_raw());
    Err(io::Error::new(ErrorKind::PermissionDenied, message))
}

#[cfg(not(target_os = "linux"))]
fn check_user(_stream: &UnixStream) -> io::Result<()> {
    Ok(())
}

fn bytes<const N: usize>(mut stream: &UnixStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn receive(mut stream: &UnixStream) -> io::Result<(String, TcpListener)> {
    let fd = descriptor(stream)?;
    let mut name = vec![0; u16::from_be_bytes(bytes(stream)?).into()];
    stream.read_exact(&mut name)?;
    let name = String::from_utf8(name).map_err(io::Error::other)?;
    Ok((name, TcpListener::from(fd)))
}

fn descriptor(stream: &UnixStream) -> io::Result<OwnedFd> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let got = recvmsg(
        stream,
        &mut [IoSliceMut::new(&mut byte)],
        &mut control,
        flags(),
    )?;
    if got.bytes == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let fds = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    let fd = fds.ok_or_else(|| io::Error::other("handover: a listener has not come along"))?;
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    Ok(fd)
}

/// Closed in child processes from the beginning, where the system can.
fn flags() -> RecvFlags {
    #[cfg(target_os = "linux")]
    return RecvFlags::CMSG_CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    RecvFlags::empty()
}

/// Sends a listener under its name, in one piece.
pub(super) fn send(stream: impl AsFd, name: &str, listener: &TcpListener) -> io::Result<()> {
    let length = u16::try_from(name.len()).map_err(|_| ErrorKind::InvalidInput)?;
    let fds = [listener.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    let mut message = vec![LISTENER];
    message.extend(length.to_be_bytes());
    message.extend(name.as_bytes());
    let sent = sendmsg(
        stream,
        &[IoSlice::new(&message)],
        &mut control,
        SendFlags::empty(),
    )?;
    if sent == message.len() {
        Ok(())
    } else {
        Err(ErrorKind::WriteZero.into())
    }
}
