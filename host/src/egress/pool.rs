//! Idle connections, kept for the next call.
//!
//! An idle HTTP/1.1 connection has no task: the call that uses it polls it, and between calls nobody does. There are no more of them than calls
//! ran at the same time, until the idle timeout closes them. Each runtime has its own connections, because a connection depends on the
//! runtime that made it. Each [`Egress`](super::Egress) has its own pool, so that no connection is shared across client certificates or
//! proxies.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use hyper::client::conn::{http1, http2};
use tokio::runtime;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::io::TokioIo;

use super::origin::Origin;
use super::stream::Io;
use super::wire::{Flushing, Handover, Records};

type Http1Connection = http1::Connection<TokioIo<Flushing<Box<dyn Io>>>, WasiBody>;

/// An HTTP/1.1 connection; its user polls it.
pub(super) struct Http1 {
    pub(super) sender: http1::SendRequest<WasiBody>,
    /// None when it has ended.
    pub(super) connection: Option<Pin<Box<Http1Connection>>>,
    pub(super) handover: Arc<Handover>,
    pub(super) records: Arc<Records>,
}

impl Http1 {
    /// Whether it has ended, as far as visible without waiting. An unsolicited byte ends it, too: the HTTP library sees response bytes,
    /// but not those of an incomplete TLS record.
    fn has_ended(&mut self) -> bool {
        let ended = self
            .connection
            .as_mut()
            .is_none_or(|connection| connection.now_or_never().is_some());
        ended || self.records.is_within_one()
    }
}

/// An HTTP/2 connection, which has its own task, and a count of its users.
#[derive(Clone)]
pub(super) struct Http2 {
    pub(super) sender: http2::SendRequest<WasiBody>,
    pub(super) users: Arc<()>,
    /// The server's current limit of concurrent streams.
    pub(super) most_streams: Arc<AtomicUsize>,
}

impl Http2 {
    /// Its users, not counting the pool.
    fn users(&self) -> usize {
        Arc::strong_count(&self.users).saturating_sub(1)
    }

    /// It is open, and the server accepts another stream; a surplus stream would wait behind the others as if it were sent.
    fn has_room(&self) -> bool {
        self.sender.is_ready() && self.users() < self.most_streams.load(Ordering::Relaxed)
    }
}

pub(super) enum Kept {
    Http1(Http1),
    Http2(Http2),
}

/// Identifies a set of connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    runtime: runtime::Id,
    origin: Origin,
}

impl Key {
    pub(super) fn here(origin: &Origin) -> Self {
        Self {
            runtime: runtime::Handle::current().id(),
            origin: origin.clone(),
        }
    }
}

pub(super) struct Pool {
    idle_timeout: Duration,
    idle: Mutex<HashMap<Key, IdleSet>>,
}

#[derive(Default)]
struct IdleSet {
    http1: Vec<(Http1, Instant)>,
    http2: Vec<(Http2, Instant)>,
    /// A task closes what stays idle too long.
    swept: bool,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("idle_timeout", &self.idle_timeout)
            .finish_non_exhaustive()
    }
}

impl Pool {
    pub(super) fn new(idle_timeout: Duration) -> Self {
        Self {
            idle_timeout,
            idle: Mutex::default(),
        }
    }

    fn idle(&self) -> MutexGuard<'_, HashMap<Key, IdleSet>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A usable connection, as far as visible.
    pub(super) async fn take(&self, key: &Key) -> Option<Kept> {
        if !self.idle().contains_key(key) {
            return None;
        }
        // Lets the runtime poll its sockets, so that a close that has arrived is seen before the connection is used.
        tokio::task::yield_now().await;
        if let Some(http2) = self.shared(key) {
            return Some(Kept::Http2(http2));
        }
        loop {
            let (mut http1, since) = self.idle().get_mut(key)?.http1.pop()?;
            let closed = http1.has_ended();
            if !closed && since.elapsed() < self.idle_timeout && http1.sender.is_ready() {
                return Some(Kept::Http1(http1));
            }
        }
    }

    fn shared(&self, key: &Key) -> Option<Http2> {
        let mut idle = self.idle();
        let mut shared = idle.get_mut(key)?.http2.iter_mut();
        let (http2, used) = shared.find(|(http2, used)| {
            let idle = http2.users() == 0;
            http2.has_room() && (!idle || used.elapsed() < self.idle_timeout)
        })?;
        *used = Instant::now();
        Some(http2.clone())
    }

    /// Removes an HTTP/2 connection on which a call got no response.
    pub(super) fn forget(&self, key: &Key, http2: &Http2) {
        if let Some(set) = self.idle().get_mut(key) {
            set.http2.retain(|(known, _)| !Arc::ptr_eq(&known.users, &http2.users));
        }
    }

    /// Keeps an HTTP/1.1 connection whose last response was read completely, if it is reusable.
    pub(super) fn give_back(self: &Arc<Self>, key: Key, mut http1: Http1) {
        if http1.has_ended() || !http1.sender.is_ready() {
            return;
        }
        self.keep(key, |set| set.http1.push((http1, Instant::now())));
    }

    /// Shares a new HTTP/2 connection.
    pub(super) fn share(self: &Arc<Self>, key: Key, http2: Http2) {
        self.keep(key, |set| set.http2.push((http2, Instant::now())));
    }

    fn keep(self: &Arc<Self>, key: Key, put: impl FnOnce(&mut IdleSet)) {
        if self.idle_timeout.is_zero() {
            return;
        }
        let swept = {
            let mut idle = self.idle();
            let set = idle.entry(key.clone()).or_default();
            put(set);
            std::mem::replace(&mut set.swept, true)
        };
        // Not under the lock: on a runtime that shuts down, the task is dropped at once, which takes the lock.
        if !swept {
            let reaper = IdleReaper {
                pool: Arc::downgrade(self),
                key,
                over: false,
            };
            tokio::spawn(reaper.run(self.idle_timeout));
        }
    }
}

impl IdleSet {
    /// Closes connections that were idle this long.
    fn close_idle(&mut self, idle_timeout: Duration) {
        self.http1.retain(|(_, since)| since.elapsed() < idle_timeout);
        self.http2.retain_mut(|(http2, used)| {
            let idle = http2.users() == 0;
            if !idle {
                *used = Instant::now();
            }
            !http2.sender.is_closed() && (!idle || used.elapsed() < idle_timeout)
        });
    }
}

/// Closes a set's idle connections until it is empty or its runtime ends.
struct IdleReaper {
    pool: Weak<Pool>,
    key: Key,
    /// The set is empty.
    over: bool,
}

impl IdleReaper {
    async fn run(mut self, idle_timeout: Duration) {
        loop {
            tokio::time::sleep(idle_timeout).await;
            let Some(pool) = self.pool.upgrade() else { return };
            let mut idle = pool.idle();
            if let Some(set) = idle.get_mut(&self.key) {
                set.close_idle(idle_timeout);
                if !set.http1.is_empty() || !set.http2.is_empty() {
                    continue;
                }
            }
            idle.remove(&self.key);
            self.over = true;
            return;
        }
    }
}

impl Drop for IdleReaper {
    /// The runtime has ended, and its connections with it.
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade().filter(|_| !self.over) {
            pool.idle().remove(&self.key);
        }
    }
}
