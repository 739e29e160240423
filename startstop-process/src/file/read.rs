//! A TOML file: every mistake is collected, none hides another.

mod entry;
mod head;
mod sinks;

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistakes::{Found, did_you_mean, did_you_mean_one_of};
use super::order::circles;
use super::spec::{Document, Spec};
use super::{bytes, duration};

type Value<'t> = Spanned<DeValue<'t>>;

const NOTHING: &str = "there is no process in it; one is `[process.NAME]`";

pub(super) fn toml(text: &str) -> Result<Document, Found> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = FileReader {
        found: Found::new(),
    };
    for error in errors {
        reader.found.push((
            error.span().map_or(0, |span| span.start),
            error.message().to_owned(),
        ));
    }
    let document = reader.document(table.get_ref());
    if reader.found.is_empty() {
        Ok(document)
    } else {
        Err(reader.found)
    }
}

struct FileReader {
    found: Found,
}

impl FileReader {
    fn wrong(&mut self, at: usize, what: impl Into<String>) {
        self.found.push((at, what.into()));
    }

    fn document(&mut self, table: &DeTable<'_>) -> Document {
        let head = self.head(table);
        let mut entries: Vec<(usize, Spec)> = Vec::new();
        let mut of_entry = BTreeMap::new();
        match table.get("process") {
            None => self.wrong(0, NOTHING),
            Some(value) => {
                let table = self.table(value, "a table for each process");
                if table.is_some_and(DeTable::is_empty) {
                    self.wrong(0, NOTHING);
                }
                for (key, value) in table.into_iter().flatten() {
                    let (at, name) = (key.span().start, key.get_ref().to_string());
                    self.named(at, &name);
                    let specs = self.entry(&name, at, value, &head.log);
                    let names = specs.iter().map(|spec| spec.name.clone()).collect();
                    of_entry.insert(name, names);
                    entries.extend(specs.into_iter().map(|spec| (at, spec)));
                }
            }
        }
        entries.sort_by_key(|(at, _)| *at);
        self.distinct(&entries);
        self.edges(table);
        let specs = entries.into_iter().map(|(_, spec)| spec).collect();
        let specs = expanded(specs, &of_entry);
        Document { head, specs }
    }

    /// A name is a part of paths, and stands before lines.
    fn named(&mut self, at: usize, name: &str) {
        if name.is_empty() || name.contains('/') {
            self.wrong(at, "a name is not empty and has no `/`");
        }
        if name.contains(char::is_control) {
            self.wrong(at, "a name has no line end and no other control character");
        }
    }

    /// An instance is named after its entry and its number, as another entry may be.
    fn distinct(&mut self, entries: &[(usize, Spec)]) {
        let mut names = BTreeSet::new();
        for (at, spec) in entries {
            if !names.insert(&spec.name) {
                self.wrong(*at, format!("there is a process `{}` already", spec.name));
            }
        }
    }

