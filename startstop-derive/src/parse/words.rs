//! Words in messages: which may have been meant, and which there are to choose from.

/// Returns what may have been meant by a word that is not among the known ones.
pub(super) fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|&(distance, candidate)| {
            distance < candidate.len() && distance <= candidate.len().div_ceil(3)
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Returns the number of letters to insert, drop, change or swap with the next.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before = vec![0; to.len() + 1];
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for i in 1..=from.len() {
        let mut row = vec![i; to.len() + 1];
        for j in 1..=to.len() {
            let change = last[j - 1] + usize::from(from[i - 1] != to[j - 1]);
            row[j] = change.min(last[j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
            if swapped {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[to.len()]
}

/// Words as a choice: `` `a`, `b` or `c` ``.
pub(super) fn either<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::OF_TYPE;
    use super::closest;

    #[test]
    fn a_slip_finds_its_key() {
        for (word, meant) in [
            ("strat", Some("start")),
            ("stoptimeout", Some("stop_timeout")),
            ("stop_timout", Some("stop_timeout")),
            ("errors", Some("error")),
            ("restarts", Some("restart")),
            ("colour", None),
            ("x", None),
        ] {
            assert_eq!(
                closest(word, OF_TYPE.iter().map(|key| key.name)),
                meant,
                "{word}"
            );
        }
    }
}
