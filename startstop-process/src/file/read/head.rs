//! The part of a TOML file that is about all processes.

use std::fs;

use toml::de::DeTable;

use super::super::log::Log;
use super::super::spec::{Control, Head};
use super::sinks::log;
use super::{FileReader, Value};

const KEYS: [&str; 5] = ["name", "admin", "control", "log", "process"];

impl FileReader {
    pub(super) fn head(&mut self, table: &DeTable<'_>) -> Head {
        self.known(table, &KEYS);
        let usual = Head::default();
        let control = self.get(table, "control", Self::control);
        let admin = self.get(table, "admin", Self::addr);
        if let (Some(value), None) = (table.get("control"), table.get("admin")) {
            self.wrong(value.span().start, "control needs the port of an `admin`");
        }
        Head {
            name: self.get(table, "name", Self::name).unwrap_or(usual.name),
            admin,
            control,
            log: self.get(table, "log", log).unwrap_or(Log::Terminal),
        }
    }

    fn name(&mut self, value: &Value<'_>) -> Option<String> {
        let name = self.string(value)?;
        self.named(value.span().start, &name);
        Some(name)
    }

    fn control(&mut self, value: &Value<'_>) -> Option<Control> {
        let table = self.table(value, "a table like { token_file = \"/etc/app.token\" }")?;
        self.known(table, &["token", "token_file", "hosts"]);
        let hosts = self.get(table, "hosts", Self::strings).unwrap_or_default();
        let token = self.get(table, "token", Self::string);
        let read = self.get(table, "token_file", Self::token);
        if table.contains_key("token") == table.contains_key("token_file") {
            self.wrong(value.span().start, "one of token, token_file is accepted");
        }
        let token = token.or(read)?;
        if token.is_empty() {
            self.wrong(value.span().start, "a token is not empty");
        }
        Some(Control { token, hosts })
    }

    fn token(&mut self, value: &Value<'_>) -> Option<String> {
        let path = self.string(value)?;
        match fs::read_to_string(&path) {
            Ok(text) => Some(text.trim().to_owned()),
            Err(error) => {
                self.wrong(
                    value.span().start,
                    format!("{path} cannot be read: {error}"),
                );
                None
            }
        }
    }
}
