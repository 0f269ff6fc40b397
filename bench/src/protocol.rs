//! The protocol between `bench` and a contender: lines of JSON, described in `bench/README.md`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The options that every contender takes.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// URL of the flow, with its path
    #[arg(long)]
    pub url: String,

    /// Certificate authority to trust (PEM file); required for an https URL
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,

    /// User name for basic authentication
    #[arg(long)]
    pub username: String,

    /// Password for basic authentication
    #[arg(long)]
    pub password: String,

    /// The most calls that will be in flight at a time
    #[arg(long, value_name = "K")]
    pub in_flight_max: u32,
}

/// The first line of a contender: its first call has succeeded.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Ready {
    /// Always true.
    pub ready: bool,
    /// From the start of its `main` to the first answer, in milliseconds.
    pub start_ms: f64,
}

/// A line to a contender: make so many calls.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Number of calls.
    pub calls: u64,
    /// Number of calls in flight at a time.
    pub in_flight: u32,
}

/// The contender's line after a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// Number of calls made.
    pub calls: u64,
    /// Number of calls without the expected answer.
    pub failed: u64,
    /// Wall-clock time of the run, in seconds.
    pub seconds: f64,
    /// User and system CPU time of the process during the run, in microseconds.
    pub cpu_us: f64,
    /// Median latency of a call, in microseconds.
    pub p50_us: f64,
    /// 99th percentile of the latency, in microseconds.
    pub p99_us: f64,
    /// Peak of the resident memory during the run, in KiB.
    pub rss_kib: u64,
    /// Why a call failed, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Report {
    /// Calls per second.
    pub fn rate(&self) -> f64 {
        self.calls as f64 / self.seconds
    }

    /// CPU time of a call, in microseconds.
    pub fn cpu_per_call(&self) -> f64 {
        self.cpu_us / self.calls as f64
    }
}
