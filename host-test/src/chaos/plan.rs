//! The plan of a run: everything that is drawn from the seed.

use std::time::Duration;

use camunda_test_cluster::Call;
use servicenow_stand_in::{Behaviour, Fault};

use super::random::Random;

/// What a run does. The same seed and number of jobs make the same plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// The jobs, in the order in which they are created.
    pub jobs: Vec<JobPlan>,
    /// What happens to workers and cluster, in order.
    pub events: Vec<Event>,
}

/// What an author wants where nobody knows whether the flow was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnUnknown {
    /// An incident.
    Incident,
    /// The flow is started again while retries are left.
    Retry,
    /// A BPMN error that nothing catches.
    Error,
    /// A BPMN error that a boundary event catches.
    Caught,
}

/// A job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobPlan {
    /// Which of the run, from 0.
    pub number: usize,
    /// Its task header `onUnknown`.
    pub on_unknown: OnUnknown,
    /// The retries that it starts with.
    pub retries: i32,
    /// Its task header `retryBackoff`.
    pub back_off: &'static str,
    /// Which of the instance's hosts it calls.
    pub host: usize,
    /// What the instance does with the first requests for its flow. The rest are answered normally.
    pub conduct: Vec<Conduct>,
}

/// What the instance does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conduct {
    /// Starts the flow and says so.
    Normal,
    /// The same, after so many milliseconds.
    Late(u64),
    /// Never answers within the read timeout, though the flow was started.
    TooLate,
    /// A status; nothing starts.
    Status(u16),
    /// 429 with `Retry-After: 1`.
    RateLimited,
    /// 429 without.
    Semaphore,
    /// One of the stand-in's named faults.
    Fault(Fault),
}

/// The job's read timeout, in seconds.
pub const READ_TIMEOUT: u64 = 5;

impl Conduct {
    /// As the stand-in has it.
    #[must_use]
    pub fn behaviour(self) -> Behaviour {
        match self {
            Self::Normal => Behaviour::Normal,
            Self::Late(by) => Behaviour::late(Duration::from_millis(by)),
            Self::TooLate => Behaviour::late(Duration::from_secs(3 * READ_TIMEOUT)),
            Self::Status(status) => Behaviour::status(status),
            Self::RateLimited => Behaviour::RateLimited { retry_after: 1 },
            Self::Semaphore => Behaviour::Semaphore,
            Self::Fault(fault) => Behaviour::Fault(fault),
        }
    }

    /// Its answer leaves open whether a flow was started.
    #[must_use]
    pub fn leaves_open(self) -> bool {
        match self {
            Self::Normal | Self::Late(_) | Self::RateLimited | Self::Semaphore => false,
            Self::Status(status) => matches!(status, 500 | 504),
            Self::TooLate => true,
            Self::Fault(fault) => !SPOILT.contains(&fault) && !HARMLESS.contains(&fault),
        }
    }

    /// Says that the flow was started, but the body with its id is lost.
    #[must_use]
    pub fn loses_the_id(self) -> bool {
        matches!(self, Self::Fault(fault) if SPOILT.contains(&fault))
    }
}

/// A 2xx arrives, and its body does not.
const SPOILT: [Fault; 6] = [
    Fault::ResetAfterHead,
    Fault::CloseWithinBody,
    Fault::CutWithinBody,
    Fault::ResetWithinBody,
    Fault::UnfinishedChunks,
    Fault::EmptyBody,
];
const HARMLESS: [Fault; 2] = [Fault::ResetAfterAnswer, Fault::Continue];
/// Nobody can say whether a flow was started. `Cancelled` is a 200 whose body says that the transaction was cancelled.
const OPEN: [Fault; 11] = [
    Fault::ResetOnHead,
    Fault::CloseOnHead,
    Fault::Close,
    Fault::Cut,
    Fault::Reset,
    Fault::CloseWithinHead,
    Fault::ResetWithinHead,
    Fault::Cancelled,
    Fault::CancelledWithinBody,
    Fault::SignIn,
    Fault::Garbage,
];

/// Something that happens when workers have been handed so many jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The hand-outs, over all workers since the start, after which it happens.
    pub after: usize,
    /// What happens.
    pub what: Happening,
}

/// What happens to a worker, by its place, or to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// SIGKILL; another worker takes its place.
    Kill(usize),
    /// SIGTERM; when it has ended, another takes its place.
    Terminate(usize),
    /// SIGSTOP; SIGCONT so many milliseconds after the last of its locks has passed.
    Pause(usize, u64),
    /// Every connection is dropped; jobs stay as they are.
    Restart,
    /// Connections are refused for so many milliseconds.
    Away(u64),
    /// The open connections swallow everything, and are never closed.
    BlackHole,
    /// The next requests of a kind go wrong.
    Requests(Call, usize, Trouble),
}

/// What goes wrong with a request to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Answered so many milliseconds late.
    Slow(u64),
    /// Refused before it is processed: 429, 503 or 500 `RESOURCE_EXHAUSTED`.
    Overloaded(Refusal),
    /// A gateway's 504, before the request is processed or after.
    GatewayTimeout(bool),
    /// The connection is cut in place of an answer, before the request is processed or after.
    Cut(bool),
    /// Half an answer, then a reset, before the request is processed or after.
    Half(bool),
    /// Processed so many milliseconds later, when its connection is long gone.
    Delivered(u64),
    /// Processed and answered, and processed once more so many milliseconds later, as by a proxy.
    Replayed(u64),
}

