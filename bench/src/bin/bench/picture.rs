//! A small picture for the README: bars for calls per second and CPU time, relative to the native client. Readable on light and dark pages.

use std::fmt::Write as _;

use crate::contender::{NATIVE, STARTER};
use crate::results::Results;
use crate::rounds::{Kind, Sample};
use crate::stats::{Spread, short, times};

const WIDTH: f64 = 840.0;
/// Where bars begin: left of it are the names.
const LEFT: f64 = 390.0;
/// Right of the longest bar: its label.
const RIGHT: f64 = 150.0;
const ROW: f64 = 24.0;
const BAR: f64 = 16.0;
const HEAD: f64 = 30.0;

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#24292f}.head{font-weight:600}.bar{fill:#8c959f}.ours{fill:#1f883d}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.bar{fill:#6e7681}.ours{fill:#3fb950}}";

/// The picture as SVG.
pub(crate) fn svg(results: &Results) -> String {
    let shown: Vec<usize> = (0..results.contenders.len())
        .filter(|at| *at == NATIVE || *at >= STARTER)
        .collect();
    let panel_height = HEAD + ROW * shown.len() as f64 + 8.0;
    let mut body = String::new();
    let rate = |sample: &Sample| sample.report.rate();
    let cpu = |sample: &Sample| sample.report.cpu_per_call();
    panel(
        &mut body,
        results,
        &shown,
        0.0,
        "Calls per second on one core (more is better)",
        &rate,
        "/s",
    );
    panel(
        &mut body,
        results,
        &shown,
        panel_height,
        "CPU time of a call (less is better)",
        &cpu,
        " µs",
    );
    let height = 2.0 * panel_height;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" \
         aria-label=\"Calls per second and CPU time of a call, for each client\">\n<style>{STYLE}</style>\n{body}</svg>\n"
    )
}

fn panel(
    out: &mut String,
    results: &Results,
    shown: &[usize],
    top: f64,
    title: &str,
    figure: &dyn Fn(&Sample) -> f64,
    unit: &str,
) {
    let _ = writeln!(
        out,
        "<text class=\"head\" x=\"8\" y=\"{:.0}\">{title}</text>",
        top + 20.0
    );
    let native = results.samples.figures(Kind::Many, NATIVE, figure);
    let figures: Vec<_> = shown
        .iter()
        .map(|at| {
            let figures = results.samples.figures(Kind::Many, *at, figure);
            let ratio = Spread::of_ratios(&figures, &native).median;
            (*at, Spread::of(figures).median, ratio)
        })
        .collect();
    let longest = figures
        .iter()
        .map(|(_, _, ratio)| *ratio)
        .fold(f64::MIN_POSITIVE, f64::max);
    for (place, (at, median, ratio)) in figures.into_iter().enumerate() {
        let y = top + HEAD + ROW * place as f64;
        let label = results
            .contenders
            .get(at)
            .map_or("", |contender| contender.label.as_str());
        let width = ((WIDTH - LEFT - RIGHT) * ratio / longest).max(1.0);
        let class = if at == STARTER { "bar ours" } else { "bar" };
        let (text_y, text_x) = (y + BAR - 3.0, LEFT + width + 6.0);
        let _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{text_y:.0}\" text-anchor=\"end\">{}</text><rect class=\"{class}\" x=\"{LEFT:.0}\" y=\"{y:.0}\" \
             width=\"{width:.1}\" height=\"{BAR:.0}\" rx=\"2\"/><text x=\"{text_x:.1}\" y=\"{text_y:.0}\">{}{unit} · {}</text>",
            LEFT - 8.0,
            plain(label),
            short(median),
            times(ratio)
        );
    }
}

/// Without Markdown, and escaped for XML.
fn plain(label: &str) -> String {
    label.replace(['*', '`'], "").replace('&', "&amp;").replace('<', "&lt;")
}
