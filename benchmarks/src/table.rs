//! Tables in Markdown, with notes for what is missing.

use std::fmt::{self, Display};

use crate::contender::{Can, Contender};
use crate::contenders::{ALL, FLOOR};
use crate::figures;
use crate::flavour::Flavour;
use crate::results::{Results, What};

/// A table of contenders.
pub(crate) struct Table<'a> {
    results: &'a Results,
    flavour: Flavour,
    columns: Vec<Column>,
}

/// What is in a column.
pub(crate) struct Column {
    pub(crate) title: String,
    pub(crate) what: What,
    pub(crate) show: fn(f64) -> String,
}

impl Column {
    /// A time and its ratio to what the floor takes for the same.
    pub(crate) fn time(title: impl Into<String>, what: What) -> Self {
        Self {
            title: title.into(),
            what,
            show: figures::time,
        }
    }
}

impl<'a> Table<'a> {
    pub(crate) fn new(results: &'a Results, flavour: Flavour, columns: Vec<Column>) -> Self {
        Self {
            results,
            flavour,
            columns,
        }
    }

    fn cell(&self, column: &Column, who: &Contender, notes: &mut Vec<&'static str>) -> String {
        let Some(value) = self.results.get(column.what, self.flavour, who.name) else {
            return missing(column.what, who, notes);
        };
        let shown = (column.show)(value);
        match self.results.get(column.what, self.flavour, FLOOR.name) {
            Some(floor) => format!("{shown} · {}", figures::digits(value / floor)),
            None => shown,
        }
    }
}

fn missing(what: What, who: &Contender, notes: &mut Vec<&'static str>) -> String {
    let Some(reason) = reason(what, who) else {
        return "–".to_owned();
    };
    let known = notes.iter().position(|note| *note == reason);
    let place = known.unwrap_or_else(|| {
        notes.push(reason);
        notes.len() - 1
    });
    format!("– ({})", place + 1)
}

fn reason(what: What, who: &Contender) -> Option<&'static str> {
    fn not<T>(can: &Can<T>) -> Option<&'static str> {
        match can {
            Can::Do(_) => None,
            Can::Not(reason) => Some(reason),
        }
    }
    match what {
        What::Cycle => not(&who.cycle),
        What::Hooked => not(&who.hooked),
        What::Restart => not(&who.restart),
        What::Failing => not(&who.failing),
        What::Running(_) => not(&who.running),
        What::Uptime(_) => not(&who.uptime),
        What::ChainStart | What::ChainStop => not(&who.chain),
        What::StarStart | What::StarStop => not(&who.star),
        _ => not(&who.crowd),
    }
}

impl Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles: Vec<&str> = self.columns.iter().map(|column| &*column.title).collect();
        writeln!(
            f,
            "| | {} |\n|---|{}",
            titles.join(" | "),
            "---:|".repeat(titles.len())
        )?;
        let mut notes = Vec::new();
        for who in ALL {
            let cells = self
                .columns
                .iter()
                .map(|column| self.cell(column, who, &mut notes));
            writeln!(
                f,
                "| {} | {} |",
                who.name,
                cells.collect::<Vec<_>>().join(" | ")
            )?;
        }
        let notes = notes
            .iter()
            .zip(1..)
            .map(|(note, number)| format!("({number}) {note}"));
        let notes: Vec<String> = notes.collect();
        if notes.is_empty() {
            Ok(())
        } else {
            writeln!(f, "\n{}.", notes.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contenders::STARTSTOP;

    #[test]
    fn a_cell_is_a_time_and_its_ratio_or_a_note() {
        let mut results = Results::default();
        results.put(What::Cycle, Flavour::CurrentThread, FLOOR.name, 1_000.0);
        results.put(What::Cycle, Flavour::CurrentThread, STARTSTOP.name, 1_500.0);
        let columns = vec![
            Column::time("start and stop", What::Cycle),
            Column::time("uptime", What::Uptime(1)),
        ];
        let table = Table::new(&results, Flavour::CurrentThread, columns).to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "| | start and stop | uptime |");
        assert_eq!(lines[1], "|---|---:|---:|");
        assert_eq!(lines[2], "| bare tokio | 1.00 µs · 1.00 | – |");
        assert_eq!(lines[3], "| by hand | – | – |");
        assert_eq!(lines[5], "| startstop | 1.50 µs · 1.50 | – |");
    }
    #[test]
    fn a_reason_is_told_once() {
        let who = Contender {
            running: Can::Not("no state"),
            uptime: Can::Not("no state"),
            ..FLOOR
        };
        let mut notes = Vec::new();
        let cells = [What::Running(1), What::Uptime(1), What::Cycle];
        let cells = cells.map(|what| missing(what, &who, &mut notes));
        assert_eq!(cells, ["– (1)", "– (1)", "–"]);
        assert_eq!(notes, ["no state"]);
    }
}
