//! What Linux tells and does about processes and cores.

use std::io::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// The cores that this thread may use.
///
/// # Errors
/// If the system refuses.
pub fn cores() -> Result<Vec<usize>> {
    // SAFETY: all zeros is an empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is alive, and its size is given.
    succeeded(unsafe { libc::sched_getaffinity(0, size_of_val(&set), &raw mut set) })?;
    let is_in = |core: &usize| {
        // SAFETY: the number is below the set's size.
        unsafe { libc::CPU_ISSET(*core, &set) }
    };
    Ok((0..libc::CPU_SETSIZE as usize).filter(is_in).collect())
}

/// Pins the calling thread, and with it the processes and threads that it starts from now on, to these cores.
///
/// # Errors
/// If there is no such core, or the process may not use it.
pub fn pin_this_thread(cores: &[usize]) -> Result<()> {
    pin(0, cores)
}

/// Pins all threads of a process to these cores.
///
/// # Errors
/// As [`pin_this_thread`].
pub fn pin_process(pid: u32, cores: &[usize]) -> Result<()> {
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let Some(thread) = task?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        pin(thread, cores)?;
    }
    Ok(())
}

/// Thread 0 is the calling one.
fn pin(thread: libc::pid_t, cores: &[usize]) -> Result<()> {
    // SAFETY: all zeros is an empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for core in cores {
        // SAFETY: the function checks the bounds of the set.
        unsafe { libc::CPU_SET(*core, &mut set) };
    }
    // SAFETY: the set is alive, and its size is given.
    succeeded(unsafe { libc::sched_setaffinity(thread, size_of_val(&set), &raw const set) })
}

fn succeeded(code: libc::c_int) -> Result<()> {
    if code == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}

/// User and system CPU time of this process.
pub fn cpu_time() -> Duration {
    // SAFETY: all zeros is a valid value of this plain struct.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the struct is alive; the call cannot fail for this process.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// CPU time of a process's main thread, or of the calling thread ("thread-self"): proc_pid_schedstat(5).
pub fn cpu_time_of(process: &str) -> Option<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{process}/schedstat")).ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

/// Starts a new measurement of [`peak_kib`].
pub fn reset_peak() {
    // 5: see proc_pid_clear_refs(5). Where it is refused, the peak is that of the process's life.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Peak of this process's resident memory since [`reset_peak`], in KiB.
pub fn peak_kib() -> Option<u64> {
    status_kib("self", "VmHWM:")
}

/// Resident memory of a process, in KiB.
pub fn resident_kib(pid: u32) -> Option<u64> {
    status_kib(&pid.to_string(), "VmRSS:")
}

/// Resident memory of a process in KiB, in which a page that is mapped several times counts once (proportional set size:
/// proc_pid_smaps(5)).
pub fn proportional_kib(pid: u32) -> Option<u64> {
    kib(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

fn status_kib(process: &str, field: &str) -> Option<u64> {
    kib(&format!("/proc/{process}/status"), field)
}

fn kib(file: &str, field: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

/// Open files and sockets of a process.
pub fn open_files(pid: u32) -> Option<usize> {
    Some(std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count())
}

/// Raises the limit of open files to what the system allows.
///
/// # Errors
/// If the system refuses.
pub fn raise_open_files() -> Result<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the struct is alive.
    succeeded(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the struct is alive.
    succeeded(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
    Ok(limit.rlim_cur)
}

/// Threads that keep cores awake as long as it lives. Any other thread runs before them.
#[derive(Debug)]
pub struct Spinners {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Spinners {
    /// One thread for each core.
    ///
    /// # Errors
    /// If a thread cannot be started.
    pub fn start(cores: &[usize]) -> Result<Self> {
        let mut spinners = Self {
            stop: Arc::default(),
            threads: Vec::new(),
        };
        for core in cores.iter().copied() {
            let stop = Arc::clone(&spinners.stop);
            let spin = move || {
                // Without the idle policy it would take half of the core.
                if pin_this_thread(&[core]).and_then(|()| idle_policy()).is_ok() {
                    while !stop.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                }
            };
            let thread = std::thread::Builder::new()
                .name(format!("spinner-{core}"))
                .spawn(spin)?;
            spinners.threads.push(thread);
        }
        Ok(spinners)
    }
}

impl Drop for Spinners {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn idle_policy() -> Result<()> {
    // SAFETY: all zeros is priority 0, the only one of this policy.
    let parameters: libc::sched_param = unsafe { std::mem::zeroed() };
    // SAFETY: the struct is alive; thread 0 is the calling one.
    succeeded(unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameters) })
}
