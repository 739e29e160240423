//! A plot of ratios as an SVG, for light and dark pages.

use std::fmt::Write;

use crate::figures;

/// Ratios under a title; 1 is the floor.
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) bars: Vec<(&'static str, f64)>,
}

const WIDTH: f64 = 760.0;
/// Where the names end and the bars may begin.
const LEFT: f64 = 190.0;
/// What is kept free for the number behind the longest bar.
const RIGHT: f64 = 70.0;
const ROW: f64 = 18.0;
const TITLE: f64 = 34.0;
const CAPTION: f64 = 24.0;

/// Bars end here at the latest: who takes thousands of times as long must not squeeze the others.
const MOST: f64 = 32.0;

const STYLE: &str = "
    text { font: 12px system-ui, sans-serif; fill: #1f2328; }
    .title { font-weight: 600; }
    .name { text-anchor: end; }
    .bar { fill: #8c959f; }
    .own { fill: #0969da; }
    .floor { stroke: #1f2328; }
    .grid { stroke: #d1d9e0; }
    @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3; }
        .bar { fill: #6e7681; }
        .own { fill: #58a6ff; }
        .floor { stroke: #e6edf3; }
        .grid { stroke: #3d444d; }
    }
";

/// Draws them one below the other. Bars grow from the floor, to the right where it takes more; the
/// scale is logarithmic, the same for all. The bars of `own` stand out.
pub(crate) fn draw(panels: &[Panel], own: &str) -> String {
    let scale = Scale::of(panels);
    let mut body = String::new();
    text(
        &mut body,
        "",
        8.0,
        18.0,
        "Ratios to bare tokio (1), on a logarithmic scale: less is better.",
    );
    let mut y = CAPTION;
    for panel in panels {
        y += TITLE;
        text(&mut body, "title", 8.0, y - 10.0, &panel.title);
        let bottom = y + ROW * panel.bars.len() as f64;
        for ratio in scale.lines() {
            line(&mut body, "grid", scale.place(ratio), y, bottom);
        }
        for (row, (name, ratio)) in panel.bars.iter().enumerate() {
            let class = if *name == own { "bar own" } else { "bar" };
            bar(
                &mut body,
                class,
                y + ROW * row as f64,
                name,
                scale.place(1.0),
                scale.place(*ratio),
            );
            let end = scale.place(ratio.max(1.0));
            text(
                &mut body,
                "",
                end + 5.0,
                y + ROW * row as f64 + 13.0,
                &figures::digits(*ratio),
            );
        }
        line(&mut body, "floor", scale.place(1.0), y, bottom);
        y = bottom;
    }
    let height = y + 12.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n  \
         <title>Ratios to bare tokio; less is better</title>\n  <style>{STYLE}  </style>\n{body}</svg>\n"
    )
}

fn bar(body: &mut String, class: &str, y: f64, name: &str, floor: f64, end: f64) {
    text(body, "name", LEFT - 8.0, y + 13.0, name);
    let (x, width) = (floor.min(end), (end - floor).abs().max(1.0));
    let y = y + 3.0;
    writeln!(
        body,
        r#"  <rect class="{class}" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="12" rx="2"/>"#
    )
    .expect("a string takes it");
}

fn line(body: &mut String, class: &str, x: f64, top: f64, bottom: f64) {
    writeln!(
        body,
        r#"  <path class="{class}" d="M{x:.1} {top:.1}V{bottom:.1}"/>"#
    )
    .expect("a string takes it");
}

fn text(body: &mut String, class: &str, x: f64, y: f64, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    writeln!(
        body,
        r#"  <text class="{class}" x="{x:.1}" y="{y:.1}">{text}</text>"#
    )
    .expect("a string takes it");
}

/// From ratios to places, by their logarithms.
struct Scale {
    least: f64,
    most: f64,
}

impl Scale {
    fn of(panels: &[Panel]) -> Self {
        let ratios = || {
            panels
                .iter()
                .flat_map(|panel| &panel.bars)
                .map(|(_, ratio)| *ratio)
        };
        Self {
            least: ratios().fold(0.5, f64::min),
            most: ratios().fold(2.0, f64::max).min(MOST),
        }
    }

    /// The powers of two on it.
    fn lines(&self) -> impl Iterator<Item = f64> {
        let powers = (-10..=10).map(|power| 2_f64.powi(power));
        powers.filter(|ratio| (self.least..=self.most).contains(ratio))
    }

    fn place(&self, ratio: f64) -> f64 {
        let part = (ratio.min(self.most) / self.least).ln() / (self.most / self.least).ln();
        LEFT + part * (WIDTH - LEFT - RIGHT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn() -> String {
        let bars = vec![("a<b", 0.5), ("ours", 2.0), ("theirs", 8.0)];
        draw(
            &[Panel {
                title: "start & stop".to_owned(),
                bars,
            }],
            "ours",
        )
    }

    #[test]
    fn bars_grow_from_the_floor_by_the_logarithm() {
        let places = Scale {
            least: 0.5,
            most: 8.0,
        };
        let [quarter, floor, twice, last] = [0.5, 1.0, 2.0, 8.0].map(|ratio| places.place(ratio));
        assert!((floor - quarter - (twice - floor)).abs() < 1e-9);
        assert!((last - (WIDTH - RIGHT)).abs() < 1e-9);
        assert!((places.place(100.0) - last).abs() < 1e-9);
        assert_eq!(places.lines().count(), 5);
    }

    #[test]
    fn what_it_draws_is_well_formed_and_marks_ours() {
        let svg = drawn();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("start &amp; stop") && svg.contains("a&lt;b"));
        assert_eq!(svg.matches("<rect ").count(), 3);
        assert_eq!(svg.matches("bar own").count(), 1);
    }
}
