//! Bytes into lines.

/// A longer line comes in pieces.
const LONGEST: usize = 64 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Splitter {
    unfinished: Vec<u8>,
}

impl Splitter {
    pub(crate) fn push(&mut self, bytes: &[u8], mut each: impl FnMut(String)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.unfinished.extend_from_slice(part);
            if part.ends_with(b"\n") || self.unfinished.len() >= LONGEST {
                self.finish(&mut each);
            }
        }
    }

    /// Hands on what has no end yet.
    pub(crate) fn finish(&mut self, mut each: impl FnMut(String)) {
        if self.unfinished.is_empty() {
            return;
        }
        let line = self
            .unfinished
            .strip_suffix(b"\n")
            .unwrap_or(&self.unfinished);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        each(String::from_utf8_lossy(line).into_owned());
        self.unfinished.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Splitter;

    fn split(parts: &[&[u8]]) -> Vec<String> {
        let (mut splitter, mut lines) = (Splitter::default(), Vec::new());
        for part in parts {
            splitter.push(part, |line| lines.push(line));
        }
        splitter.finish(|line| lines.push(line));
        lines
    }

    #[test]
    fn lines_are_put_together_and_the_last_needs_no_end() {
        assert_eq!(split(&[b"a", b"b\n\nc\r\nd"]), ["ab", "", "c", "d"]);
        assert_eq!(split(&[b"a\n"]), ["a"]);
    }

    #[test]
    fn a_line_without_an_end_comes_in_pieces() {
        let piece = vec![b'x'; 40_000];
        let lines = split(&[&piece, &piece, &piece]);
        assert_eq!(lines.iter().map(String::len).sum::<usize>(), 120_000);
        assert_eq!(lines.len(), 2);
    }
}
