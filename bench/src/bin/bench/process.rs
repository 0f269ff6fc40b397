//! A contender's process: started, driven and ended.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use flow_starter_bench::os;
use flow_starter_bench::protocol::{Ready, Report, Run};

/// Longer than any run takes.
const PATIENCE: Duration = Duration::from_secs(300);
/// For a process to end after the end of its standard input.
const ENDING: Duration = Duration::from_secs(10);

/// A process that answers each line on its standard input with one line. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    started: Instant,
}

impl Process {
    /// Starts a process on these cores.
    pub(crate) fn start(name: &str, command: &mut Command, cores: &[usize]) -> Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let started = Instant::now();
        let mut child = on(cores, || command.spawn()).with_context(|| format!("cannot start {name}"))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (sender, lines) = channel();
        if let Some(output) = output {
            thread::Builder::new().spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            })?;
        }
        Ok(Self {
            name: name.to_owned(),
            child,
            input,
            lines,
            started,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the line that says that the first call has succeeded. Returns the time since the start of the process.
    pub(crate) fn ready(&mut self) -> Result<Duration> {
        let line = self.line()?;
        let elapsed = self.started.elapsed();
        let ready: Ready = serde_json::from_str(&line).with_context(|| self.unexpected(&line))?;
        ensure!(ready.ready, self.unexpected(&line));
        Ok(elapsed)
    }

    /// Makes calls.
    ///
    /// # Errors
    /// If one of them fails.
    pub(crate) fn run(&mut self, calls: u64, in_flight: u32) -> Result<Report> {
        self.run_watched(calls, in_flight, PATIENCE, || {})
    }

    /// Makes calls, and until they are made, does something at this interval.
    ///
    /// # Errors
    /// If one of them fails.
    pub(crate) fn run_watched(
        &mut self,
        calls: u64,
        in_flight: u32,
        interval: Duration,
        watch: impl FnMut(),
    ) -> Result<Report> {
        let run = serde_json::to_string(&Run { calls, in_flight })?;
        let input = self.input.as_mut().context("its standard input is closed")?;
        writeln!(input, "{run}").with_context(|| format!("{} has ended", self.name))?;
        let line = self.line_watched(interval, watch)?;
        let report: Report = serde_json::from_str(&line).with_context(|| self.unexpected(&line))?;
        ensure!(
            report.calls == calls,
            "{} made {} calls instead of {calls}",
            self.name,
            report.calls
        );
        if report.failed > 0 {
            bail!(
                "{}: {} of {calls} calls failed with {in_flight} in flight after {:.1} s: {}",
                self.name,
                report.failed,
                report.seconds,
                report.error.as_deref().unwrap_or("it does not say why")
            );
        }
        Ok(report)
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> Result<()> {
        ensure!(
            self.closes_its_output_within(PATIENCE),
            "{} does not end within {} s",
            self.name,
            PATIENCE.as_secs()
        );
        let status = self.child.wait()?;
        ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(())
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> Result<String> {
        self.line_watched(PATIENCE, || {})
    }

    fn line_watched(&mut self, interval: Duration, mut watch: impl FnMut()) -> Result<String> {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            match self.lines.recv_timeout(interval) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Disconnected) => bail!("{} has ended", self.name),
                Err(RecvTimeoutError::Timeout) => watch(),
            }
        }
        bail!("{} has printed nothing for {} s", self.name, PATIENCE.as_secs())
    }

    /// Ends its input. Whether the process has then closed its output in time, which it does when it ends.
    fn closes_its_output_within(&mut self, limit: Duration) -> bool {
        self.input = None;
        let deadline = Instant::now() + limit;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            if let Err(error) = self.lines.recv_timeout(left) {
                return error == RecvTimeoutError::Disconnected;
            }
        }
        false
    }

    fn unexpected(&self, line: &str) -> String {
        format!("{} printed an unexpected line: {line}", self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.closes_its_output_within(ENDING);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Does something that starts a process on these cores.
pub(crate) fn on<T>(cores: &[usize], start: impl FnOnce() -> std::io::Result<T>) -> Result<T> {
    let before = os::cores()?;
    os::pin_this_thread(cores)?;
    let started = start();
    os::pin_this_thread(&before)?;
    Ok(started?)
}
