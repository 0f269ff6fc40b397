//! `make soak`: thousands of calls, after which memory and open sockets must not have grown.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use flow_starter_host::input::Method;
use flow_starter_host::{Connector, Egress, Engine, FlowConfig, Limits, Outcome};
use host_test::rig::{Rig, component_file};
use servicenow_stand_in::{Behaviour, DEMO_FLOW, Fault, Instance, Options, StandIn, Step};

/// Starts flows at a stand-in over reused connections, injects faults, and measures the process's resources.
#[derive(Debug, Parser)]
#[command(name = "soak")]
struct Arguments {
    /// Number of calls
    #[arg(long, default_value_t = 100_000)]
    calls: usize,

    /// Number of concurrent calls
    #[arg(long, default_value_t = 16)]
    at_once: usize,

    /// The component that makes the calls
    #[arg(long, value_enum, default_value_t = Guest::Honest)]
    guest: Guest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Guest {
    /// The flow starter, against a server with faults
    Honest,
    /// A component that attacks the host, with an honest call after each round
    Hostile,
}

/// Faults that break a connection or leave it in an odd state; every so many calls one of them is met.
const FAULTS: [Fault; 6] = [
    Fault::Reset,
    Fault::CloseWithinBody,
    Fault::LengthTooLong,
    Fault::Garbage,
    Fault::EndlessBody,
    Fault::Gzip,
];
const FAULT_EVERY: usize = 50;

/// An attack, and its error. Attacks end by themselves or soon; those that wait or loop are ended by short limits.
const ATTACKS: [(&str, &str); 19] = [
    ("/traps", "unreachable"),
    ("/allocates", "memory limit of 64 MiB"),
    ("/recurses", "stack limit of 512 KiB"),
    ("/hoards", "limit of 256 host resources"),
    ("/opens-many", "1 answered"),
    ("/polls-nothing", "empty poll list"),
    ("/polls-a-crowd", "handle limit exceeded"),
    ("/starts-for-ever", "limit of 128 requests"),
    ("/returns-a-lot", "too much data is being copied"),
    ("/repeats-itself", "too much data is being copied"),
    ("/says-success", "contradicts"),
    ("/says-started", "contradicts"),
    ("/leaves-at-once", ""),
    ("/calls-elsewhere", "called"),
    ("/calls https://169.254.169.254/", "not called"),
    ("/loops", "CPU limit of"),
    ("/waits-for-ever", "longer than the connector host allows"),
    ("/polls-for-ever", "longer than the connector host allows"),
    ("/writes-for-ever", ""),
];
const PUBLIC_FLOW: &str = "/api/sn_cico/flow_starter/public_flow";

/// One round of so many is of attacks that a clock ends; the sixth is the first.
const CLOCK_EVERY: usize = 200;
const CLOCK_FIRST: usize = 5;
const WALL_CLOCK: Duration = Duration::from_secs(12);
const ENDED_BY_A_CLOCK: [&str; 4] = ["/loops", "/waits-for-ever", "/polls-for-ever", "/writes-for-ever"];

/// How many requests the stand-in keeps, with their bodies, in this same process.
const REMEMBERED: usize = 100;

/// What the allocator may keep beyond what was there after the first tenth, until it has seen everything once.
const MEMORY_SLACK: usize = 16 << 20;
/// And for each call after it: less than any call holds.
const MEMORY_PER_CALL: usize = 64;

fn main() -> ExitCode {
    match soak(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("soak: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What this process holds, where the system tells (Linux).
#[derive(Debug, Clone, Copy)]
struct Held {
    resident: usize,
    files: usize,
    mappings: usize,
}

fn held() -> Option<Held> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = statm.split(' ').nth(1)?.parse().ok()?;
    Some(Held {
        resident: pages * 4096,
        files: std::fs::read_dir("/proc/self/fd").ok()?.count(),
        mappings: std::fs::read_to_string("/proc/self/maps").ok()?.lines().count(),
    })
}

/// The most memory that this process ever held, in kB.
fn peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

fn soak(arguments: &Arguments) -> Result<()> {
    let stand_in = StandIn::start_with(
        Instance::demo(),
        Options {
            // What the stand-in remembers would grow, and it is not what is watched.
            keep: Some(REMEMBERED),
            ..Options::default()
        },
    )?;
    let egress = Rig::reaching(&stand_in)?.build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let calls = Calls::new(&stand_in, &egress, arguments).await?;
        let begun = Instant::now();
        let mut warm = None;
        let (mut made, mut failed, mut round) = (0, 0, 0);
        while made < arguments.calls {
            let (of_round, failed_of_them) = match arguments.guest {
                Guest::Honest => calls.honest(made).await,
                Guest::Hostile => calls.hostile(round).await?,
            };
            made += of_round;
            failed += failed_of_them;
            round += 1;
            if warm.is_none() && made >= arguments.calls / 10 {
                warm = calls.settled().await;
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        let cold = calls.settled().await;
        let ended = match arguments.guest {
            Guest::Honest => "met a fault",
            Guest::Hostile => "were attacks, each ended as expected",
        };
        println!("{made} calls in {seconds:.0} s, {failed} of them {ended}");
        ensure!(failed > 0, "no call failed, so nothing was tested");
        compare(warm.zip(cold), made, arguments.at_once)
    })
}

fn compare(held: Option<(Held, Held)>, made: usize, at_once: usize) -> Result<()> {
    let Some((before, after)) = held else {
        println!("this system does not report a process's resources; nothing was compared");
        return Ok(());
    };
    let peak = peak().unwrap_or_default();
    println!(
        "memory: {} kB after a tenth, {} kB at the end, {peak} kB at most",
        before.resident / 1024,
        after.resident / 1024
    );
    println!("open files: {} after a tenth, {} at the end", before.files, after.files);
    println!(
        "mappings: {} after a tenth, {} at the end",
        before.mappings, after.mappings
    );
    ensure!(
        after.resident < before.resident + MEMORY_SLACK + MEMORY_PER_CALL * made,
        "memory grows"
    );
    ensure!(after.files <= before.files + at_once, "open files grow");
    // Six for each place, of which not all were taken in the first tenth.
    ensure!(after.mappings <= before.mappings + 8 * at_once, "mappings grow");
    Ok(())
}

struct Calls<'a> {
    stand_in: &'a StandIn,
    egress: &'a Egress,
    honest: Connector,
    hostile: Option<Connector>,
    at_once: usize,
}

impl<'a> Calls<'a> {
    async fn new(stand_in: &'a StandIn, egress: &'a Egress, arguments: &Arguments) -> Result<Self> {
        let hostile = arguments.guest == Guest::Hostile;
        let mut limits = Limits {
            concurrent_calls: u32::try_from(arguments.at_once)?.max(1),
            ..Limits::default()
        };
        if hostile {
            // A busy machine needs a while for the page faults of 64 MiB.
            limits.cpu_time = Duration::from_millis(1500);
            limits.wall_clock = WALL_CLOCK;
        }
        let engine = Engine::new(limits)?;
        let load = async |file: &std::path::Path, how: &str| {
            let wasm = std::fs::read(file).with_context(|| format!("run `{how}` first"))?;
            anyhow::Ok(engine.load(&wasm).await?)
        };
        let guest = component_file().with_file_name("test/hostile-guest.wasm");
        Ok(Self {
            stand_in,
            egress,
            honest: load(&component_file(), "make build").await?,
            hostile: if hostile {
                Some(load(&guest, "make guests").await?)
            } else {
                None
            },
            at_once: arguments.at_once.max(1),
        })
    }

    /// What is held when the stand-in has forgotten what came before, and nothing is under way.
    async fn settled(&self) -> Option<Held> {
        for _ in 0..REMEMBERED.div_ceil(self.at_once) {
            let calls = (0..self.at_once).map(|_| self.honest.execute(self.egress, host_test::conformance::BASE));
            futures_util::future::join_all(calls).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        held()
    }

    /// Calls of the flow starter's, some of which meet a fault; how many, and how many of them failed.
    async fn honest(&self, made: usize) -> (usize, usize) {
        if made % FAULT_EVERY < self.at_once {
            let fault = FAULTS.get(made / FAULT_EVERY % FAULTS.len()).copied();
            let fault = fault.map(Behaviour::Fault);
            self.stand_in.behave_once(DEMO_FLOW, fault.unwrap_or(Behaviour::Normal));
        }
        let calls = (0..self.at_once).map(|_| self.honest.execute(self.egress, host_test::conformance::BASE));
        let outcomes = futures_util::future::join_all(calls).await;
        let failed = outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
        (outcomes.len(), failed)
    }

    /// Runs one attack many times at once, with one honest call among them.
    async fn hostile(&self, round: usize) -> Result<(usize, usize)> {
        let Some(hostile) = &self.hostile else {
            return Ok((0, 0));
        };
        let by_clock = round % CLOCK_EVERY == CLOCK_FIRST;
        let attacks: Vec<_> = ATTACKS
            .iter()
            .filter(|(attack, _)| ENDED_BY_A_CLOCK.contains(attack) == by_clock)
            .collect();
        // A body without end would fill the stand-in's memory, which is this process's: it is left unread for as long as the call goes on.
        let unread = Behaviour::Script(vec![Step::Pause(WALL_CLOCK), Step::Close]);
        let server = if by_clock { unread } else { Behaviour::Normal };
        self.stand_in.behave(PUBLIC_FLOW, server);
        let calls = (0..self.at_once).map(async |turn| {
            let Some((attack, why)) = attacks.get((round + turn) % attacks.len()) else {
                return Ok(());
            };
            let input = FlowConfig::new(Method::Post, "acme", *attack);
            let Outcome { result, requests, .. } = hostile.trigger_flow(self.egress, input).await;
            let message = result.err().with_context(|| format!("{attack} succeeded"))?.message;
            ensure!(message.contains(why), "{attack}: {message}");
            ensure!(requests.len() <= 256, "{attack}: {} requests", requests.len());
            Ok(())
        });
        let honest = async {
            let outcome = self.honest.execute(self.egress, host_test::conformance::BASE).await;
            outcome.result.map(drop).context("an honest call among the attacks")
        };
        let (attacks, honest) = futures_util::future::join(futures_util::future::join_all(calls), honest).await;
        honest?;
        let made = attacks.len();
        attacks.into_iter().collect::<Result<Vec<()>>>()?;
        Ok((made + 1, made))
    }
}
