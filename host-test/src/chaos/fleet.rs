//! The workers of a run: some places, and a new worker in each place whose worker has ended.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use camunda_test_cluster::Cluster;

use super::board::Board;
use crate::worker_program::{Signal, WorkerProgram};

/// Starts the worker with this number.
pub type Starter<'a> = Box<dyn Fn(usize) -> Result<WorkerProgram> + 'a>;

/// What a fleet is like.
#[derive(Debug, Clone, Copy)]
pub struct Crew {
    /// Workers at a time. Half of them stand still at the same time, at most.
    pub places: usize,
    /// The cluster knows the workers by their names, and so which jobs each of them has.
    pub named: bool,
    /// Otherwise: how long its locks last.
    pub lock: Duration,
    /// And what a worker logs that has started.
    pub started: &'static str,
    /// A worker that is asked to end ends with 0.
    pub ends_well: bool,
}

enum State {
    Running,
    /// Stands still until so long after its last lock has passed.
    Paused {
        since: Instant,
        linger: Duration,
        free_since: Option<Instant>,
    },
    Ending,
}

struct Place {
    worker: WorkerProgram,
    /// It has taken jobs, or says that it does.
    ready: bool,
    state: State,
}

/// The workers that run.
pub struct Fleet<'a> {
    crew: Crew,
    start: Starter<'a>,
    places: Vec<Place>,
    started: usize,
    /// Workers that have ended: what the cluster still hands out to them is nobody's.
    gone: BTreeSet<String>,
    /// What was done to workers.
    pub counts: Counts,
    /// Whatever a worker should not have done.
    pub complaints: Vec<String>,
}

/// What was done to workers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// SIGKILL.
    pub killed: usize,
    /// SIGTERM.
    pub terminated: usize,
    /// SIGSTOP, and SIGCONT once every lock had passed.
    pub paused: usize,
}

impl<'a> Fleet<'a> {
    /// Starts a worker in each place.
    ///
    /// # Errors
    /// Where one cannot be started.
    pub fn new(crew: Crew, start: Starter<'a>) -> Result<Self> {
        let mut fleet = Self {
            crew,
            start,
            places: Vec::new(),
            started: 0,
            gone: BTreeSet::new(),
            counts: Counts::default(),
            complaints: Vec::new(),
        };
        for _ in 0..crew.places {
            let place = fleet.next()?;
            fleet.places.push(place);
        }
        Ok(fleet)
    }

    fn next(&mut self) -> Result<Place> {
        let worker = (self.start)(self.started)?;
        self.started += 1;
        Ok(Place {
            worker,
            ready: false,
            state: State::Running,
        })
    }

    fn paused(&self) -> usize {
        let paused = |place: &&Place| matches!(place.state, State::Paused { .. });
        self.places.iter().filter(paused).count()
    }

    /// Whether the worker in this place can be disturbed now. One that has not taken a job yet would not notice.
    #[must_use]
    pub fn is_free(&self, place: usize, pausing: bool) -> bool {
        let running = |place: &Place| matches!(place.state, State::Running) && place.ready;
        self.places.get(self.place(place)).is_some_and(running) && !(pausing && self.paused() >= self.crew.places / 2)
    }

    fn place(&self, planned: usize) -> usize {
        planned % self.places.len().max(1)
    }

    /// SIGKILL. Its jobs are handed out again at once: it cannot do anything any more.
    ///
    /// # Errors
    /// Where the next worker cannot be started.
    pub fn kill(&mut self, place: usize, board: &Board) -> Result<()> {
        let next = self.next()?;
        let place = self.place(place);
        if let Some(place) = self.places.get_mut(place) {
            board.lock().disturb(&place.worker.name);
            place.worker.kill()?;
            // What it was handed in between.
            board.lock().disturb(&place.worker.name);
            self.gone.insert(place.worker.name.clone());
            *place = next;
            self.counts.killed += 1;
        }
        Ok(())
    }

