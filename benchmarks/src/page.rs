//! The page in `docs`, of which each command writes its part and leaves the others as they are.

use std::path::{Path, PathBuf};
use std::{fs, io};

const SKELETON: &str = include_str!("page.md");

const PARTS: [&str; 6] = ["instructions", "rivals", "run", "profile", "floor", "build"];

/// Writes one part of the page.
pub(crate) fn write(part: &str, text: &str) -> io::Result<()> {
    let path = docs().join("benchmarks.md");
    let old = fs::read_to_string(&path).unwrap_or_default();
    fs::create_dir_all(docs())?;
    fs::write(path, page(&old, part, text))
}

pub(crate) fn write_plot(svg: &str) -> io::Result<()> {
    fs::create_dir_all(docs())?;
    fs::write(docs().join("benchmarks.svg"), svg)
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn page(old: &str, part: &str, text: &str) -> String {
    PARTS.into_iter().fold(SKELETON.to_owned(), |page, name| {
        let [begin, end] = marks(name);
        let kept = || Some(old.split_once(&begin)?.1.split_once(&end)?.0.trim());
        let text = if name == part {
            text.trim()
        } else {
            kept().unwrap_or_default()
        };
        page.replace(
            &format!("{begin}\n{end}"),
            &format!("{begin}\n{text}\n{end}"),
        )
    })
}

fn marks(part: &str) -> [String; 2] {
    ["begin", "end"].map(|place| format!("<!-- {part}: {place} -->"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_replaced_and_the_other_one_stays() {
        let first = page("", "run", "fast");
        let both = page(&first, "build", "small");
        let again = page(&both, "run", "faster");
        assert!(both.contains("\nfast\n") && both.contains("\nsmall\n"));
        assert!(again.contains("\nfaster\n") && again.contains("\nsmall\n"));
        assert!(!again.contains("\nfast\n"));
        assert!(again.starts_with("# Benchmarks\n"));
    }
}
