//! The worker's time: it never runs behind any clock by which an engine may have handed a job to somebody else.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::attempt::Time;

/// Time since its making, by the clock that has moved further at each reading: the one that goes on while the machine sleeps, or the wall
/// clock. A worker that takes its time from one of them alone could believe in a lock that has passed: after a suspension, or in a virtual
/// machine that was frozen and set right. A wall clock that is set back changes nothing; one that is set forward makes locks end earlier.
#[derive(Debug)]
pub struct Clock(Mutex<Reading>);

#[derive(Debug)]
struct Reading {
    elapsed: Duration,
    running: Running,
    wall: SystemTime,
}

/// The clock that cannot be set.
#[cfg(any(target_os = "linux", target_os = "android"))]
type Running = Duration;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
type Running = Instant;

impl Clock {
    /// Begins at zero.
    pub fn start() -> Self {
        Self(Mutex::new(Reading {
            elapsed: Duration::ZERO,
            running: running(),
            wall: SystemTime::now(),
        }))
    }

    /// The time now; never less than at the reading before.
    pub fn now(&self) -> Time {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.read(running(), SystemTime::now())
    }
}

impl Reading {
    fn read(&mut self, running: Running, wall: SystemTime) -> Time {
        let by_running = since(running, self.running);
        let by_wall = wall.duration_since(self.wall).unwrap_or_default();
        self.elapsed = self.elapsed.saturating_add(by_running.max(by_wall));
        (self.running, self.wall) = (running, wall);
        self.elapsed
    }
}

/// `CLOCK_BOOTTIME`: `Instant` stands still while the machine is suspended.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn running() -> Running {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn running() -> Running {
    Instant::now()
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn since(now: Running, before: Running) -> Duration {
    now.saturating_sub(before)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn since(now: Running, before: Running) -> Duration {
    now.saturating_duration_since(before)
}

/// A deadline of [`Clock`] as tokio's timers know it. They may be late after a suspension, which costs nothing: whatever they wake looks at
/// the clock.
pub fn wake_after(now: Time, at: Time) -> Instant {
    let far = Duration::from_hours(24);
    let now_there = Instant::now();
    now_there
        .checked_add(at.saturating_sub(now).min(far))
        .unwrap_or(now_there)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn reading() -> Reading {
        Reading {
            elapsed: Duration::ZERO,
            running: Duration::from_secs(1_000),
            wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000),
        }
    }

    fn read(reading: &mut Reading, running: u64, wall: u64) -> u64 {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(wall);
        reading.read(Duration::from_secs(running), wall).as_secs()
    }

    #[test]
    fn the_clock_that_moved_further_counts() {
        let mut last = reading();
        assert_eq!(read(&mut last, 1_010, 1_000_010), 10);
        // Frozen, and the wall clock set right afterwards.
        assert_eq!(read(&mut last, 1_011, 1_003_610), 3_610);
        // Suspended, with a wall clock that runs behind.
        assert_eq!(read(&mut last, 1_111, 1_003_611), 3_710);
    }

    #[test]
    fn a_wall_clock_that_is_set_back_never_stops_time() {
        let mut last = reading();
        assert_eq!(read(&mut last, 1_001, 900_000), 1);
        assert_eq!(read(&mut last, 1_002, 900_001), 2);
        assert_eq!(read(&mut last, 1_102, 900_050), 102);
    }

    #[test]
    fn time_never_runs_backwards() {
        let clock = Clock::start();
        let first = clock.now();
        assert!(clock.now() >= first);
    }
}
