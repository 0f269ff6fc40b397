//! Connections kept for the next call.
//!
//! A kept HTTP/1.1 connection has no task of its own: the call that uses it polls it, and between calls nobody does. Each runtime has
//! its own connections, since a connection lives by the runtime that made it. They are an [`Egress`](super::Egress)'s own, so that
//! none is shared across client certificates or proxies.

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

/// More for one origin are closed at once.
const KEPT_PER_ORIGIN: usize = 64;

type Http1Connection = http1::Connection<TokioIo<Flushing<Box<dyn Io>>>, WasiBody>;

/// An HTTP/1.1 connection: who uses it polls it.
pub(super) struct Http1 {
    pub(super) sender: http1::SendRequest<WasiBody>,
    /// None when it has ended.
    pub(super) connection: Option<Pin<Box<Http1Connection>>>,
    pub(super) handover: Arc<Handover>,
    pub(super) records: Arc<Records>,
}

impl Http1 {
    /// As far as can be seen without waiting. A byte that nobody asked for ends it as well: the HTTP library sees those of an answer, and
    /// not those of a TLS record that has not come whole.
    fn has_ended(&mut self) -> bool {
        let ended = self
            .connection
            .as_mut()
            .is_none_or(|connection| connection.now_or_never().is_some());
        ended || self.records.is_within_one()
    }
}

/// An HTTP/2 connection, which has a task of its own, and a count of those who use it.
#[derive(Clone)]
pub(super) struct Http2 {
    pub(super) sender: http2::SendRequest<WasiBody>,
    pub(super) users: Arc<()>,
    /// How many the server takes at a time, as it said last.
    pub(super) most_streams: Arc<AtomicUsize>,
}

impl Http2 {
    /// How many use it beside the set that it stands on.
    fn users(&self) -> usize {
        Arc::strong_count(&self.users).saturating_sub(1)
    }

    /// It lives, and the server takes one more stream; a surplus one would wait behind the others as if it were sent.
    fn has_room(&self) -> bool {
        self.sender.is_ready() && self.users() < self.most_streams.load(Ordering::Relaxed)
    }
}

pub(super) enum Kept {
    Http1(Http1),
    Http2(Http2),
}

/// Whose connections they are.
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
    /// Somebody will look after what is left here too long.
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

    /// A connection that is still good, as far as can be seen.
    pub(super) async fn take(&self, key: &Key) -> Option<Kept> {
        if !self.idle().contains_key(key) {
            return None;
        }
        // Lets the runtime look at its sockets, so that a server's goodbye which has arrived is known of before the connection is used.
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

    /// Nobody else shall use this HTTP/2 connection: a call got no answer on it.
    pub(super) fn forget(&self, key: &Key, http2: &Http2) {
        if let Some(set) = self.idle().get_mut(key) {
            set.http2.retain(|(known, _)| !Arc::ptr_eq(&known.users, &http2.users));
        }
    }

    /// Keeps an HTTP/1.1 connection whose last answer was read to its end, if it can be used again.
    pub(super) fn give_back(self: &Arc<Self>, key: Key, mut http1: Http1) {
        if http1.has_ended() || !http1.sender.is_ready() {
            return;
        }
        self.keep(key, |set| {
            if set.http1.len() < KEPT_PER_ORIGIN {
                set.http1.push((http1, Instant::now()));
            }
        });
    }

    /// Shares an HTTP/2 connection from its beginning.
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
        // Not under the lock: on a runtime that is ending, the task is dropped at once, and takes it.
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
    /// Closes what nobody used for so long.
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

/// Looks after a set for as long as something stands on it and its runtime lives.
struct IdleReaper {
    pool: Weak<Pool>,
    key: Key,
    /// Nothing is left to look after.
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
