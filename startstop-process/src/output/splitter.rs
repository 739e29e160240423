//! Bytes into lines, and the last of them.

use std::collections::VecDeque;

/// A longer line comes in pieces.
const LONGEST: usize = 64 * 1024;

/// What an error shows of standard error.
const TAIL_LINES: usize = 20;
const TAIL_BYTES: usize = 8 * 1024;

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
        let line = self.unfinished.strip_suffix(b"\n").unwrap_or(&self.unfinished);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        each(String::from_utf8_lossy(line).into_owned());
        self.unfinished.clear();
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tail(VecDeque<String>);

impl Tail {
    pub(crate) fn push(&mut self, line: &str) {
        if self.0.len() == TAIL_LINES {
            self.0.pop_front();
        }
        let mut end = line.len().min(TAIL_BYTES);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        self.0.push_back(line[..end].to_owned());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Splitter, TAIL_BYTES, Tail};

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

    #[test]
    fn a_tail_has_twenty_lines_of_at_most_8_kb() {
        let mut tail = Tail::default();
        for n in 0..30 {
            tail.push(&format!("{n}"));
        }
        tail.push(&"ä".repeat(TAIL_BYTES));
        let lines = tail.lines();
        assert_eq!((lines.len(), lines[0].as_str()), (20, "11"));
        assert_eq!(lines[19].len(), TAIL_BYTES);
    }
}
