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
            self.cut(&mut each);
            if part.ends_with(b"\n") {
                self.finish(&mut each);
            }
        }
    }

    /// Hands on pieces of what is too long for a line, and cuts no character in two.
    fn cut(&mut self, each: &mut impl FnMut(String)) {
        let ended = self.unfinished.ends_with(b"\n");
        while self.unfinished.len() > LONGEST + usize::from(ended) {
            let rest = self.unfinished.split_off(whole(&self.unfinished));
            each(String::from_utf8_lossy(&self.unfinished).into_owned());
            self.unfinished = rest;
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

/// Returns where the longest piece ends before a character.
fn whole(bytes: &[u8]) -> usize {
    let begins = |at: &usize| bytes[*at] & 0b1100_0000 != 0b1000_0000;
    let near = LONGEST - 3..=LONGEST;
    near.rev().find(begins).unwrap_or(LONGEST)
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
        assert_eq!(
            lines.iter().map(String::len).collect::<Vec<_>>(),
            [65_536, 54_464]
        );
    }

    #[test]
    fn no_piece_is_too_long_and_no_character_is_cut() {
        for shift in 0..4 {
            let text = "x".repeat(shift) + &"\u{20ac}\u{1f600}".repeat(30_000);
            let parts: Vec<_> = text
                .as_bytes()
                .chunks(16 * 1024)
                .chain([&b"\n"[..]])
                .collect();
            let lines = split(&parts);
            assert!(lines.iter().all(|line| line.len() <= 65_536));
            assert_eq!(lines.concat(), text);
        }
        let bytes = vec![0xbf; 70_000];
        assert_eq!(split(&[&bytes]).concat().chars().count(), 70_000);
        let line = [vec![b'x'; 65_536], b"\n".to_vec()].concat();
        assert_eq!(
            split(&[&line]).iter().map(String::len).collect::<Vec<_>>(),
            [65_536]
        );
    }
}
