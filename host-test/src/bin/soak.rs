//! `make soak`: calls in a row, by the thousand, after which memory and open sockets must be where they were.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Parser;
use host_test::rig::{Rig, connector};
use host_test::stand_in::{Behaviour, DEMO_FLOW, Fault, Instance, Options, StandIn};

/// Starts flows at a stand-in, over kept connections, some of which go wrong, and watches what the process holds.
#[derive(Debug, Parser)]
#[command(name = "soak")]
struct Arguments {
    /// How many calls
    #[arg(long, default_value_t = 100_000)]
    calls: usize,

    /// How many at the same time
    #[arg(long, default_value_t = 16)]
    at_once: usize,
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

/// Resident bytes and open files of this process, where the system tells (Linux).
fn held() -> Option<(usize, usize)> {
    let pages: usize = std::fs::read_to_string("/proc/self/statm")
        .ok()?
        .split(' ')
        .nth(1)?
        .parse()
        .ok()?;
    let files = std::fs::read_dir("/proc/self/fd").ok()?.count();
    Some((pages * 4096, files))
}

fn soak(arguments: &Arguments) -> Result<()> {
    let stand_in = StandIn::start_with(
        Instance::demo(),
        Options {
            // What the stand-in remembers would grow, and it is not what is watched.
            keep: Some(100),
            ..Options::default()
        },
    )?;
    let egress = Rig::reaching(&stand_in)?.build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let connector = connector().await?;
        let begun = Instant::now();
        let mut warm = None;
        let (mut made, mut failed) = (0, 0);
        let mut faults = FAULTS.into_iter().cycle();
        while made < arguments.calls {
            if made % FAULT_EVERY < arguments.at_once {
                let fault = faults.next().map(Behaviour::Fault);
                stand_in.behave_once(DEMO_FLOW, fault.unwrap_or(Behaviour::Normal));
            }
            let calls = (0..arguments.at_once).map(|_| connector.execute(&egress, host_test::conformance::BASE));
            let outcomes = futures_util::future::join_all(calls).await;
            failed += outcomes.iter().filter(|outcome| outcome.result.is_err()).count();
            made += arguments.at_once;
            if warm.is_none() && made >= arguments.calls / 10 {
                warm = held();
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        println!("{made} calls in {seconds:.0} s, {failed} of them met a fault");
        let (Some(before), Some(after)) = (warm, held()) else {
            println!("this system does not tell what a process holds; nothing was compared");
            return Ok(());
        };
        println!(
            "memory: {} kB after a tenth, {} kB at the end",
            before.0 / 1024,
            after.0 / 1024
        );
        println!("open files: {} after a tenth, {} at the end", before.1, after.1);
        ensure!(failed > 0, "no fault was met, so nothing was tried");
        ensure!(
            after.0 < before.0 + MEMORY_SLACK + MEMORY_PER_CALL * made,
            "memory grows"
        );
        ensure!(after.1 <= before.1 + arguments.at_once, "open files grow");
        Ok(())
    })
}
