//! The tables of docs/performance.md and of the README.

use std::fmt::Write as _;

use crate::contender::{NATIVE, STARTER};
use crate::results::Results;
use crate::rounds::{DELAY_MS, IN_FLIGHT, Kind, Sample};
use crate::stats::{Spread, short, thousands, times};

/// All tables.
pub(crate) fn full(results: &Results) -> String {
    let mut out = format!(
        "`{}`, {}. Each figure is the median of {} interleaved rounds, with the smallest and the largest in parentheses; a ratio is the \
         median of the rounds' ratios.\n",
        results.command, results.machine, results.extent.rounds
    );
    many(results, &mut out);
    one(results, &mut out);
    delayed(results, &mut out);
    start(results, &mut out);
    sustained(results, &mut out);
    masking(results, &mut out);
    out
}

/// A Markdown table; the first column is text.
fn table(out: &mut String, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(ToString::to_string).collect();
    out.push_str(&line(&head));
    out.push_str("|---");
    out.push_str(&"|--:".repeat(head.len().saturating_sub(1)));
    out.push_str("|\n");
    for row in rows {
        out.push_str(&line(&row));
    }
}

fn rate(sample: &Sample) -> f64 {
    sample.report.rate()
}

fn cpu(sample: &Sample) -> f64 {
    sample.report.cpu_per_call()
}

/// A figure and its ratio to the native client's.
fn pair(results: &Results, kind: Kind, contender: usize, figure: fn(&Sample) -> f64) -> [String; 2] {
    let figures = results.samples.figures(kind, contender, figure);
    let native = results.samples.figures(kind, NATIVE, figure);
    let ratio = Spread::of_ratios(&figures, &native);
    [Spread::of(figures).text(short), times(ratio.median)]
}

fn rows<'a>(results: &'a Results, cells: impl Fn(usize) -> Vec<String> + 'a) -> impl Iterator<Item = Vec<String>> + 'a {
    let labels = results.contenders.iter().enumerate();
    labels.map(move |(at, contender)| std::iter::once(contender.label.clone()).chain(cells(at)).collect())
}

fn many(results: &Results, out: &mut String) {
    let _ = writeln!(out, "\n### One core, {IN_FLIGHT} calls in flight\n");
    let head = [
        "",
        "calls/s",
        "× native",
        "CPU µs a call",
        "× native",
        "TLS: calls/s",
        "× native",
        "TLS: CPU µs a call",
        "× native",
        "thousand instructions a call",
    ];
    let counted = |at: usize| {
        let count = results.instructions.get(at);
        count.map_or_else(|| "–".to_owned(), |count| short(*count))
    };
    let cells = |at| {
        let mut cells = [
            pair(results, Kind::Many, at, rate),
            pair(results, Kind::Many, at, cpu),
            pair(results, Kind::ManyTls, at, rate),
            pair(results, Kind::ManyTls, at, cpu),
        ]
        .concat();
        cells.push(counted(at));
        cells
    };
    table(out, &head, rows(results, cells));
    let busy = |kind| Spread::of(results.samples.figures(kind, NATIVE, |sample| sample.server_busy)).median * 100.0;
    let _ = writeln!(
        out,
        "\nTLS 1.3; connections are kept open, except by the default sender, which makes a handshake for each call. The server has a core of \
         its own; the native client keeps it busy for {:.0} % of the time ({:.0} % over TLS). Instructions are counted by valgrind, whose \
         address space has no room for the other components' pools.",
        busy(Kind::Many),
        busy(Kind::ManyTls)
    );
}

fn one(results: &Results, out: &mut String) {
    let _ = writeln!(out, "\n### One call at a time\n");
    let head = [
        "",
        "same core as the server: p50 µs",
        "× native",
        "p99 µs",
        "× native",
        "a core each: p50 µs",
        "× native",
        "p99 µs",
        "× native",
    ];
    let p50 = |sample: &Sample| sample.report.p50_us;
    let p99 = |sample: &Sample| sample.report.p99_us;
    let cells = |at| {
        [
            pair(results, Kind::OneSameCore, at, p50),
            pair(results, Kind::OneSameCore, at, p99),
            pair(results, Kind::OneApart, at, p50),
            pair(results, Kind::OneApart, at, p99),
        ]
        .concat()
    };
    table(out, &head, rows(results, cells));
}

/// The resident memory that each call in flight adds.
pub(crate) fn kib_per_call(in_flight: u32) -> impl Fn(&Sample) -> f64 {
    move |sample| sample.report.rss_kib.saturating_sub(sample.memory.base) as f64 / f64::from(in_flight)
}

/// The same, with shared pages counted once.
fn own_kib_per_call(in_flight: u32) -> impl Fn(&Sample) -> f64 {
    move |sample| sample.memory.proportional as f64 / f64::from(in_flight)
}

