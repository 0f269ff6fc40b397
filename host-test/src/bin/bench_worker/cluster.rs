//! The test cluster, and what its journal says of its jobs.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};

use crate::http::{Connection, Request};
use crate::server::{Server, Shared};

/// Jobs that exist and are not completed. At each request the cluster looks at all of them, so there are few, and never too few for a worker.
const WINDOW: u64 = 128;

pub struct Cluster {
    server: Server,
    address: SocketAddr,
    control: Connection,
    journal: Shared<Journal>,
    created: u64,
}

/// From the lines of the cluster's program.
#[derive(Default)]
struct Journal {
    address: Option<SocketAddr>,
    completed: u64,
    last_completed: Option<Instant>,
    /// Whatever should not happen to a job here.
    troubles: Vec<String>,
}

impl Journal {
    fn note(&mut self, line: &str) {
        let Some((_, what)) = line.strip_prefix("job ").and_then(|line| line.split_once(": ")) else {
            let address = line.strip_prefix("http://").and_then(|address| address.parse().ok());
            self.address = self.address.or(address);
            return;
        };
        if what.starts_with("completed with ") {
            self.completed += 1;
            self.last_completed = Some(Instant::now());
        } else if !is_usual(what) {
            self.troubles.push(line.to_owned());
        }
    }
}

/// What happens to each job before its completion. Our worker writes down that it is about to start the flow (docs/worker.md).
fn is_usual(what: &str) -> bool {
    let again = what.ends_with(" times now");
    let beginnings = ["created, ", "activated ", "local variables set: "];
    !again && beginnings.iter().any(|beginning| what.starts_with(beginning))
}

impl Cluster {
    pub fn start(program: &Path) -> Result<Self> {
        let journal = Shared::<Journal>::default();
        let own = Arc::clone(&journal);
        let server = Server::start(Command::new(program), move |line| {
            own.change(|journal| journal.note(line));
        })?;
        let address = journal.wait_for("the test cluster's address", |journal| journal.address)?;
        Ok(Self {
            server,
            address,
            control: Connection::open(address)?,
            journal,
            created: 0,
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    /// How many jobs it has created.
    pub fn created(&self) -> u64 {
        self.created
    }

    /// Creates jobs for as long as it is told to; returns when all are completed, with the time of the last completion.
    pub fn work(&mut self, job: impl Fn(u64) -> String, more: impl Fn(u64) -> bool) -> Result<Instant> {
        let before = self.created;
        while more(self.created - before) {
            let open = self.at_most(WINDOW / 2)?;
            let mut batch = Vec::new();
            for number in self.created..self.created + WINDOW - open {
                if !more(number - before) {
                    break;
                }
                batch.push(Request::post("/control/jobs".to_owned(), job(number)));
            }
            self.control.exchange(&batch).context("cannot create jobs")?;
            self.created += batch.len() as u64;
        }
        self.at_most(0)?;
        self.journal
            .wait_for("a completed job", |journal| journal.last_completed)
    }

    /// Waits until no more jobs than this are open, and returns how many are.
    fn at_most(&self, open: u64) -> Result<u64> {
        let created = self.created;
        let (now, trouble) = self.journal.wait_for("jobs to be completed", |journal| {
            let now = created.saturating_sub(journal.completed);
            let trouble = journal.troubles.first().cloned();
            (now <= open || trouble.is_some()).then_some((now, trouble))
        })?;
        match trouble {
            Some(trouble) => bail!("{trouble}"),
            None => Ok(now),
        }
    }

    /// Every job was activated once and completed once.
    pub fn check(&self) -> Result<()> {
        let (completed, troubles) = self.journal.wait_for("the journal", |journal| {
            Some((journal.completed, journal.troubles.clone()))
        })?;
        ensure!(troubles.is_empty(), "{}", troubles.join("\n"));
        ensure!(
            completed == self.created,
            "{completed} completions of {} jobs",
            self.created
        );
        Ok(())
    }
}
