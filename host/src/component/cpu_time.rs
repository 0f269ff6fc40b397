//! A guest's CPU time: the time inside the polls of its call, without the time between them.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A call's CPU clock. Counting epoch ticks would not work: the first tick after a wait belongs to the wait, so a response in a thousand
/// pieces would count as ten seconds.
#[derive(Debug)]
pub(super) struct CpuTime {
    from: Instant,
    /// Start of the current poll, in nanoseconds since `from`.
    began: AtomicU64,
    /// Total of all earlier polls.
    spent: AtomicU64,
}

impl CpuTime {
    pub(super) fn new() -> Self {
        Self {
            from: Instant::now(),
            began: AtomicU64::new(0),
            spent: AtomicU64::new(0),
        }
    }

    /// Runs a call and measures it.
    pub(super) async fn of<T>(&self, call: impl Future<Output = T>) -> T {
        let mut call = pin!(call);
        poll_fn(|cx| {
            self.began.store(self.now(), Relaxed);
            let poll = call.as_mut().poll(cx);
            self.spent.fetch_add(self.in_this_poll(), Relaxed);
            poll
        })
        .await
    }

    /// The CPU time so far; to be called from inside a poll.
    pub(super) fn so_far(&self) -> Duration {
        Duration::from_nanos(self.spent.load(Relaxed) + self.in_this_poll())
    }

    fn in_this_poll(&self) -> u64 {
        self.now().saturating_sub(self.began.load(Relaxed))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.from.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_cpu_time_is_counted() {
        let cpu_time = CpuTime::new();
        let begun = std::time::Instant::now();
        cpu_time.of(tokio::time::sleep(Duration::from_secs(1))).await;
        let counted = Duration::from_nanos(cpu_time.spent.load(Relaxed));
        assert!(counted < begun.elapsed() / 2, "{counted:?}");
        let within = cpu_time
            .of(async {
                std::thread::sleep(Duration::from_millis(100));
                let first = cpu_time.so_far();
                tokio::task::yield_now().await;
                std::thread::sleep(Duration::from_millis(100));
                (first, cpu_time.so_far())
            })
            .await;
        assert!(within.0 >= Duration::from_millis(100), "{within:?}");
        assert!(within.1 >= Duration::from_millis(200), "{within:?}");
    }
}