    /// Looks whether all that is named in an `after` or a `bound_to` is there, without a circle.
    fn edges(&mut self, table: &DeTable<'_>) {
        let processes = table.get("process").map(Value::get_ref);
        let Some(processes) = processes.and_then(DeValue::as_table) else {
            return;
        };
        let places: BTreeMap<&str, usize> = processes
            .keys()
            .enumerate()
            .map(|(place, key)| (&**key.get_ref(), place))
            .collect();
        let place = |name: &Value<'_>| places.get(name.get_ref().as_str()?).copied();
        let edges: Vec<Vec<usize>> = processes
            .values()
            .map(|entry| needs(entry).filter_map(place).collect())
            .collect();
        let circle = circles(&edges);
        for (from, (key, entry)) in processes.iter().enumerate() {
            for named in needs(entry) {
                let (Some(name), at) = (named.get_ref().as_str(), named.span().start) else {
                    continue;
                };
                match places.get(name) {
                    None => {
                        let near = did_you_mean(name, places.keys().copied());
                        self.wrong(at, format!("there is no process `{name}`{near}"));
                    }
                    Some(to) if circle[*to] == circle[from] => {
                        let key = key.get_ref();
                        let text = format!("`{name}` is after `{key}` itself, in a circle");
                        self.wrong(at, text);
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// Tells of keys that mean nothing.
    fn known(&mut self, table: &DeTable<'_>, known: &[&str]) {
        for key in table
            .keys()
            .filter(|key| !known.contains(&&**key.get_ref()))
        {
            let near = did_you_mean_one_of(key.get_ref(), known);
            self.wrong(
                key.span().start,
                format!("unknown key `{}`{near}", key.get_ref()),
            );
        }
    }

    fn get<T>(
        &mut self,
        table: &DeTable<'_>,
        key: &str,
        read: impl FnOnce(&mut Self, &Value<'_>) -> Option<T>,
    ) -> Option<T> {
        read(self, table.get(key)?)
    }

    fn expected<T>(&mut self, value: &Value<'_>, what: &str) -> Option<T> {
        let kind = value.get_ref().type_str();
        self.wrong(
            value.span().start,
            format!("this is {} {kind}; accepted is {what}", article(kind)),
        );
        None
    }

    fn table<'v, 't>(&mut self, value: &'v Value<'t>, what: &str) -> Option<&'v DeTable<'t>> {
        match value.get_ref().as_table() {
            Some(table) => Some(table),
            None => self.expected(value, what),
        }
    }

    fn string(&mut self, value: &Value<'_>) -> Option<String> {
        match value.get_ref().as_str() {
            Some(text) if text.contains('\0') => {
                self.wrong(value.span().start, "a text for the system has no NUL");
                None
            }
            Some(text) => Some(text.to_owned()),
            None => self.expected(value, "a string"),
        }
    }

    /// A path, or what is looked for.
    fn text(&mut self, value: &Value<'_>) -> Option<String> {
        let text = self.string(value)?;
        if text.is_empty() {
            self.wrong(value.span().start, "this is empty");
        }
        Some(text)
    }

    fn strings(&mut self, value: &Value<'_>) -> Option<Vec<String>> {
        match value.get_ref().as_array() {
            Some(array) => {
                // Every item is read, so that all mistakes are told.
                let read: Vec<_> = array.iter().map(|item| self.string(item)).collect();
                read.into_iter().collect()
            }
            None => self.expected(value, "an array of strings"),
        }
    }

    fn boolean(&mut self, value: &Value<'_>) -> Option<bool> {
        match value.get_ref().as_bool() {
            Some(is) => Some(is),
            None => self.expected(value, "true or false"),
        }
    }

    fn number<N: TryFrom<i64>>(&mut self, value: &Value<'_>) -> Option<N> {
        let Some(integer) = value.get_ref().as_integer() else {
            return self.expected(value, "a whole number");
        };
        let parsed = i64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number = parsed.and_then(|number| N::try_from(number).ok());
        if number.is_none() {
            self.wrong(value.span().start, "this number is out of range");
        }
        number
    }

    fn within<N: TryFrom<i64> + PartialOrd>(
        &mut self,
        value: &Value<'_>,
        range: std::ops::RangeInclusive<N>,
    ) -> Option<N> {
        let number = self.number(value)?;
        if !range.contains(&number) {
            self.wrong(value.span().start, "this number is out of range");
        }
        Some(number)
    }

    fn duration(&mut self, value: &Value<'_>) -> Option<std::time::Duration> {
        let what = "a duration like \"250ms\", \"10s\", \"2m\" or \"1h\"";
        self.parsed(value, what, duration)
    }

    /// A duration in which something can happen.
    fn time(&mut self, value: &Value<'_>) -> Option<std::time::Duration> {
        let time = self.duration(value)?;
        self.some(value, time.is_zero().then_some("0s"));
        Some(time)
    }

    /// A number of bytes in which something fits.
    fn room(&mut self, value: &Value<'_>) -> Option<u64> {
        let room = self.bytes(value)?;
        self.some(value, (room == 0).then_some("0"));
        Some(room)
    }

    /// Tells of a value that is nothing.
    fn some(&mut self, value: &Value<'_>, nothing: Option<&str>) {
        if let Some(nothing) = nothing {
            let text =
                format!("`{nothing}` is nothing; accepted is more than that, or to leave it out");
            self.wrong(value.span().start, text);
        }
    }

    fn bytes(&mut self, value: &Value<'_>) -> Option<u64> {
        if value.get_ref().is_integer() {
            return self.number(value);
        }
        self.parsed(value, "a size like \"64KB\", \"10MB\" or \"2GB\"", bytes)
    }

    fn parsed<T>(
        &mut self,
        value: &Value<'_>,
        what: &str,
        parse: fn(&str) -> Option<T>,
    ) -> Option<T> {
        let Some(text) = value.get_ref().as_str() else {
            return self.expected(value, what);
        };
        let parsed = parse(text);
        if parsed.is_none() {
            self.wrong(value.span().start, format!("`{text}` is not {what}"));
        }
        parsed
    }
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with(['a', 'i', 'o']) {
        "an"
    } else {
        "a"
    }
}

/// Returns the names in the `after` and the `bound_to` of an entry.
fn needs<'v, 't>(entry: &'v Value<'t>) -> impl Iterator<Item = &'v Value<'t>> {
    let lists = ["after", "bound_to"]
        .into_iter()
        .filter_map(|key| entry.get_ref().get(key));
    lists
        .filter_map(|list| list.get_ref().as_array())
        .flat_map(|list| list.iter())
}

/// To be after an entry with instances is to be after each of them.
fn expanded(mut specs: Vec<Spec>, of_entry: &BTreeMap<String, Vec<String>>) -> Vec<Spec> {
    let each = |name: String| of_entry.get(&name).cloned().unwrap_or_default();
    for spec in &mut specs {
        for names in [&mut spec.after, &mut spec.bound_to] {
            *names = std::mem::take(names).into_iter().flat_map(each).collect();
        }
    }
    specs
}
