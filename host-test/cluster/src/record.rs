//! What was received, in order.

use std::sync::Mutex;
use std::time::Instant;

use serde_json::Value;

use crate::call::{Call, Route};
use crate::core::lock;
use crate::faults::FaultId;
use crate::keys::JobKey;

/// A request as it was received.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Counts the requests from 1.
    pub number: usize,
    /// Counts the connections from 1.
    pub connection: u64,
    /// When it had arrived.
    pub at: Instant,
    /// Which call it is.
    pub call: Call,
    /// The job that its path names.
    pub job: Option<JobKey>,
    /// The method.
    pub method: String,
    /// The path and the query.
    pub target: String,
    /// Names in lower case, in order. `authorization` too.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// The body as JSON, if it is JSON.
    pub json: Value,
    /// The status that was answered; `None` while it is not, or if it never is.
    pub answered: Option<u16>,
    /// The fault that it met.
    pub fault: Option<FaultId>,
}

impl Recorded {
    /// The first value of a header, by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// The path: the target up to its `?`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// A whole request, on its way to an answer.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub number: usize,
    pub route: Route,
    pub path: String,
    pub authorization: Option<String>,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

pub(crate) struct Log {
    pages: Mutex<Pages>,
    keep: usize,
}

#[derive(Default)]
struct Pages {
    requests: Vec<Recorded>,
    last: usize,
}

impl Log {
    pub fn new(keep: Option<usize>) -> Self {
        Self {
            pages: Mutex::default(),
            keep: keep.unwrap_or(usize::MAX),
        }
    }

    /// Writes it down, and gives it its number.
    pub fn add(&self, mut request: Recorded) -> usize {
        let mut pages = lock(&self.pages);
        pages.last += 1;
        request.number = pages.last;
        pages.requests.push(request);
        let beyond = pages.requests.len().saturating_sub(self.keep);
        pages.requests.drain(..beyond);
        pages.last
    }

    pub fn change(&self, number: usize, act: impl FnOnce(&mut Recorded)) {
        let mut pages = lock(&self.pages);
        // The latest are changed most.
        if let Some(request) = pages.requests.iter_mut().rev().find(|own| own.number == number) {
            act(request);
        }
    }

    pub fn requests(&self, of: Call) -> Vec<Recorded> {
        let pages = lock(&self.pages);
        let wanted = pages.requests.iter().filter(|request| of.includes(request.call));
        wanted.cloned().collect()
    }

    pub fn count(&self, of: Call) -> usize {
        let pages = lock(&self.pages);
        pages
            .requests
            .iter()
            .filter(|request| of.includes(request.call))
            .count()
    }

    pub fn nth(&self, of: Call, n: usize) -> Option<Recorded> {
        let pages = lock(&self.pages);
        let mut wanted = pages.requests.iter().filter(|request| of.includes(request.call));
        wanted.nth(n.saturating_sub(1)).cloned()
    }

    pub fn clear(&self) {
        lock(&self.pages).requests.clear();
    }
}
