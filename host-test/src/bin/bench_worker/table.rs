//! The figures of all rounds as Markdown: medians, ratios, and what limits the rate.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::contender::{AT_ONCE, Kind};
use crate::measure::{Cores, Measured, Plan};

const BEGIN: &str = "<!-- bench-worker -->";
const END: &str = "<!-- end -->";

/// A single-threaded server that is busy for more of the time than this delays its clients.
const BUSY: f64 = 0.85;
/// A worker that is this close to the empty worker is limited by the cluster.
const CLOSE: f64 = 0.7;
/// All cores are busy if this part of them is.
const ALL_BUSY: f64 = 0.9;
/// Other processes disturb the measurement if they use more of a core than this.
const DISTURBING: f64 = 0.1;

type Rows = [(Kind, Vec<Measured>)];

/// A row of the table.
struct Figure {
    name: &'static str,
    of: fn(&Measured) -> f64,
    decimals: usize,
    /// What ours is to reach, as a part of Camunda's.
    target: Option<Target>,
}

#[derive(Clone, Copy)]
enum Target {
    AtLeast(f64),
    /// At most one part of so many.
    AtMostOneIn(f64),
}

const FIGURES: [Figure; 9] = [
    Figure {
        name: "jobs/s",
        of: |it| it.rate,
        decimals: 0,
        target: Some(Target::AtLeast(10.0)),
    },
    Figure {
        name: "CPU time, ms a job",
        of: |it| it.cpu_ms,
        decimals: 2,
        target: Some(Target::AtMostOneIn(5.0)),
    },
    Figure {
        name: "resident memory afterwards, MiB",
        of: |it| it.resident_mib,
        decimals: 0,
        target: Some(Target::AtMostOneIn(5.0)),
    },
    Figure {
        name: "peak of the resident memory, MiB",
        of: |it| it.peak_mib,
        decimals: 0,
        target: None,
    },
    Figure {
        name: "TCP connections to ServiceNow, per job",
        of: |it| it.connections,
        decimals: 4,
        target: Some(Target::AtMostOneIn(100.0)),
    },
    Figure {
        name: "process start to the first completed job, ms",
        of: |it| it.start_ms,
        decimals: 0,
        target: None,
    },
    Figure {
        name: "cores used by the worker",
        of: |it| it.cores.worker,
        decimals: 2,
        target: None,
    },
    Figure {
        name: "cores used by the test cluster (one thread)",
        of: |it| it.cores.cluster,
        decimals: 2,
        target: None,
    },
    Figure {
        name: "cores used by the stand-in (one thread)",
        of: |it| it.cores.stand_in,
        decimals: 2,
        target: None,
    },
];

impl Target {
    fn is_reached(self, ratio: f64) -> bool {
        match self {
            Self::AtLeast(times) => ratio >= times,
            Self::AtMostOneIn(parts) => ratio <= 1.0 / parts,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(times) => format!("≥ {times:.0}×"),
            Self::AtMostOneIn(parts) => format!("≤ 1/{parts:.0}"),
        }
    }
}

pub fn markdown(rows: &Rows, plan: &Plan) -> String {
    let mut text = heading(rows, plan);
    let names: Vec<String> = rows.iter().map(|(kind, _)| kind.to_string()).collect();
    let _infallible = write!(
        text,
        "| | {} | ours : Camunda's | to reach |\n|---|{}---|---|\n",
        names.join(" | "),
        "---|".repeat(rows.len())
    );
    for figure in &FIGURES {
        let cells: Vec<String> = rows.iter().map(|(_, measured)| figure.cell(measured)).collect();
        let (ratio, target) = figure.compared(rows);
        let _infallible = writeln!(text, "| {} | {} | {ratio} | {target} |", figure.name, cells.join(" | "));
    }
    text.push('\n');
    text.push_str(&limits(rows));
    text
}

fn heading(rows: &Rows, plan: &Plan) -> String {
    let rounds = rows.first().map_or(0, |(_, measured)| measured.len());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let transport = match plan.tls {
        true => "HTTPS",
        false => "plain HTTP",
    };
    let rounds = match rounds {
        1 => "1 round".to_owned(),
        more => format!("{more} rounds"),
    };
    format!(
        "Measured on {} with `make bench-worker` ({}, {cores} cores): {rounds}, {} jobs each, {AT_ONCE} at a time, {transport} to the \
         stand-in. Camunda's runtime was warmed up with jobs for {} s. Median (min–max).\n\n",
        today(),
        processor(),
        thousands(plan.jobs as f64, 0),
        plan.warm_up.as_secs(),
    )
}

