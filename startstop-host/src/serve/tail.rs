//! The end of what a client has sent, by which a part of a further head is seen.

const LONGEST: usize = b"\r\n\r\n".len();

#[derive(Debug, Default)]
pub(super) struct Tail([u8; LONGEST]);

impl Tail {
    pub(super) fn remember(&mut self, bytes: &[u8]) {
        let new = bytes.len().min(LONGEST);
        self.0.rotate_left(new);
        self.0[LONGEST - new..].copy_from_slice(&bytes[bytes.len() - new..]);
    }

    pub(super) fn ends_a_head(&self) -> bool {
        self.0.ends_with(b"\n\r\n") || self.0.ends_with(b"\n\n")
    }
}