fn delayed(results: &Results, out: &mut String) {
    let _ = writeln!(out, "\n### {DELAY_MS} ms of server time\n");
    let head = [
        "",
        "in flight",
        "calls/s",
        "CPU µs a call",
        "resident MiB",
        "KiB a call",
        "shared pages counted once",
    ];
    let row = |in_flight: u32, at: usize, label: &str| {
        let kind = Kind::Delayed(in_flight);
        let figures = |figure: &dyn Fn(&Sample) -> f64| Spread::of(results.samples.figures(kind, at, figure));
        let memory = |figure: &dyn Fn(&Sample) -> f64| match in_flight {
            0..100 => "–".to_owned(),
            _ => figures(figure).text(short),
        };
        vec![
            label.to_owned(),
            thousands(in_flight.into()),
            figures(&rate).text(short),
            figures(&cpu).text(short),
            figures(&|sample| sample.report.rss_kib as f64 / 1024.0).text(short),
            memory(&kib_per_call(in_flight)),
            memory(&own_kib_per_call(in_flight)),
        ]
    };
    let labels = || results.contenders.iter().enumerate();
    let rows = results
        .extent
        .delayed
        .iter()
        .flat_map(|in_flight| labels().map(move |(at, contender)| (in_flight, at, &contender.label)))
        .map(|(in_flight, at, label)| row(*in_flight, at, label));
    table(out, &head, rows);
    let _ = writeln!(
        out,
        "\nA process of its own for each row, with a pool for so many calls. KiB a call: the peak of the resident memory, less that with one \
         call in flight, for each call in flight. That counts pages of the component's memory that no call has written to once for each \
         instance, although all share them; the last column counts each page once (proportional set size), while the calls connect."
    );
}

fn start(results: &Results, out: &mut String) {
    let _ = writeln!(out, "\n### Start and size\n");
    let kilobytes =
        |bytes: Option<u64>| bytes.map_or_else(|| "–".to_owned(), |bytes| format!("{:.0}", bytes as f64 / 1e3));
    let cells = |at: usize| {
        let times = results.starts.get(at).cloned().unwrap_or_default();
        let (component, code) = results.sizes.get(at).copied().unwrap_or_default();
        vec![Spread::of(times).text(short), kilobytes(component), kilobytes(code)]
    };
    let head = [
        "",
        "start of the process to the first answer, ms",
        "component, kB",
        "its machine code, kB",
    ];
    table(out, &head, rows(results, cells));
    let _ = writeln!(out, "\nThe components are precompiled; the pools are for 256 calls.");
}

fn sustained(results: &Results, out: &mut String) {
    let _ = writeln!(
        out,
        "\n### {} calls in a row\n",
        thousands(results.extent.sustained as f64)
    );
    let head = ["calls", "p50 µs", "calls/s", "resident MiB", "open files and sockets"];
    let rows = results.sustained.iter().enumerate().map(|(at, part)| {
        vec![
            format!("{} %", 10 * (at + 1)),
            short(part.p50_us),
            short(part.rate),
            short(part.resident_kib as f64 / 1024.0),
            part.open_files.to_string(),
        ]
    });
    table(out, &head, rows);
    let _ = writeln!(
        out,
        "\n`FlowStarter::execute`, {IN_FLIGHT} calls in flight, one process."
    );
}

fn masking(results: &Results, out: &mut String) {
    let _ = writeln!(out, "\n### Masking of an answer of 1 MiB\n");
    let rows = results
        .masking
        .iter()
        .map(|masking| vec![masking.text.to_owned(), short(masking.ms)]);
    table(out, &["text", "CPU ms"], rows);
}

/// The short table.
pub(crate) fn summary(results: &Results) -> String {
    let mut out = String::new();
    // The connector is left out: the flow starter is what people use.
    let columns: Vec<usize> = (0..results.contenders.len())
        .filter(|at| *at == NATIVE || *at >= STARTER)
        .collect();
    let mut head = vec![""];
    head.extend(
        columns
            .iter()
            .filter_map(|at| results.contenders.get(*at))
            .map(|contender| contender.label.as_str()),
    );
    let row = |label: &str, kind: Kind, figure: &dyn Fn(&Sample) -> f64| {
        let native = results.samples.figures(kind, NATIVE, figure);
        let cells = columns.iter().map(|at| {
            let figures = results.samples.figures(kind, *at, figure);
            let ratio = Spread::of_ratios(&figures, &native).median;
            match *at {
                NATIVE => short(Spread::of(figures).median),
                _ => format!("{} ({})", short(Spread::of(figures).median), times(ratio)),
            }
        });
        std::iter::once(label.to_owned()).chain(cells).collect::<Vec<_>>()
    };
    let starts = columns
        .iter()
        .map(|at| short(Spread::of(results.starts.get(*at).cloned().unwrap_or_default()).median));
    let most = results.extent.delayed.last().copied().unwrap_or_default();
    let rows = vec![
        row("calls/s, 32 in flight, one core", Kind::Many, &rate),
        row("CPU µs a call", Kind::Many, &cpu),
        row(
            "p50 µs, one call at a time, same core as the server",
            Kind::OneSameCore,
            &|sample| sample.report.p50_us,
        ),
        row("calls/s over TLS", Kind::ManyTls, &rate),
        row(
            &format!(
                "KiB of memory a call, {} in flight, shared pages counted once",
                thousands(most.into())
            ),
            Kind::Delayed(most),
            &own_kib_per_call(most),
        ),
        std::iter::once("ms from process start to the first answer".to_owned())
            .chain(starts)
            .collect(),
    ];
    table(&mut out, &head, rows);
    let _ = writeln!(
        out,
        "\n`{}`, {}, medians of {} rounds; in parentheses the ratio to the native client.",
        results.command, results.machine, results.extent.rounds
    );
    out
}
