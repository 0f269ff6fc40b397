//! A program of ours that serves: its process, and the lines that it prints.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

/// Nothing of what is awaited has happened for so long: something is broken. A JVM on a machine that builds as well has taken minutes.
const PATIENCE: Duration = Duration::from_secs(300);

/// A process that is killed when it is dropped.
pub struct Server {
    child: Child,
}

impl Server {
    /// Starts it, and passes each line of its standard output on, without the line's end.
    pub fn start(mut command: Command, mut on_line: impl FnMut(&str) + Send + 'static) -> Result<Self> {
        let name = command.get_program().to_owned();
        let mut child = command
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", name.display()))?;
        let stdout = child.stdout.take();
        let server = Self { child };
        let mut lines = BufReader::with_capacity(1 << 16, stdout.context("standard output")?);
        std::thread::spawn(move || {
            let mut line = String::new();
            while matches!(lines.read_line(&mut line), Ok(1..)) {
                on_line(line.trim_end());
                line.clear();
            }
        });
        Ok(server)
    }

    /// The id of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A program by its path, or by its name alone (in PATH).
pub fn found(program: &Path) -> Result<PathBuf> {
    if program.components().count() == 1 {
        return Ok(program.to_owned());
    }
    ensure!(
        program.is_file(),
        "there is no {}: run `make bench-worker`",
        program.display()
    );
    Ok(std::path::absolute(program)?)
}

/// What is known of a server, and who waits for more.
#[derive(Default)]
pub struct Board<T> {
    state: Mutex<T>,
    changed: Condvar,
}

impl<T> Board<T> {
    pub fn change(&self, act: impl FnOnce(&mut T)) {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    /// Waits until there is something to find; not for ever.
    pub fn wait_for<F>(&self, awaited: &str, mut find: impl FnMut(&mut T) -> Option<F>) -> Result<F> {
        let mut found = None;
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = |state: &mut T| {
            found = find(state);
            found.is_none()
        };
        drop(self.changed.wait_timeout_while(state, PATIENCE, missing));
        match found {
            Some(found) => Ok(found),
            None => bail!("waited for {} s: {awaited}", PATIENCE.as_secs()),
        }
    }
}

pub type Shared<T> = Arc<Board<T>>;
