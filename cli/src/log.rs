//! What is logged: our own events alone, to standard error, each with its call's id.

mod json;

use std::hash::{BuildHasher as _, RandomState};
use std::io;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;

use self::json::JsonLines;
use crate::settings::{Entry, Settings};
use crate::terminal::{escaped, readable};

/// The library and this program. Other crates' events hold header values (h2 logs each frame), so that no level lets them through.
const OURS: [&str; 2] = ["flow_starter_host", "flow_starter"];

/// From now on.
pub(crate) fn start(settings: &Settings, is_worker: bool) {
    let level = settings.text(Entry::LogLevel).and_then(|level| level.parse().ok());
    let level: LevelFilter = match is_worker && settings.is_default(Entry::LogLevel) {
        // A worker has no other output.
        true => LevelFilter::INFO,
        false => level.unwrap_or(LevelFilter::WARN),
    };
    let ours = Targets::new().with_targets(OURS.map(|target| (target, level)));
    let json = settings.text(Entry::LogFormat) == Some("json");
    // A standard error that nobody reads is no reason to end.
    let layer = match json {
        true => JsonLines(move || Printable { json }).boxed(),
        false => tracing_subscriber::fmt::layer()
            .with_writer(move || Printable { json })
            .log_internal_errors(false)
            .boxed(),
    };
    let subscriber = tracing_subscriber::registry().with(layer.with_filter(ours));
    // It is set once, at the start.
    let _already_set = tracing::subscriber::set_global_default(subscriber);
}

/// Standard error for a log, which comes event by event and cannot steer a terminal.
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

/// A call's span, with an id that no other call has.
pub(crate) fn call() -> tracing::Span {
    let id = format!("{:016x}", RandomState::new().hash_one(std::process::id()));
    // Of the highest level, so that every event of the call has it.
    tracing::error_span!(target: "flow_starter", "call", call = id)
}
