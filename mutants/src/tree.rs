//! The copy of the project that is changed and built.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::list::Mutant;
use crate::rewrite;
use crate::sites::Places;

const SOURCES: &str = "startstop-core/src/";
const CORE: &str = "startstop-core/src/lib.rs";

/// What is added to the core.
const SWITCHES: &str = include_str!("../switches.rs");

pub(crate) struct Tree {
    folder: PathBuf,
    target: PathBuf,
    texts: HashMap<String, String>,
}

impl Tree {
    /// Copies what is under version control.
    pub(crate) fn copy(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let listed = Command::new("git").args(["ls-files", "-z"]).output()?;
        let (folder, target) = (folder.join("tree"), folder.join("target"));
        let mut texts = HashMap::new();
        for path in String::from_utf8(listed.stdout)?.split_terminator('\0') {
            let Ok(text) = fs::read_to_string(path) else {
                continue;
            };
            store(&folder.join(path), &text)?;
            texts.insert(path.to_owned(), text);
        }
        Ok(Self {
            folder: folder.canonicalize()?,
            target: std::path::absolute(target)?,
            texts,
        })
    }

    /// A file as it is under version control.
    pub(crate) fn text(&self, path: &str) -> &str {
        &self.texts[path]
    }

    /// Puts the mistakes into the core, but for those that do not compile; these are told.
    pub(crate) fn make(&self, places: &Places) -> Result<Vec<usize>, Box<dyn Error>> {
        let mut places = places.clone();
        let mut unviable = Vec::new();
        loop {
            let changed: HashMap<&str, String> = places
                .iter()
                .map(|(file, places)| {
                    (&**file, rewrite::rewritten(self.text(file), places.clone()))
                })
                .collect();
            let library = changed
                .get(CORE)
                .map_or_else(|| self.text(CORE), String::as_str);
            store(&self.folder.join(CORE), &format!("{library}\n{SWITCHES}"))?;
            for (file, text) in &changed {
                if *file != CORE {
                    store(&self.folder.join(file), text)?;
                }
            }
            let mut broken = self.broken(&changed)?;
            if broken.is_empty() {
                return Ok(unviable);
            }
            for place in places.values_mut().flatten() {
                place.alternatives.retain(|(id, _)| !broken.contains(id));
            }
            for places in places.values_mut() {
                places.retain(|place| !place.alternatives.is_empty());
            }
            eprintln!("{} do not compile", broken.len());
            unviable.append(&mut broken);
        }
    }

    /// The mistakes that the compiler complains of.
    fn broken(&self, changed: &HashMap<&str, String>) -> Result<Vec<usize>, Box<dyn Error>> {
        let messages = self.cargo(&["check", "--package", "startstop-core", "--all-features"])?;
        let (mut broken, mut suspects) = (Vec::new(), Vec::new());
        let mut unexplained = String::new();
        for message in messages
            .into_iter()
            .filter_map(|message| message.diagnostic)
        {
            if message.level != "error" {
                continue;
            }
            for span in &message.spans {
                let Some(text) = changed.get(&*span.file_name) else {
                    continue;
                };
                broken.extend(rewrite::at(text, span.byte_start));
                suspects.extend(rewrite::returned_before(text, span.byte_start));
            }
            writeln!(unexplained, "{}", message.rendered)?;
        }
        if broken.is_empty() {
            broken.append(&mut suspects);
        }
        broken.sort_unstable();
        broken.dedup();
        if broken.is_empty() && !unexplained.is_empty() {
            return Err(format!("no mistake explains this:\n{unexplained}").into());
        }
        Ok(broken)
    }

    /// Puts one mistake into the core in place of all others, without a switch, and builds the tests, unless it does
    /// not compile.
    pub(crate) fn make_alone(&self, mutant: &Mutant) -> Result<bool, Box<dyn Error>> {
        for (path, text) in self
            .texts
            .iter()
            .filter(|(path, _)| path.starts_with(SOURCES))
        {
            if *path == mutant.file {
                store(
                    &self.folder.join(path),
                    &mutant.applied_to(text).ok_or(&*mutant.name)?,
                )?;
            } else {
                store(&self.folder.join(path), text)?;
            }
        }
        let failed = |message: Message| message.diagnostic.is_some_and(|d| d.level == "error");
        Ok(!self.build()?.into_iter().any(failed))
    }

    /// Builds the tests: the executables.
    pub(crate) fn tests(&self) -> Result<Vec<Executable>, Box<dyn Error>> {
        let artifacts = self
            .build()?
            .into_iter()
            .filter(|message| message.profile.as_ref().is_some_and(|profile| profile.test));
        let executables: Vec<_> = artifacts
            .filter_map(|message| {
                let package = Path::new(&message.manifest_path?).parent()?.to_owned();
                Some(Executable {
                    path: message.executable?,
                    package,
                })
            })
            .collect();
        if executables.is_empty() {
            Err("the tests do not compile".into())
        } else {
            Ok(executables)
        }
    }

    fn build(&self) -> Result<Vec<Message>, Box<dyn Error>> {
        let packages = ["--package", "startstop-core", "--package", "tests"];
        let tests = ["test", "--no-run", "--lib", "--bins", "--test", "startstop"];
        self.cargo(&[&tests[..], &packages[..]].concat())
    }

    fn cargo(&self, arguments: &[&str]) -> Result<Vec<Message>, Box<dyn Error>> {
        let output = Command::new("cargo")
            .args(arguments)
            .args(["--profile", "mutants", "--message-format=json"])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("RUSTFLAGS", "--cap-lints=allow")
            .stderr(Stdio::inherit())
            .output()?;
        let lines = output
            .stdout
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty());
        Ok(lines
            .map(serde_json::from_slice)
            .collect::<Result<_, _>>()?)
    }
}

/// Leaves a file that is as it should be, so that nothing is built for it.
fn store(path: &Path, text: &str) -> std::io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().expect("a file is in a folder"))?;
    fs::write(path, text)
}

/// A binary of tests.
pub(crate) struct Executable {
    pub(crate) path: PathBuf,
    /// The folder of its package, where cargo would run it.
    pub(crate) package: PathBuf,
}

/// What cargo says, as far as it is of interest.
#[derive(Deserialize)]
struct Message {
    #[serde(rename = "message")]
    diagnostic: Option<Diagnostic>,
    executable: Option<PathBuf>,
    manifest_path: Option<String>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: String,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    byte_start: usize,
}
