//! A text that is awaited in what a child writes: a prompt has no line end, and a long line comes in pieces.

use tokio::sync::oneshot;

#[derive(Debug)]
pub(crate) struct Awaited {
    text: Vec<u8>,
    found: oneshot::Sender<()>,
    /// The ends of both streams, in which the text may begin.
    ends: [Vec<u8>; 2],
}

impl Awaited {
    /// Makes one that sends when it is found.
    pub(crate) fn new(text: &str) -> (Self, oneshot::Receiver<()>) {
        let (found, receiver) = oneshot::channel();
        let awaited = Self {
            text: text.into(),
            found,
            ends: [Vec::new(), Vec::new()],
        };
        (awaited, receiver)
    }

    /// Looks at what has been read of a stream. Returns itself as long as the text is not found.
    pub(super) fn look(mut self, stream: usize, bytes: &[u8]) -> Option<Self> {
        let (text, end) = (&self.text, &mut self.ends[stream]);
        end.extend_from_slice(bytes);
        if text.is_empty() || end.windows(text.len()).any(|part| part == text) {
            // Nobody waits for it any more where this fails.
            let _ = self.found.send(());
            return None;
        }
        end.drain(..end.len().saturating_sub(text.len() - 1));
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::Awaited;

    /// Looks at parts, each of which is of the stream before it.
    fn is_found(text: &str, parts: &[(usize, &str)]) -> bool {
        let (awaited, mut found) = Awaited::new(text);
        let mut awaited = Some(awaited);
        for (stream, part) in parts {
            awaited = awaited.and_then(|awaited| awaited.look(*stream, part.as_bytes()));
        }
        assert_eq!(awaited.is_none(), found.try_recv().is_ok());
        awaited.is_none()
    }

    #[test]
    fn it_is_found_wherever_it_is_cut_and_in_one_stream_only() {
        assert!(is_found("ready", &[(0, "not yet\nalready> ")]));
        let text = "it is ready";
        for at in 0..=text.len() {
            let (front, back) = text.split_at(at);
            assert!(
                is_found("ready", &[(0, front), (1, "x"), (0, back)]),
                "{at}"
            );
        }
        assert!(is_found(
            "ready",
            &text
                .split_inclusive("")
                .map(|part| (1, part))
                .collect::<Vec<_>>()
        ));
        assert!(!is_found("ready", &[(0, "rea"), (1, "dy")]));
        assert!(!is_found("ready", &[(0, "rea\ndy rread")]));
        assert!(is_found("", &[(0, ">")]));
    }
}