impl Figure {
    fn values(&self, measured: &[Measured]) -> Vec<f64> {
        let mut values: Vec<f64> = measured.iter().map(self.of).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    fn cell(&self, measured: &[Measured]) -> String {
        let values = self.values(measured);
        let show = |value: Option<&f64>| value.map_or("–".to_owned(), |value| thousands(*value, self.decimals));
        let (least, most) = (show(values.first()), show(values.last()));
        let middle = thousands(median(&values), self.decimals);
        match least == most {
            true => middle,
            false => format!("{middle} ({least}–{most})"),
        }
    }

    /// Ours and Camunda's of the same round.
    fn compared(&self, rows: &Rows) -> (String, String) {
        let target = self.target.map_or("–".to_owned(), Target::text);
        let (ours, theirs) = (of(rows, Kind::Ours), of(rows, Kind::Camunda));
        let mut ratios: Vec<f64> = ours
            .iter()
            .zip(theirs)
            .map(|(ours, theirs)| (self.of)(ours) / (self.of)(theirs))
            .collect();
        ratios.sort_by(f64::total_cmp);
        if ratios.is_empty() {
            return ("–".to_owned(), target);
        }
        let ratio = median(&ratios);
        let text = match ratio {
            0.0 => "0".to_owned(),
            1.0.. => format!("{ratio:.1}×"),
            _ => format!("1/{:.1}", 1.0 / ratio),
        };
        match self.target {
            Some(own) if own.is_reached(ratio) => (text, format!("{target}: reached")),
            Some(_) => (text, format!("{target}: **missed**")),
            None => (text, target),
        }
    }
}

fn of(rows: &Rows, wanted: Kind) -> &[Measured] {
    let found = rows.iter().find(|(kind, _)| *kind == wanted);
    found.map_or(&[], |(_, measured)| measured)
}

/// Of sorted values: 0 if there are none.
fn median(values: &[f64]) -> f64 {
    let middle = values.len() / 2;
    let at = |at: usize| values.get(at).copied().unwrap_or_default();
    match values.len() % 2 {
        0 => f64::midpoint(at(middle.saturating_sub(1)), at(middle)),
        _ => at(middle),
    }
}

/// What keeps ours from doing more jobs, and whether other processes were in the way.
fn limits(rows: &Rows) -> String {
    let middle = |measured: &[Measured], of: fn(&Measured) -> f64| {
        let mut values: Vec<f64> = measured.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        median(&values)
    };
    let (ours, empty) = (of(rows, Kind::Ours), of(rows, Kind::Empty));
    let mut text = String::new();
    if !ours.is_empty() {
        let rate = middle(ours, |it| it.rate);
        let most = middle(empty, |it| it.rate);
        let cores = Cores {
            worker: middle(ours, |it| it.cores.worker),
            cluster: middle(ours, |it| it.cores.cluster),
            stand_in: middle(ours, |it| it.cores.stand_in),
            bench: middle(ours, |it| it.cores.bench),
            machine: middle(ours, |it| it.cores.machine),
        };
        let all = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get) as f64;
        let limit = if most > 0.0 && rate > CLOSE * most {
            "the test cluster: with the empty worker it does hardly more"
        } else if cores.cluster > BUSY {
            "the test cluster: its one thread is busy"
        } else if cores.stand_in > BUSY {
            "the stand-in: its one thread is busy"
        } else if cores.machine > ALL_BUSY * all {
            "the machine: all cores are busy, and the worker shares them with the cluster, the stand-in and the bench"
        } else {
            "the worker itself"
        };
        let _infallible = writeln!(
            text,
            "What limits the jobs/s of `flow-starter worker` here: {limit}. Cores used: worker {:.2}, cluster {:.2}, stand-in {:.2}, bench {:.2}, of \
             {all:.0}.",
            cores.worker, cores.cluster, cores.stand_in, cores.bench,
        );
        if most > 0.0 {
            let _infallible = writeln!(
                text,
                "The cluster itself does {} jobs/s with a worker that makes no calls; ours reaches {:.0} % of that.",
                thousands(most, 0),
                rate / most * 100.0
            );
        }
    }
    let others = rows.iter().flat_map(|(_, measured)| measured);
    let others = others.map(|it| it.cores.others()).fold(0.0, f64::max);
    if others > DISTURBING {
        let _infallible = writeln!(
            text,
            "Other processes used up to {others:.2} of a core meanwhile: repeat it on an idle machine."
        );
    }
    text
}

/// With a comma between groups of three digits.
fn thousands(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

fn today() -> String {
    let said = Command::new("date").arg("+%Y-%m-%d").output();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_owned());
    said.unwrap_or_default()
}

fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map(|line| line.trim_start_matches(|c: char| c.is_whitespace() || c == ':'));
    model.unwrap_or("unknown processor").to_owned()
}

/// Puts it between the markers of `docs/performance.md`.
pub fn write(table: &str) -> Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
    let text = std::fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let begin = text
        .find(BEGIN)
        .with_context(|| format!("{} has no {BEGIN}", page.display()))?
        + BEGIN.len();
    let (before, rest) = text.split_at(begin);
    let end = rest
        .find(END)
        .with_context(|| format!("{} has no {END} after {BEGIN}", page.display()))?;
    let (_, after) = rest.split_at(end);
    std::fs::write(&page, format!("{before}\n{}\n{after}", table.trim_end()))
        .with_context(|| format!("cannot write {}", page.display()))
}