/// How an overloaded cluster refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// 429
    TooMany,
    /// 503
    Exhausted,
    /// 500
    Exhausted500,
}

/// How many workers there are at a time.
pub const PLACES: usize = 8;
/// How many hosts the instance has.
pub const HOSTS: usize = 3;

impl Plan {
    /// Draws the plan.
    #[must_use]
    pub fn new(seed: u64, jobs: usize) -> Self {
        Self {
            seed,
            jobs: (0..jobs).map(|number| job(seed, number)).collect(),
            events: events(seed, jobs),
        }
    }

    /// How many workers are started in all, at most.
    #[must_use]
    pub fn workers(&self) -> usize {
        let ends = |event: &&Event| matches!(event.what, Happening::Kill(_) | Happening::Terminate(_));
        PLACES + self.events.iter().filter(ends).count()
    }
}

fn job(seed: u64, number: usize) -> JobPlan {
    let mut random = Random::new(seed, "job", number);
    let wishes = [
        (45, OnUnknown::Incident),
        (30, OnUnknown::Retry),
        (15, OnUnknown::Error),
        (10, OnUnknown::Caught),
    ];
    JobPlan {
        number,
        on_unknown: random.weighted(&wishes).unwrap_or(OnUnknown::Incident),
        retries: i32::try_from(random.between(1, 4)).unwrap_or(1),
        back_off: random.pick(&["", "PT0S", "PT1S"]).unwrap_or_default(),
        host: random.below(HOSTS),
        conduct: (0..random.between(1, 4)).map(|_| conduct(&mut random)).collect(),
    }
}

fn conduct(random: &mut Random) -> Conduct {
    let late = random.between(20, 2_500) as u64;
    let fault = |random: &mut Random, all: &[Fault]| random.pick(all).map_or(Conduct::Normal, Conduct::Fault);
    match random.below(100) {
        0..40 => Conduct::Normal,
        40..62 => Conduct::Late(late),
        62..64 => Conduct::TooLate,
        64..76 => fault(random, &OPEN),
        76..82 => fault(random, &SPOILT),
        82..84 => fault(random, &HARMLESS),
        84..88 => Conduct::RateLimited,
        88..91 => Conduct::Semaphore,
        _ => Conduct::Status(random.pick(&[503, 503, 503, 500, 401, 404]).unwrap_or(503)),
    }
}

fn events(seed: u64, jobs: usize) -> Vec<Event> {
    let mut random = Random::new(seed, "events", jobs);
    let mut events = Vec::new();
    let mut add = |after, what| events.push(Event { after, what });
    // Pauses last for as long as the longest lock: they begin early.
    for pause in 0..2 + jobs / 400 {
        let (start, end) = if pause < 2 {
            (jobs / 20, jobs / 4)
        } else {
            (0, jobs * 8 / 10)
        };
        let after = random.between(start, end);
        add(
            after,
            Happening::Pause(random.below(PLACES), random.between(0, 2_000) as u64),
        );
    }
    for _ in 0..3 + jobs / 150 {
        let after = random.between(jobs / 20, jobs);
        add(after, Happening::Kill(random.below(PLACES)));
    }
    for _ in 0..2 + jobs / 300 {
        let after = random.between(jobs / 20, jobs);
        add(after, Happening::Terminate(random.below(PLACES)));
    }
    for _ in 0..12 + jobs / 20 {
        let after = random.below(jobs);
        add(after, cluster(&mut random));
    }
    events.sort_by_key(|event| event.after);
    events
}

fn cluster(random: &mut Random) -> Happening {
    let calls = [
        (2, Call::Activation),
        (4, Call::Completion),
        (4, Call::Failure),
        (2, Call::Error),
        (5, Call::Variables),
    ];
    let call = random.weighted(&calls).unwrap_or(Call::Completion);
    let (after, many, soon) = (
        random.percent(60),
        random.between(1, 12),
        random.between(50, 1_500) as u64,
    );
    let few = random.between(1, 3);
    match random.below(60) {
        0..2 => Happening::Restart,
        2..4 => Happening::Away(random.between(100, 3_000) as u64),
        4 => Happening::BlackHole,
        5..20 => Happening::Requests(call, many, Trouble::Slow(soon)),
        20..30 => {
            let refusals = [Refusal::TooMany, Refusal::Exhausted, Refusal::Exhausted500];
            let refusal = random.pick(&refusals).unwrap_or(Refusal::Exhausted);
            Happening::Requests(call, many, Trouble::Overloaded(refusal))
        }
        30..36 => Happening::Requests(call, few, Trouble::GatewayTimeout(after)),
        36..46 => Happening::Requests(call, few, Trouble::Cut(after)),
        46..51 => Happening::Requests(call, few, Trouble::Half(after)),
        51..56 if call != Call::Activation => Happening::Requests(call, few, Trouble::Delivered(2 * soon)),
        // A proxy repeats what is idempotent, and nothing else.
        _ => Happening::Requests(Call::Variables, few, Trouble::Replayed(2 * soon)),
    }
}
