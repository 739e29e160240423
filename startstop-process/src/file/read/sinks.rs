//! Destinations of lines in a TOML file.

use super::super::log::Log;
use super::super::mistakes::did_you_mean_one_of;
use super::super::rotated::Rotation;
use super::{Reader, Value};

const LOGS: [&str; 4] = ["terminal", "json", "inherit", "null"];

impl Reader {
    pub(super) fn log(&mut self, value: &Value<'_>) -> Option<Log> {
        if let Some(text) = value.get_ref().as_str() {
            return match text {
                "terminal" => Some(Log::Terminal),
                "json" => Some(Log::Json),
                "inherit" => Some(Log::Inherit),
                "null" => Some(Log::Null),
                _ => {
                    let near = did_you_mean_one_of(text, &LOGS);
                    self.wrong(value.span().start, format!("unknown log `{text}`{near}"));
                    None
                }
            };
        }
        let table = self.table(
            value,
            "a log, or { file = \"app.log\", size = \"10MB\", keep = 5 }",
        )?;
        self.known(table, &["file", "size", "age", "keep"]);
        let path = self.get(table, "file", Self::text);
        let size = self.get(table, "size", Self::room).unwrap_or(50 << 20);
        let age = self.get(table, "age", Self::time);
        let keep = self.get(table, "keep", Self::number).unwrap_or(5);
        if path.is_none() {
            self.wrong(value.span().start, "a log of this kind has a `file`");
        }
        Some(Log::File(Rotation {
            path: path?.into(),
            size,
            age,
            keep,
        }))
    }
}
