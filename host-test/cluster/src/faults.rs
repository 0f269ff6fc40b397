//! Faults: what goes wrong with which requests, and the requests that are held back.

use std::sync::Mutex;

use crate::answer::Answer;
use crate::call::Call;
use crate::core::lock;
use crate::keys::JobKey;
use crate::record::Request;
use crate::wire::End;

/// Names a fault that was set.
pub type FaultId = usize;

/// How many requests meet a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// The next one.
    Once,
    /// The next so many.
    N(usize),
    /// All, until the fault is removed.
    Always,
}

/// What goes wrong with a request. Unless [`Fault::after`] is called, the request is not processed.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub(crate) act: Act,
    pub(crate) after: bool,
    pub(crate) job: Option<JobKey>,
    pub(crate) skip: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Act {
    Answer(Answer),
    Hold,
    Silence,
    Cut(End),
    Half(End),
    Bytes(Vec<u8>),
    Late { cut: bool },
    Replay,
}

impl Fault {
    fn of(act: Act) -> Self {
        Self {
            act,
            after: false,
            job: None,
            skip: 0,
        }
    }

    /// This answer comes instead.
    #[must_use]
    pub fn answer(answer: Answer) -> Self {
        Self::of(Act::Answer(answer))
    }

    /// No answer until the fault is released; the connection stays open. Not processed before that, unless
    /// [`Self::after`] is called, and never if the client leaves first.
    #[must_use]
    pub fn hold() -> Self {
        Self::of(Act::Hold)
    }

    /// The connection is a black hole from here on: nothing is answered, and what is sent on it is swallowed.
    #[must_use]
    pub fn silence() -> Self {
        Self::of(Act::Silence)
    }

    /// The connection is closed before any byte of an answer.
    #[must_use]
    pub fn cut() -> Self {
        Self::of(Act::Cut(End::Close))
    }

    /// The connection is reset before any byte of an answer.
    #[must_use]
    pub fn reset() -> Self {
        Self::of(Act::Cut(End::Reset))
    }

    /// Half an answer, then the connection is closed.
    #[must_use]
    pub fn half_then_close() -> Self {
        Self::of(Act::Half(End::Close))
    }

    /// Half an answer, then the connection is reset.
    #[must_use]
    pub fn half_then_reset() -> Self {
        Self::of(Act::Half(End::Reset))
    }

    /// Half an answer, then nothing more; the connection stays open.
    #[must_use]
    pub fn half_then_stall() -> Self {
        Self::of(Act::Half(End::Stall))
    }

    /// These bytes in place of an HTTP answer, then the connection is closed.
    #[must_use]
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::of(Act::Bytes(bytes.into()))
    }

    /// The request is kept and processed when the test delivers it. No answer comes; the connection stays open.
    #[must_use]
    pub fn late() -> Self {
        Self::of(Act::Late { cut: false })
    }

    /// As [`Self::late`], and the connection is closed at once.
    #[must_use]
    pub fn late_and_cut() -> Self {
        Self::of(Act::Late { cut: true })
    }

    /// The request is processed and answered, and once more each time the test delivers it, as by a proxy that repeats it.
    #[must_use]
    pub fn replay() -> Self {
        Self::of(Act::Replay)
    }

    /// The request is processed first: only its answer is lost, late or another.
    #[must_use]
    pub fn after(self) -> Self {
        Self { after: true, ..self }
    }

    /// Only requests that name this job in their path.
    #[must_use]
    pub fn for_job(self, job: JobKey) -> Self {
        Self { job: Some(job), ..self }
    }

    /// The first so many requests are left alone.
    #[must_use]
    pub fn skip(self, skip: usize) -> Self {
        Self { skip, ..self }
    }
}

#[derive(Default)]
pub(crate) struct Faults {
    entries: Mutex<Vec<Entry>>,
}

struct Entry {
    call: Call,
    fault: Fault,
    /// How many more requests meet it; `None` is no end.
    left: Option<usize>,
    hits: usize,
    released: bool,
    held: Vec<Request>,
}

impl Faults {
    pub fn set(&self, call: Call, times: Times, fault: Fault) -> FaultId {
        let mut entries = lock(&self.entries);
        entries.push(Entry {
            call,
            fault,
            left: match times {
                Times::Once => Some(1),
                Times::N(n) => Some(n),
                Times::Always => None,
            },
            hits: 0,
            released: false,
            held: Vec::new(),
        });
        entries.len() - 1
    }

    /// The fault that this request meets: the first that was set and is not used up.
    pub fn meet(&self, request: &Request) -> Option<(FaultId, Fault)> {
        let mut entries = lock(&self.entries);
        for (id, entry) in entries.iter_mut().enumerate() {
            let fault = &mut entry.fault;
            let fits = entry.call.includes(request.route.call())
                && fault.job.is_none_or(|job| request.route.job() == Some(job))
                && entry.left != Some(0);
            if !fits {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            entry.hits += 1;
            entry.left = entry.left.map(|left| left - 1);
            if matches!(fault.act, Act::Late { .. } | Act::Replay) {
                entry.held.push(request.clone());
            }
            return Some((id, fault.clone()));
        }
        None
    }

    fn entry<T: Default>(&self, id: FaultId, act: impl FnOnce(&mut Entry) -> T) -> T {
        lock(&self.entries).get_mut(id).map(act).unwrap_or_default()
    }

    pub fn exists(&self, id: FaultId) -> bool {
        lock(&self.entries).get(id).is_some()
    }

    pub fn hits(&self, id: FaultId) -> usize {
        self.entry(id, |entry| entry.hits)
    }

    pub fn is_released(&self, id: FaultId) -> bool {
        self.entry(id, |entry| entry.released)
    }

    pub fn release(&self, id: FaultId) {
        self.entry(id, |entry| entry.released = true);
    }

    pub fn remove(&self, id: FaultId) {
        self.entry(id, |entry| entry.left = Some(0));
    }

    /// No fault is met any more, and no request held; what was kept to be delivered stays.
    pub fn clear(&self) {
        for entry in lock(&self.entries).iter_mut() {
            entry.left = Some(0);
            entry.released = true;
        }
    }

    /// The requests kept so far, to be processed now. A late one is delivered once.
    pub fn take_held(&self, id: FaultId) -> Vec<Request> {
        self.entry(id, |entry| match entry.fault.act {
            Act::Replay => entry.held.clone(),
            _ => std::mem::take(&mut entry.held),
        })
    }
}
