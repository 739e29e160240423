//! What goes over the wire, and the successor's end of it.
//!
//! The successor sends its version, a byte. The predecessor answers with its own, and if they are the same, with the number of
//! listeners, two bytes, and for each of them a byte that bears the descriptor, the length of its name, two bytes, and
//! the name. Then the successor sends `READY`, or dies.

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// What is handed over, by name.
type Listeners = Vec<(String, TcpListener)>;

pub(super) const VERSION: u8 = 1;
pub(super) const READY: u8 = b'R';
const LISTENER: u8 = b'L';

/// The program that is to be replaced, while it waits for us.
#[derive(Debug)]
pub(crate) struct Predecessor {
    stream: UnixStream,
}

impl Predecessor {
    /// Asks who listens there for its listeners; `None` if nobody does.
    pub(super) fn ask(path: &Path) -> io::Result<Option<(Self, Listeners)>> {
        let mut stream = match UnixStream::connect(path) {
            Err(error) if is_nobody(&error) => return Ok(None),
            connected => connected?,
        };
        check_user(&stream)?;
        stream.write_all(&[VERSION])?;
        let [version] = bytes(&mut stream)?;
        if version != VERSION {
            return Err(other_version("the program there", version));
        }
        let count = u16::from_be_bytes(bytes(&mut stream)?);
        let listeners = (0..count).map(|_| receive(&mut stream)).collect::<io::Result<_>>()?;
        Ok(Some((Self { stream }, listeners)))
    }

    /// Tells it that it is replaced. One that has ended by itself need not know.
    pub(super) fn tell_ready(mut self) {
        drop(self.stream.write_all(&[READY]));
    }
}

pub(super) fn other_version(who: &str, version: u8) -> io::Error {
    let message = format!(
        "handover: {who} speaks version {version}, this program version {VERSION}: stop the old one, and start the new one"
    );
    io::Error::new(ErrorKind::Unsupported, message)
}

/// Nobody listens: there is no socket, or one that was left behind.
fn is_nobody(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused)
}

/// The other end has gone in the middle of it.
pub(super) fn is_end(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof)
}

/// A socket in a directory that all can write to may be anybody's.
#[cfg(target_os = "linux")]
fn check_user(stream: &UnixStream) -> io::Result<()> {
    let (user, ours) =
        (rustix::net::sockopt::socket_peercred(stream)?.uid, rustix::process::geteuid());
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

fn bytes<const N: usize>(stream: &mut UnixStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn receive(stream: &mut UnixStream) -> io::Result<(String, TcpListener)> {
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
    let got = recvmsg(stream, &mut [IoSliceMut::new(&mut byte)], &mut control, flags())?;
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
    let sent = sendmsg(stream, &[IoSlice::new(&message)], &mut control, SendFlags::empty())?;
    if sent == message.len() { Ok(()) } else { Err(ErrorKind::WriteZero.into()) }
}
