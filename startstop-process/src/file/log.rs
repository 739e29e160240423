//! Destinations of the lines of a process, as a file says them.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use super::rotated::{Rotated, Rotation};
use crate::output::{Line, Output, Stream};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Log {
    Terminal,
    Json,
    Inherit,
    Null,
    File(Rotation),
}

impl Log {
    pub(crate) fn output(&self) -> Output {
        match self {
            Self::Terminal => Output::terminal(),
            Self::Inherit => Output::inherit(),
            Self::Null => Output::null(),
            Self::Json => Output::lines(|line| {
                // One write, so that lines of two processes do not mix. Errors are ignored: there may be no reader.
                drop(io::stdout().write_all(json(&line).as_bytes()));
            }),
            Self::File(rotation) => {
                let file = Rotated::of(rotation);
                Output::lines(move |line| file.write(&line.text))
            }
        }
    }
}

fn json(line: &Line) -> String {
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs_f64();
    let stream = match line.stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    let (name, text) = (quoted(&line.name), quoted(&line.text));
    format!(
        r#"{{"time":{time:.3},"process":{name},"stream":"{stream}","line":{text}}}{end}"#,
        end = "\n"
    )
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
