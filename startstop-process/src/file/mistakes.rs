//! The mistakes in a file, all at once.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;

use super::lines::unmarked;

/// Why a file makes no processes. `Display` has a line for each mistake: `FILE:LINE:COLUMN: text`.
///
/// # Examples
///
/// ```
/// use startstop_process::{FileError, Processes};
///
/// let error = Processes::from_file("/no/such.toml").unwrap_err();
/// assert!(matches!(error, FileError::Read { .. }));
/// assert_eq!(error.to_string(), "/no/such.toml cannot be read");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// It has mistakes.
    #[error("{}", Lines(mistakes))]
    Mistakes {
        /// The file.
        path: PathBuf,
        /// All of them, in the order of the file.
        mistakes: Vec<Mistake>,
    },
}

/// One mistake in a file.
///
/// # Examples
///
/// ```
/// use startstop_process::{FileError, Processes};
///
/// # let path = std::env::temp_dir().join(format!("startstop-mistake-{}.toml", std::process::id()));
/// std::fs::write(&path, "[process.web]\nafter = ['db']\n").unwrap();
/// let Err(FileError::Mistakes { mistakes, .. }) = Processes::from_file(&path) else { panic!() };
/// assert_eq!((mistakes[0].line, mistakes[0].text.as_str()), (1, "`web` has no `command`"));
/// assert_eq!((mistakes[1].line, mistakes[1].column), (2, 10));
/// # std::fs::remove_file(path).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file: that which was read, or the `.env` beside it.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters, from 1.
    pub column: usize,
    /// The mistake, then what is accepted.
    pub text: String,
}

impl Mistake {
    /// Returns the mistakes of one file, in its order.
    pub(super) fn all(path: &Path, text: &str, mut found: Found) -> Vec<Self> {
        found.sort();
        found.dedup();
        // Each begins to count where the last one is.
        let (mut line, mut begin, mut counted) = (1, 0, 0);
        let mistake = |(offset, what): (usize, String)| {
            let between = text.get(counted..offset).unwrap_or_default();
            line += between.matches('\n').count();
            begin = between.rfind('\n').map_or(begin, |at| counted + at + 1);
            counted = offset.max(counted);
            let before = text.get(begin..offset).unwrap_or_default();
            Self {
                path: path.to_owned(),
                line,
                column: unmarked(before).chars().count() + 1,
                text: what,
            }
        };
        found.into_iter().map(mistake).collect()
    }
}

/// Mistakes, each with its place in the text.
pub(super) type Found = Vec<(usize, String)>;

impl FileError {
    pub(super) fn mistakes(path: &Path, text: &str, found: Found) -> Self {
        Self::Mistakes {
            path: path.to_owned(),
            mistakes: Mistake::all(path, text, found),
        }
    }
}

/// Tells where a file is no text. What stands before it is not looked at: it may be no such file at all.
pub(super) fn no_utf8(path: &Path, error: &FromUtf8Error) -> FileError {
    let begin = error.utf8_error().valid_up_to();
    let text = String::from_utf8_lossy(&error.as_bytes()[..begin]);
    FileError::mistakes(path, &text, vec![(begin, "this is not UTF-8".to_owned())])
}

struct Lines<'a>(&'a [Mistake]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (
            n,
            Mistake {
                path,
                line,
                column,
                text,
            },
        ) in self.0.iter().enumerate()
        {
            let end = if n == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{line}:{column}: {text}", path.display())?;
        }
        Ok(())
    }
}

/// `; did you mean ...?` if a known word is near, and all of them otherwise.
pub(super) fn did_you_mean_one_of(word: &str, known: &[&str]) -> String {
    match did_you_mean(word, known.iter().copied()) {
        near if near.is_empty() => format!("; known are {}", known.join(", ")),
        near => near,
    }
}

/// `; did you mean ...?` if a known word is near.
pub(super) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), known));
    match near.min() {
        Some((distance, known)) if distance <= 1 + word.len() / 4 => {
            format!("; did you mean `{known}`?")
        }
        _ => String::new(),
    }
}
