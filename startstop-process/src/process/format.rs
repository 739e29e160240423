//! The formats of programs that the system can run.
//!
//! `execvp` and `sh` hand a file that the system refuses to a shell, and the plain call for a spawn does not. Which of them a child is
//! begun by depends on its settings, so such a file is refused before the others see it, as service managers do.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use rustix::io::Errno;

use super::Process;
use super::obstacle::{find_for, front_of};

/// Where the kernel shows the formats that were registered beside its own.
const REGISTERED: &str = "/proc/sys/fs/binfmt_misc";

/// Refuses the program of a command that has the settings of a process, if only a shell would run it and the system may not be the one
/// that is asked: a spawn with another user, group or `PATH` is by `execvp`.
pub(super) fn refuse_script_of(process: &Process, program: &OsStr) -> io::Result<()> {
    let has_path = process.env_clear || process.envs.iter().any(|(name, _)| name == "PATH");
    if process.uid.is_none() && process.gid.is_none() && !has_path {
        return Ok(());
    }
    find_for(process, program).map_or(Ok(()), |found| refuse_script(&found))
}

/// Refuses a program that only a shell would run.
pub(super) fn refuse_script(program: &Path) -> io::Result<()> {
    if may_run(program) {
        return Ok(());
    }
    Err(Errno::NOEXEC.into())
}

/// Returns whether the system may be able to run a file: it has to answer for what cannot be read, or is not known here.
fn may_run(path: &Path) -> bool {
    let Some(front) = front_of(path) else {
        return true;
    };
    if front.starts_with(b"\x7fELF") || front.starts_with(b"#!") {
        return true;
    }
    match registered() {
        Some(formats) => formats.iter().any(|format| format.takes(path, &front)),
        // A shell takes what is text.
        None => front.contains(&0),
    }
}

/// Returns the registered formats, unless they are not shown here, as in a container.
fn registered() -> Option<Vec<Format>> {
    let entries = fs::read_dir(REGISTERED).ok()?;
    let texts: Vec<String> = entries
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path()).ok())
        .collect();
    // There is always a `status`.
    (!texts.is_empty()).then(|| {
        texts
            .iter()
            .filter_map(|text| Format::parse(text))
            .collect()
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Format {
    /// The end of a name, behind a dot.
    Extension(String),
    Magic {
        offset: usize,
        magic: Vec<u8>,
        mask: Option<Vec<u8>>,
    },
}

impl Format {
    /// Reads what the kernel shows of one, unless it is disabled.
    fn parse(text: &str) -> Option<Self> {
        let value = |key: &str| {
            let mut values = text.lines().filter_map(|line| line.strip_prefix(key));
            values.next().map(str::trim)
        };
        value("interpreter ").filter(|_| text.starts_with("enabled"))?;
        if let Some(extension) = value("extension .") {
            return Some(Self::Extension(extension.to_owned()));
        }
        Some(Self::Magic {
            offset: value("offset ")?.parse().ok()?,
            magic: bytes(value("magic ")?)?,
            mask: value("mask ").and_then(bytes),
        })
    }

    fn takes(&self, path: &Path, front: &[u8]) -> bool {
        match self {
            Self::Extension(wanted) => path.extension().is_some_and(|end| *end == **wanted),
            Self::Magic {
                offset,
                magic,
                mask,
            } => {
                let masks = mask.iter().flatten().copied();
                let masks = masks.chain(std::iter::repeat(0xff));
                let there = front.get(*offset..*offset + magic.len());
                there.is_some_and(|there| {
                    let mut bytes = there.iter().zip(magic).zip(masks);
                    bytes.all(|((byte, magic), mask)| (byte ^ magic) & mask == 0)
                })
            }
        }
    }
}

/// Reads bytes as hexadecimal digits.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::{Format, Path};

    #[test]
    fn a_registered_format_is_known_by_the_end_of_a_name_or_by_its_magic() {
        let takes = |text: &str, name: &str, front: &[u8]| {
            Format::parse(text).is_some_and(|format| format.takes(Path::new(name), front))
        };
        let by_name = "enabled\ninterpreter /usr/bin/wine\nflags: \nextension .exe\n";
        assert!(takes(by_name, "/opt/setup.exe", b""));
        assert!(!takes(by_name, "/opt/exe", b""));
        let by_magic =
            "enabled\ninterpreter /usr/bin/qemu\nflags: OC\noffset 1\nmagic 0aff\nmask ff0f\n";
        assert!(takes(by_magic, "/opt/x", b"x\x0a\x3f"));
        assert!(!takes(by_magic, "/opt/x", b"x\x0a\x3e"));
        assert!(!takes(by_magic, "/opt/x", b"x\x0a"));
        let disabled = by_name.replace("enabled", "disabled");
        assert!(!takes(&disabled, "/opt/setup.exe", b""));
        assert_eq!(Format::parse("enabled\n"), None);
    }
}
