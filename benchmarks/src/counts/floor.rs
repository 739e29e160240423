//! How near the floor it is: beside the same promises, kept by hand.

use std::error::Error;
use std::fmt::Write;

use super::figure::{Counts, FIGURES, Figure};
use super::work::Work;
use crate::contenders::{BY_HAND, FLOOR, PROMISED, STARTSTOP};
use crate::figures;
use crate::flavour::Flavour;

/// The table: each workload that has a target and is there by hand, on one thread.
pub(super) fn table(counts: &mut Counts) -> Result<String, Box<dyn Error>> {
    let mut text = format!(
        "| instructions of one | {} | {} | {} | {} to {} | target |\n|---|---:|---:|---:|---:|---:|\n",
        FLOOR.name, PROMISED.name, STARTSTOP.name, STARTSTOP.name, PROMISED.name
    );
    for figure in FIGURES.iter().filter(|figure| is_shown(figure)) {
        let mut of = |(who, what)| counts.of((who, what), Flavour::CurrentThread, figure.span);
        let [bare, hand, own] =
            [FLOOR.name, PROMISED.name, STARTSTOP.name].map(|who| of((who, figure.what)));
        let (bare, hand, own) = (bare?, hand?, own?);
        let target = figure.target * of(figure.against)?;
        let [bare, floor, all, target] = [bare, hand, own, target].map(figures::whole);
        let _ = writeln!(
            text,
            "| {} | {bare} | {floor} | {all} | {:.2} | {target} |",
            title(figure),
            own / hand
        );
    }
    Ok(text)
}

/// The cycle has two targets: the one beside bare tokio is shown.
fn is_shown(figure: &Figure) -> bool {
    figure.flavour == Flavour::CurrentThread
        && figure.against != (BY_HAND.name, "cycle")
        && Work::called(PROMISED.name, figure.what).is_some()
}

/// What is done, without what it is held against.
fn title(figure: &Figure) -> &'static str {
    let (title, _) = figure
        .title
        .split_once(", to ")
        .unwrap_or((figure.title, ""));
    title
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_workload_with_a_target_is_shown_once() {
        let titles: Vec<&str> = FIGURES
            .iter()
            .filter(|it| is_shown(it))
            .map(title)
            .collect();
        assert_eq!(
            titles,
            [
                "cycle",
                "hook that awaits",
                "hook that is ready",
                "restart",
                "failing restart",
                "crowd, start",
                "crowd, stop",
                "star, start",
                "star, stop",
                "chain, start",
                "chain, stop",
            ]
        );
    }
}
