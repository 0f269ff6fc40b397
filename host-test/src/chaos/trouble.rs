//! The cluster's part of a disturbance.

use std::time::{Duration, Instant};

use anyhow::Result;
use camunda_test_cluster::{Answer, Call, Cluster, Fault, FaultHandle, Times};

use super::board::Board;
use super::plan::{Happening, Refusal, Trouble};

/// What is to be done later.
enum Later {
    Release(FaultHandle),
    Deliver(FaultHandle),
    Return,
}

/// How long a worker may find out about a connection that was closed.
const CLOSED: Duration = Duration::from_secs(5);
/// How long one that swallows everything may stay in a worker's pool, with the time for a request that it has swallowed.
const SILENT: Duration = Duration::from_secs(30 + 15);

/// The faults that are under way.
#[derive(Default)]
pub struct Troubles {
    later: Vec<(Instant, Later)>,
    away: bool,
}

impl Troubles {
    /// Begins one. What concerns a worker is left out.
    ///
    /// # Errors
    /// Where the cluster cannot listen again.
    pub fn begin(&mut self, what: Happening, cluster: &Cluster, board: &Board) -> Result<()> {
        match what {
            Happening::Kill(_) | Happening::Terminate(_) | Happening::Pause(..) => {}
            Happening::Restart if !self.away => {
                board.lock().disturb_all(CLOSED);
                cluster.restart()?;
            }
            Happening::Away(ms) if !self.away => {
                board.lock().disturb_all(CLOSED + Duration::from_millis(ms));
                cluster.stop();
                self.away = true;
                self.after(ms, Later::Return);
            }
            Happening::BlackHole => {
                board.lock().disturb_all(SILENT);
                cluster.black_hole_connections();
            }
            Happening::Restart | Happening::Away(_) => {}
            Happening::Requests(call, many, trouble) => self.requests(call, many, trouble, cluster),
        }
        Ok(())
    }

    fn requests(&mut self, call: Call, many: usize, trouble: Trouble, cluster: &Cluster) {
        let set = |fault| cluster.fault(call, Times::N(many), fault);
        let maybe_after = |fault: Fault, after| if after { fault.after() } else { fault };
        match trouble {
            Trouble::Slow(ms) => {
                let handle = set(Fault::hold());
                self.after(ms, Later::Release(handle));
            }
            Trouble::Overloaded(refusal) => {
                let answer = match refusal {
                    Refusal::TooMany => Answer::too_many_requests(None),
                    Refusal::Exhausted => Answer::resource_exhausted(),
                    Refusal::Exhausted500 => Answer::resource_exhausted_500(),
                };
                set(Fault::answer(answer));
            }
            Trouble::GatewayTimeout(after) => {
                set(maybe_after(Fault::answer(Answer::gateway_timeout()), after));
            }
            Trouble::Cut(after) => {
                set(maybe_after(Fault::reset(), after));
            }
            Trouble::Half(after) => {
                set(maybe_after(Fault::half_then_reset(), after));
            }
            Trouble::Delivered(ms) => {
                let handle = set(Fault::late_and_cut());
                self.after(ms, Later::Deliver(handle));
            }
            Trouble::Replayed(ms) => {
                let handle = set(Fault::replay());
                self.after(ms, Later::Deliver(handle));
            }
        }
    }

    fn after(&mut self, ms: u64, what: Later) {
        self.later.push((Instant::now() + Duration::from_millis(ms), what));
    }

    /// Does what is due.
    ///
    /// # Errors
    /// Where the cluster cannot listen again.
    pub fn tick(&mut self, cluster: &Cluster) -> Result<()> {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = self.later.drain(..).partition(|(at, _)| *at <= now);
        self.later = later;
        for (_, what) in due {
            self.end(what, cluster)?;
        }
        Ok(())
    }

    /// Ends all of them: what is still to be delivered is delivered now.
    ///
    /// # Errors
    /// Where the cluster cannot listen again.
    pub fn end_all(&mut self, cluster: &Cluster) -> Result<()> {
        cluster.clear_faults();
        for (_, what) in std::mem::take(&mut self.later) {
            self.end(what, cluster)?;
        }
        Ok(())
    }

    fn end(&mut self, what: Later, cluster: &Cluster) -> Result<()> {
        match what {
            Later::Release(handle) => {
                // Those that it did not meet yet are not slow any more.
                handle.release();
                handle.remove();
            }
            Later::Deliver(handle) => {
                handle.remove();
                let _whatever_it_was_answered = handle.deliver();
            }
            Later::Return => {
                cluster.resume_listening()?;
                self.away = false;
            }
        }
        Ok(())
    }
}
