//! Source files, as text.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A file, with its path from the root of the repository.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    pub(super) fn read(path: &str) -> Self {
        let text = fs::read_to_string(root().join(path));
        let text = text.unwrap_or_else(|error| panic!("{path}: {error}"));
        Self {
            path: path.to_owned(),
            text,
        }
    }

    /// The lines that are neither empty nor comments, with their numbers.
    pub(super) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().map(str::trim).zip(1..);
        lines
            .filter(|(line, _)| !line.is_empty() && !line.starts_with("//"))
            .map(|(l, n)| (n, l))
    }

    /// The documentation of each item: its section headings, and the first line of the item.
    pub(super) fn items(&self) -> Vec<(Vec<&str>, &str)> {
        let mut items = Vec::new();
        let (mut headings, mut in_code) = (Vec::new(), false);
        for line in self.text.lines().map(str::trim) {
            match line.strip_prefix("///").map(str::trim) {
                Some(doc) if doc.starts_with("```") => in_code = !in_code,
                Some(doc) if !in_code => headings.extend(doc.strip_prefix("# ")),
                Some(_) => {}
                None if line.starts_with("#[") => {}
                None => items.push((std::mem::take(&mut headings), line)),
            }
        }
        items
    }

    /// Its name, without folder and ending.
    pub(super) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.strip_suffix(".rs").unwrap_or(name)
    }

    /// The name of the top-level module that it belongs to.
    pub(super) fn module(&self, src: &str) -> &str {
        let path = self
            .path
            .strip_prefix(src)
            .expect("the file is below that folder");
        let path = path.trim_start_matches('/');
        path.split(['/', '.'])
            .next()
            .expect("a split has a first part")
    }

    /// The same with the module below it, if there is one: `room/module`.
    pub(super) fn place(&self, src: &str) -> String {
        let path = self
            .path
            .strip_prefix(src)
            .expect("the file is below that folder");
        let path = path.trim_matches('/').trim_end_matches(".rs");
        let room = ["models", "private"].contains(&self.module(src));
        path.split('/')
            .take(if room { 1 } else { 2 })
            .collect::<Vec<_>>()
            .join("/")
    }
}

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files below a folder, in order.
pub(super) fn files(folder: &str) -> Vec<File> {
    let mut found = Vec::new();
    collect(folder, &mut found);
    found.sort();
    found.iter().map(|path| File::read(path)).collect()
}

fn collect(folder: &str, found: &mut Vec<String>) {
    let entries = fs::read_dir(root().join(folder));
    for entry in entries.unwrap_or_else(|error| panic!("{folder}: {error}")) {
        let entry = entry.expect("the folder can be read");
        let name = entry
            .file_name()
            .into_string()
            .expect("names of files are text");
        let path = format!("{folder}/{name}");
        if entry.path().is_dir() {
            collect(&path, found);
        } else if entry.path().extension() == Some(OsStr::new("rs")) {
            found.push(path);
        }
    }
}
