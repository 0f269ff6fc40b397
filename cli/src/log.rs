//! The log: only our own events, on standard error, each with its call's ID. Traces are made of the same events and spans.

mod json;

use std::hash::{BuildHasher as _, RandomState};
use std::io;

use flow_starter_worker::traces::TraceLayer;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;

use self::json::JsonLines;
use crate::settings::{Entry, Settings};
use crate::terminal::{escaped, readable};

/// The library and this program. Other crates' events contain header values (h2 logs each frame), so no level includes them.
const OURS: [&str; 2] = ["flow_starter_host", "flow_starter"];

/// Starts logging, and tracing where there is a layer for it.
pub(crate) fn start(settings: &Settings, is_worker: bool, traces: Option<TraceLayer>) {
    let level = settings.text(Entry::LogLevel).and_then(|level| level.parse().ok());
    let level: LevelFilter = match is_worker && settings.is_default(Entry::LogLevel) {
        // A worker has no other output.
        true => LevelFilter::INFO,
        false => level.unwrap_or(LevelFilter::WARN),
    };
    let ours = Targets::new().with_targets(OURS.map(|target| (target, level)));
    let json = settings.text(Entry::LogFormat) == Some("json");
    // An unread standard error must not end the program.
    let layer = match json {
        true => JsonLines(move || Printable { json }).boxed(),
        false => tracing_subscriber::fmt::layer()
            .with_writer(move || Printable { json })
            .log_internal_errors(false)
            .boxed(),
    };
    // Whatever the log's level, the ends of calls and jobs are at `info`.
    let traces = traces.map(|layer| {
        let ours = Targets::new().with_targets(OURS.map(|target| (target, LevelFilter::INFO)));
        layer.with_filter(ours)
    });
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(ours));
    // Set once, at the start. Beside a layer that is None, events would lose their spans, and so the ids of call and job.
    let _already_set = match traces {
        Some(traces) => tracing::subscriber::set_global_default(subscriber.with(traces)),
        None => tracing::subscriber::set_global_default(subscriber),
    };
}

/// Standard error for the log, one event at a time, with control characters replaced.
struct Printable {
    json: bool,
}

impl io::Write for Printable {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = match self.json {
            true => escaped(&text),
            false => readable(&text),
        };
        io::stderr().lock().write_all(text.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

/// A call's span, with a unique ID.
pub(crate) fn call() -> tracing::Span {
    let id = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
    // At the highest level, so that every event of the call has it.
    tracing::error_span!(target: "flow_starter", "call", call = id)
}
