//! Where a file says that the lines of a process go.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::output::{Line, Output, Stream};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Log {
    Terminal,
    Json,
    Inherit,
    Null,
    File(Rotation),
}

/// A file, and when it becomes `FILE.1`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rotation {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) age: Option<Duration>,
    /// How many old ones there are.
    pub(super) keep: u32,
}

impl Log {
    pub(super) fn output(&self) -> Output {
        match self {
            Self::Terminal => Output::terminal(),
            Self::Inherit => Output::inherit(),
            Self::Null => Output::null(),
            Self::Json => Output::lines(|line| drop(writeln!(io::stdout(), "{}", json(&line)))),
            Self::File(rotation) => {
                let file = Mutex::new(Rotated { rotation: rotation.clone(), open: None });
                Output::lines(move |line| {
                    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Err(error) = file.write(&line.text) {
                        let path = file.rotation.path.display().to_string();
                        drop(writeln!(io::stderr(), "{path}: {error}: {}", line.text));
                    }
                })
            }
        }
    }
}

struct Rotated {
    rotation: Rotation,
    open: Option<Open>,
}

struct Open {
    file: File,
    size: u64,
    since: Instant,
}

impl Rotated {
    fn write(&mut self, text: &str) -> io::Result<()> {
        let Rotation { path, size, age, keep } = self.rotation.clone();
        let is_over =
            |open: &Open| open.size >= size || age.is_some_and(|age| open.since.elapsed() >= age);
        if self.open.as_ref().is_some_and(is_over) {
            self.open = None;
            rotate(&path, keep)?;
        }
        let open = match &mut self.open {
            Some(open) => open,
            None => self.open.insert(open(&path)?),
        };
        open.size += text.len() as u64 + 1;
        // At once: two writers of one file do not mix within a line.
        open.file.write_all(format!("{text}\n").as_bytes())
    }
}

fn open(path: &Path) -> io::Result<Open> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let size = file.metadata()?.len();
    Ok(Open { file, size, since: Instant::now() })
}

fn rotate(path: &Path, keep: u32) -> io::Result<()> {
    let numbered = |n: u32| PathBuf::from(format!("{}.{n}", path.display()));
    if keep == 0 {
        return fs::remove_file(path);
    }
    for n in (1..keep).rev() {
        if numbered(n).exists() {
            fs::rename(numbered(n), numbered(n + 1))?;
        }
    }
    fs::rename(path, numbered(1))
}

fn json(line: &Line) -> String {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let stream = match line.stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    let (name, text) = (quoted(&line.name), quoted(&line.text));
    format!(r#"{{"time":{time:.3},"process":{name},"stream":"{stream}","line":{text}}}"#)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted += "\\n",
            '\t' => quoted += "\\t",
            c if c < ' ' => quoted.extend(["\\u00", &format!("{:02x}", u32::from(c))]),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn text_is_quoted_as_json_has_it() {
        assert_eq!(quoted("a \"b\" \\ \t\u{1b}ä"), r#""a \"b\" \\ \t\u001bä""#);
    }
}