    /// SIGTERM.
    ///
    /// # Errors
    /// Where the signal cannot be sent.
    pub fn terminate(&mut self, place: usize) -> Result<()> {
        let place = self.place(place);
        if let Some(place) = self.places.get_mut(place) {
            place.worker.signal(Signal::Terminate)?;
            place.state = State::Ending;
            self.counts.terminated += 1;
        }
        Ok(())
    }

    /// SIGSTOP.
    ///
    /// # Errors
    /// Where the signal cannot be sent.
    pub fn pause(&mut self, place: usize, linger: Duration, board: &Board) -> Result<()> {
        let place = self.place(place);
        if let Some(place) = self.places.get_mut(place) {
            place.worker.signal(Signal::Stop)?;
            board.lock().disturb(&place.worker.name);
            place.state = State::Paused {
                since: Instant::now(),
                linger,
                free_since: None,
            };
            self.counts.paused += 1;
        }
        Ok(())
    }

    /// Lets workers go on, replaces those that have ended, and frees the jobs of the dead.
    ///
    /// # Errors
    /// Where a signal cannot be sent, or a worker not started.
    pub fn tick(&mut self, cluster: &Cluster, board: &Board) -> Result<()> {
        for name in &self.gone {
            let held = board.lock().held_by(name);
            for key in held {
                cluster.expire(key);
            }
        }
        for at in 0..self.places.len() {
            if let Some(ended) = self.end_of(at)? {
                let next = self.next()?;
                let place = self.places.get_mut(at).context("there is such a place")?;
                let ending = matches!(place.state, State::Ending);
                if !(ending && (ended.success() || !self.crew.ends_well)) {
                    let asked = if ending { " after SIGTERM" } else { "" };
                    let log = place.worker.log.display();
                    let complaint = format!("worker {} ended with {ended}{asked}: see {log}", place.worker.name);
                    self.complaints.push(complaint);
                }
                board.lock().disturb(&place.worker.name);
                self.gone.insert(place.worker.name.clone());
                *place = next;
            }
        }
        for place in &mut self.places {
            let name = &place.worker.name;
            place.ready = place.ready
                || match self.crew.named {
                    true => board.lock().seen.contains(name),
                    false => place.worker.has_logged(self.crew.started),
                };
            let State::Paused {
                since,
                linger,
                free_since,
            } = &mut place.state
            else {
                continue;
            };
            let held = board.lock().held_by(name).len();
            if held > 0 || (!self.crew.named && since.elapsed() < self.crew.lock) {
                // A poll that had reached the cluster is still answered.
                *free_since = None;
                continue;
            }
            if free_since.get_or_insert_with(Instant::now).elapsed() < *linger {
                continue;
            }
            place.worker.signal(Signal::Continue)?;
            board.lock().goes_on(name);
            place.state = State::Running;
        }
        Ok(())
    }

    fn end_of(&mut self, at: usize) -> Result<Option<std::process::ExitStatus>> {
        match self.places.get_mut(at) {
            Some(place) => place.worker.ended(),
            None => Ok(None),
        }
    }

    /// Some worker takes jobs, if there are any.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.places
            .iter()
            .any(|place| place.ready && matches!(place.state, State::Running))
    }

    /// How many workers were started.
    #[must_use]
    pub fn started(&self) -> usize {
        self.started
    }

    /// Every worker runs, and none is about to end.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.places.iter().all(|place| matches!(place.state, State::Running))
    }

    /// Ends all of them in good order, and looks through their logs for panics.
    ///
    /// # Errors
    /// Where a log cannot be read.
    pub fn end(mut self, folder: &std::path::Path) -> Result<Vec<String>> {
        self.places.clear();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "log") {
                let log = std::fs::read(&path)?;
                let log = String::from_utf8_lossy(&log);
                let line = log.lines().find(|line| line.contains("panicked at"));
                self.complaints
                    .extend(line.map(|line| format!("{}: {line}", path.display())));
            }
        }
        Ok(self.complaints)
    }
}
