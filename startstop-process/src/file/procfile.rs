//! A `Procfile`: `name: command` a line. They run in its folder, with what a `.env` beside it says.

use std::fs;
use std::io;
use std::path::Path;

use super::dotenv::{self, Vars};
use super::lines::lines;
use super::mistakes::{FileError, Found, Mistake, no_utf8};
use super::spec::{Document, Ends, Head, Spec};

/// The first port, unless a variable `PORT` says another one, and how far those of two entries are apart.
const PORT: u16 = 5000;
const APART: u16 = 100;

/// Words that only a shell knows, and `exec` does not find.
const OF_THE_SHELL: [&str; 18] = [
    "!", "{", ".", ":", "cd", "command", "eval", "exec", "exit", "export", "read", "set", "source",
    "trap", "ulimit", "umask", "unset", "wait",
];

/// Reads what is in the file at `path`, and the `.env` beside it.
pub(super) fn read(path: &Path, text: &str) -> Result<Document, FileError> {
    let (mut specs, found) = entries(text);
    let mut mistakes = Mistake::all(path, text, found);
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let env = folder.unwrap_or(Path::new("")).join(".env");
    let (vars, port) = variables(&env, &mut mistakes)?;
    if !mistakes.is_empty() {
        return Err(FileError::Mistakes {
            path: path.to_owned(),
            mistakes,
        });
    }
    let mut port = port.unwrap_or(PORT);
    for spec in &mut specs {
        spec.cwd = folder.map(|folder| folder.to_string_lossy().into_owned());
        spec.env.clone_from(&vars);
        spec.env.push(("PORT".to_owned(), port.to_string()));
        port = port.saturating_add(APART);
    }
    Ok(Document {
        head: Head::default(),
        specs,
    })
}

/// Returns the variables of a `.env`, if it is there, and the first port.
fn variables(path: &Path, mistakes: &mut Vec<Mistake>) -> Result<(Vars, Option<u16>), FileError> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|error| no_utf8(path, &error))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => {
            return Err(FileError::Read {
                path: path.to_owned(),
                source,
            });
        }
    };
    let (vars, found) = dotenv::read(&text);
    mistakes.extend(Mistake::all(path, &text, found));
    let port = vars.iter().rev().find(|(key, _)| key == "PORT");
    let port = port
        .map(|(_, port)| port.clone())
        .or_else(|| std::env::var("PORT").ok());
    Ok((vars, port.and_then(|port| port.parse().ok())))
}

fn entries(text: &str) -> (Vec<Spec>, Found) {
    let (mut specs, mut found): (Vec<Spec>, _) = (Vec::new(), Found::new());
    for (at, line) in lines(text) {
        match entry(line) {
            Err(what) => found.push((at, what)),
            Ok((name, _)) if specs.iter().any(|spec| spec.name == name) => {
                found.push((at, format!("there is a process `{name}` already")));
            }
            Ok((name, command)) => specs.push(spec(name, command)),
        }
    }
    if specs.is_empty() && found.is_empty() {
        found.push((
            0,
            "there is no process in it; a line is `name: command`".to_owned(),
        ));
    }
    (specs, found)
}

fn entry(line: &str) -> Result<(&str, &str), String> {
    let (name, command) = line.split_once(':').ok_or("a line is `name: command`")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(fits) {
        return Err(format!(
            "`{name}` is no name; it has letters, digits, `-` and `_`"
        ));
    }
    match command.trim() {
        "" => Err(format!("`{name}` has no command")),
        command => Ok((name, command)),
    }
}

fn spec(name: &str, command: &str) -> Spec {
    let script = if is_a_program(command) {
        format!("exec {command}")
    } else {
        command.to_owned()
    };
    let mut spec = Spec::new(name, ["sh".to_owned(), "-c".to_owned(), script].into());
    spec.ends = Ends::StopsAll;
    spec
}

/// Returns whether it is one program with its arguments, which may take the place of the shell.
fn is_a_program(command: &str) -> bool {
    let first = command.split_whitespace().next().unwrap_or_default();
    !command.contains(['|', '&', ';', '=', '(']) && !OF_THE_SHELL.contains(&first)
}
