//! Destinations of lines in a TOML file.

use super::super::log::Log;
use super::super::mistakes::did_you_mean_one_of;
use super::super::rotated::Rotation;
use super::{FileReader, Value};

const LOGS: [&str; 4] = ["terminal", "json", "inherit", "null"];

pub(super) fn log(reader: &mut FileReader, value: &Value<'_>) -> Option<Log> {
    if let Some(text) = value.get_ref().as_str() {
        return match text {
            "terminal" => Some(Log::Terminal),
            "json" => Some(Log::Json),
            "inherit" => Some(Log::Inherit),
            "null" => Some(Log::Null),
            _ => {
                let near = did_you_mean_one_of(text, &LOGS);
                reader.wrong(value.span().start, format!("unknown log `{text}`{near}"));
                None
            }
        };
    }
    let table = reader.table(
        value,
        "a log, or { file = \"app.log\", size = \"10MB\", keep = 5 }",
    )?;
    reader.known(table, &["file", "size", "age", "keep"]);
    let path = reader.get(table, "file", FileReader::text);
    let size = reader
        .get(table, "size", FileReader::room)
        .unwrap_or(50 << 20);
    let age = reader.get(table, "age", FileReader::time);
    let keep = reader.get(table, "keep", FileReader::number).unwrap_or(5);
    if path.is_none() {
        reader.wrong(value.span().start, "a log of this kind has a `file`");
    }
    Some(Log::File(Rotation {
        path: path?.into(),
        size,
        age,
        keep,
    }))
}
