//! A progress line: shown on a terminal after a second, and erased at the end.

use std::io::{IsTerminal as _, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const ERASE: &str = "\r\u{1b}[2K";

/// A running operation; dropping it erases the line.
#[derive(Debug)]
pub(crate) struct Waiting {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Waiting {
    /// Shows `what` on standard error, if that is a terminal, once a second has passed.
    pub(crate) fn begin(what: &'static str) -> Self {
        match std::io::stderr().is_terminal() {
            true => Self::on(std::io::stderr(), what, SECOND),
            false => Self {
                end: None,
                thread: None,
            },
        }
    }

    fn on(mut terminal: impl Write + Send + 'static, what: &'static str, every: Duration) -> Self {
        let (end, ended) = mpsc::channel();
        let begun = Instant::now();
        let shows = move || {
            let mut shown = false;
            while ended.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                let _nobody_reads = write!(terminal, "{ERASE}{what} … {} s", begun.elapsed().as_secs());
                let _nobody_reads = terminal.flush();
                shown = true;
            }
            if shown {
                let _nobody_reads = terminal.write_all(ERASE.as_bytes());
                let _nobody_reads = terminal.flush();
            }
        };
        // Without a thread there is no line, but the work goes on.
        let thread = std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn(shows)
            .ok();
        Self { end: Some(end), thread }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _it_cannot_panic = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Terminal(Sender<String>);

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _nobody_reads = self.0.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_line_is_erased_when_the_waiting_is_over() {
        let (written, read) = mpsc::channel();
        let waiting = Waiting::on(Terminal(written), "waiting", Duration::from_millis(1));
        let first = read.recv().unwrap();
        drop(waiting);
        let all = first + &read.iter().collect::<String>();
        assert!(all.contains("waiting … 0 s") && all.ends_with(ERASE), "{all:?}");
    }

    #[test]
    fn a_short_operation_shows_nothing() {
        let (written, read) = mpsc::channel();
        drop(Waiting::on(Terminal(written), "waiting", Duration::from_secs(3600)));
        assert_eq!(read.iter().count(), 0);
    }
}
