//! The last lines of standard error, for errors.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

const LINES: usize = 20;
const BYTES: usize = 8 * 1024;

/// Clones see the same lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct TailHandle(Arc<Mutex<Tail>>);

impl TailHandle {
    pub(super) fn push(&self, line: &str) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .lines()
    }
}

#[derive(Debug, Default)]
struct Tail(VecDeque<String>);

impl Tail {
    fn push(&mut self, line: &str) {
        if self.0.len() == LINES {
            self.0.pop_front();
        }
        let mut end = line.len().min(BYTES);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        self.0.push_back(line[..end].to_owned());
    }

    fn lines(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{BYTES, Tail};

    #[test]
    fn a_tail_has_twenty_lines_of_at_most_8_kb() {
        let mut tail = Tail::default();
        for n in 0..30 {
            tail.push(&format!("{n}"));
        }
        tail.push(&"ä".repeat(BYTES));
        let lines = tail.lines();
        assert_eq!((lines.len(), lines[0].as_str()), (20, "11"));
        assert_eq!(lines[19].len(), BYTES);
    }
}
