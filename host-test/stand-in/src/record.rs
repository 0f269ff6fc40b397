//! What was received and what was started, for a test to read while the stand-in goes on.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::http1::Head;
use crate::instance::{Flavour, Method};

/// A request as it was received, recorded from the moment its head has arrived.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Counts the requests of this stand-in from 1; never used twice, not even after a `clear`.
    pub number: usize,
    /// Counts the connections from 1: two requests with the same one shared it.
    pub connection: usize,
    /// What TLS said, if the connection has it.
    pub tls: Option<TlsSeen>,
    /// The request's line and headers, byte for byte, up to and with the empty line.
    pub head: Vec<u8>,
    /// The method; empty when the head was not HTTP or broke off.
    pub method: String,
    /// The request target as on the wire: percent-encoding untouched, the query included.
    pub target: String,
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub version: String,
    /// In order, letter case and repeats kept. A value is read as ISO-8859-1, as by servlet containers (`head` has its bytes).
    pub headers: Vec<(String, String)>,
    /// As much of the body as was read, without the chunks' framing.
    pub body: Vec<u8>,
    /// The whole request has arrived, and so a flow could have started, whatever was answered.
    pub complete: bool,
    /// The status of the answer that the stand-in began to send, if any.
    pub answered: Option<u16>,
    /// The exchange is over: answered, refused or broken off.
    pub over: bool,
}

impl Recorded {
    /// The values of a header, whatever its letter case, in order.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The path: the target up to its `?`.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The raw query: the target after its first `?`.
    #[must_use]
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// What the TLS handshake said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSeen {
    /// The name that the client asked for (SNI).
    pub server_name: Option<String>,
    /// `TLSv1_2` or `TLSv1_3`.
    pub version: String,
}

/// A flow that really started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Its execution id (32 letters), or its `sys_id` (32 hexadecimal digits).
    pub id: String,
    /// Which of the two.
    pub flavour: Flavour,
    /// The method that started it.
    pub method: Method,
    /// The flow's path as it was declared.
    pub flow: String,
    /// Who started it; nobody when it is public.
    pub user: Option<String>,
    /// [`Recorded::number`] of the request that started it.
    pub request: usize,
}

/// A connection on which no request could be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailedHandshake {
    /// The connection's number, as in [`Recorded::connection`].
    pub connection: usize,
    /// The name that the client asked for (SNI), if its first message arrived.
    pub server_name: Option<String>,
    /// Why: what TLS said, or `configured fault: …`.
    pub why: String,
}

/// What happened, for a reader at the terminal.
#[derive(Debug)]
pub enum Event {
    /// An exchange is over; the flow that it started, if it did.
    Request(Box<Recorded>, Option<Start>),
    /// A client left before it sent a request, and why (a certificate it did not trust, most often).
    HandshakeFailed(String),
}

/// Called on the stand-in's own thread, so it must not wait for the stand-in.
pub(crate) type Observer = Box<dyn Fn(&Event) + Send + Sync>;

pub(crate) struct Log {
    pages: Mutex<Pages>,
    changed: Condvar,
    changes: watch::Sender<()>,
    observer: Option<Observer>,
    keep: usize,
}

#[derive(Default)]
struct Pages {
    last: usize,
    requests: Vec<Recorded>,
    starts: Vec<Start>,
    failed_handshakes: Vec<FailedHandshake>,
}

impl Log {
    pub fn new(observer: Option<Observer>, keep: Option<usize>) -> Self {
        Self {
            pages: Mutex::default(),
            changed: Condvar::new(),
            changes: watch::Sender::new(()),
            observer,
            keep: keep.unwrap_or(usize::MAX),
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn requests(&self) -> Vec<Recorded> {
        self.pages().requests.clone()
    }

    pub fn starts(&self) -> Vec<Start> {
        self.pages().starts.clone()
    }

    /// A request whose exchange still runs is forgotten as well.
    pub fn clear(&self) {
        let mut pages = self.pages();
        pages.requests.clear();
        pages.starts.clear();
        pages.failed_handshakes.clear();
    }

    pub fn failed_handshakes(&self) -> Vec<FailedHandshake> {
        self.pages().failed_handshakes.clone()
    }

    /// Tells of each change from now on, for who must not block.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    fn has_changed(&self) {
        self.changed.notify_all();
        self.changes.send_replace(());
    }

    pub fn wait_until(&self, timeout: Duration, mut holds: impl FnMut(&[Recorded], &[Start]) -> bool) -> bool {
        self.wait(timeout, |pages| holds(&pages.requests, &pages.starts))
    }

    pub fn wait_for_failed_handshakes(&self, count: usize, timeout: Duration) -> bool {
        self.wait(timeout, |pages| pages.failed_handshakes.len() >= count)
    }

    fn wait(&self, timeout: Duration, mut holds: impl FnMut(&Pages) -> bool) -> bool {
        let end = Instant::now() + timeout;
        let mut pages = self.pages();
        loop {
            if holds(&pages) {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            pages = self
                .changed
                .wait_timeout(pages, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Opens a record; the answer is its number.
    pub fn begin(&self, connection: usize, tls: Option<&TlsSeen>, head: &Head) -> usize {
        let mut pages = self.pages();
        pages.last += 1;
        let number = pages.last;
        pages.requests.push(Recorded {
            number,
            connection,
            tls: tls.cloned(),
            head: head.raw.clone(),
            method: head.method.clone(),
            target: head.target.clone(),
            version: head.version.to_owned(),
            headers: head.headers.clone(),
            ..Recorded::default()
        });
        self.has_changed();
        number
    }

    pub fn update(&self, number: usize, change: impl FnOnce(&mut Recorded)) {
        let mut pages = self.pages();
        if let Some(record) = pages.find(number) {
            change(record);
            self.has_changed();
        }
    }

    pub fn request(&self, number: usize) -> Option<Recorded> {
        self.pages().find(number).cloned()
    }

    pub fn started(&self, start: Start) {
        self.pages().starts.push(start);
        self.has_changed();
    }

    pub fn over(&self, number: usize) {
        self.update(number, |record| record.over = true);
        if self.observer.is_some()
            && let Some(record) = self.request(number)
        {
            let start = self
                .pages()
                .starts
                .iter()
                .find(|start| start.request == number)
                .cloned();
            self.tell(&Event::Request(Box::new(record), start));
        }
        self.pages().forget_beyond(self.keep);
    }

    pub fn handshake_failed(&self, failed: FailedHandshake) {
        let event = Event::HandshakeFailed(failed.why.clone());
        let mut pages = self.pages();
        pages.failed_handshakes.push(failed);
        let surplus = pages.failed_handshakes.len().saturating_sub(self.keep);
        pages.failed_handshakes.drain(..surplus);
        drop(pages);
        self.has_changed();
        self.tell(&event);
    }

    fn tell(&self, event: &Event) {
        if let Some(observer) = &self.observer {
            observer(event);
        }
    }
}

impl Pages {
    /// The newest are asked for most.
    fn find(&mut self, number: usize) -> Option<&mut Recorded> {
        self.requests.iter_mut().rev().find(|record| record.number == number)
    }

    fn forget_beyond(&mut self, keep: usize) {
        let surplus = self.requests.len().saturating_sub(keep);
        if surplus > 0 {
            self.requests.drain(..surplus);
            let oldest = self.requests.first().map_or(0, |record| record.number);
            self.starts.retain(|start| start.request >= oldest);
        }
    }
}
