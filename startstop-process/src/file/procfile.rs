//! A `Procfile`: `name: command` a line.

use super::mistakes::Found;
use super::spec::{Document, Ends, Head, Spec};

/// The first port, and how far those of two entries are apart.
const PORT: usize = 5000;
const APART: usize = 100;

pub(super) fn read(text: &str) -> Result<Document, Found> {
    let (mut specs, mut found, mut offset): (Vec<Spec>, _, _) = (Vec::new(), Found::new(), 0);
    for line in text.split_inclusive('\n') {
        let at = offset + (line.len() - line.trim_start().len());
        offset += line.len();
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match entry(line) {
            Err(what) => found.push((at, what)),
            Ok((name, _)) if specs.iter().any(|spec| spec.name == name) => {
                found.push((at, format!("there is a process `{name}` already")));
            }
            Ok((name, command)) => specs.push(spec(name, command, specs.len())),
        }
    }
    if specs.is_empty() && found.is_empty() {
        found.push((0, "there is no process in it; a line is `name: command`".to_owned()));
    }
    if found.is_empty() { Ok(Document { head: Head::default(), specs }) } else { Err(found) }
}

fn entry(line: &str) -> Result<(&str, &str), String> {
    let (name, command) = line.split_once(':').ok_or("a line is `name: command`")?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(fits) {
        return Err(format!("`{name}` is no name; it has letters, digits, `-` and `_`"));
    }
    match command.trim() {
        "" => Err(format!("`{name}` has no command")),
        command => Ok((name, command)),
    }
}

fn spec(name: &str, command: &str, at: usize) -> Spec {
    let mut spec =
        Spec::new(name, ["sh", "-c", &format!("exec {command}")].map(str::to_owned).into());
    if command.contains(['|', '&', ';', '=', '(']) {
        command.clone_into(&mut spec.command[2]);
    }
    spec.env.push(("PORT".to_owned(), (PORT + APART * at).to_string()));
    spec.ends = Ends::StopsAll;
    spec
}
