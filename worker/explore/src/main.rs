//! `make explore`: explores the life of a job within the bounds of `docs/worker.md`, and writes the figures there.
//!
//! | variable | default | |
//! |---|---|---|
//! | `EXPLORE_FAULTS` | 7 | faults in one run, for two workers within the stated bounds |
//! | `EXPLORE_SECONDS` | 600 | the longest time for random schedules |
//! | `EXPLORE_SCHEDULES` | 1000000 | random schedules |
//! | `EXPLORE_SEED` | the time | the number of the first schedule |

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{env, fs, thread};

use flow_starter_worker_explore::config::{Config, everything, stated};
use flow_starter_worker_explore::explore::{Figures, every_order};
use flow_starter_worker_explore::random::schedules;

const BEGIN: &str = "<!-- make explore: begin -->";
const END: &str = "<!-- make explore: end -->";

/// Of the configurations that hold everything: their product with all faults is out of reach.
const FAULTS_WITH_EVERYTHING: u8 = 2;
const FAULTS_WITH_EXTENSION: u8 = 1;
const RANDOM_WORKERS: usize = 3;
const RANDOM_FAULTS: u8 = 8;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let page = env::args().nth(1);
    let faults = setting("EXPLORE_FAULTS", 7)?;
    let faults = u8::try_from(faults).map_err(|_| "EXPLORE_FAULTS must be below 256".to_owned())?;
    let mut report = String::new();

    let random = random_schedules()?;
    let began = Instant::now();
    let table = every_order_of(&stated(faults))?;
    let _ = writeln!(
        report,
        "**Two workers, one job, every order of events**: retries ≤ 2, ≤ 2 expiries, ≤ 2 lost, late or repeated messages, ≤ 2 pauses, ≤ 1 kill \
         (of these, at most {faults} in one run), ≤ 1 resolve, ≤ 2 refused calls.\n\n{table}"
    );
    for (extends, faults, title) in [
        (
            false,
            faults.min(FAULTS_WITH_EVERYTHING),
            "**The same with ≤ 1 suspension, ≤ 1 job given back, ≤ 1 verdict of the author's expressions, rejected report or refused job**",
        ),
        (
            true,
            faults.min(FAULTS_WITH_EXTENSION),
            "**The same, with a lock that must be extended before each call**",
        ),
    ] {
        let mut configs = everything(faults, 2);
        configs.retain(|config| config.extends == extends);
        let table = every_order_of(&configs)?;
        let _ = writeln!(report, "{title}. Faults in one run: at most {faults}.\n\n{table}");
    }
    report.push_str(&random);
    println!("{report}");
    eprintln!("every order: {} s", began.elapsed().as_secs());
    page.map_or(Ok(()), |page| write_page(&page, &report))
}

fn random_schedules() -> Result<String, String> {
    let seed = match setting("EXPLORE_SEED", u64::MAX)? {
        u64::MAX => SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(1, |time| time.as_secs()),
        seed => seed,
    };
    let count = setting("EXPLORE_SCHEDULES", 1_000_000)?;
    let time = Duration::from_secs(setting("EXPLORE_SECONDS", 600)?);
    eprintln!("EXPLORE_SEED={seed}");
    let configs = everything(RANDOM_FAULTS, RANDOM_WORKERS);
    let found = schedules(&configs, seed, count, time).map_err(|(number, config, found)| {
        format!("{config}\n{found}\nReplay it: EXPLORE_SEED={number} EXPLORE_SCHEDULES=1")
    })?;
    Ok(format!(
        "**Three workers, one job, random orders**, with all of the above and at most {RANDOM_FAULTS} faults in one run: {} schedules with \
         {} steps, from seed {seed}. No violation.\n",
        grouped(found.schedules),
        grouped(found.steps as u64)
    ))
}

/// Explores the configurations on all cores.
fn every_order_of(configs: &[Config]) -> Result<String, String> {
    let next = AtomicUsize::new(0);
    let rows = Mutex::new(BTreeMap::new());
    let failure = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((place, config)) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    configs.get(place).map(|config| (place, config))
                } {
                    match every_order(config) {
                        Ok(figures) => {
                            eprintln!("{config}: {figures:?}");
                            rows.lock().unwrap().insert(place, row(config, &figures));
                        }
                        Err(found) => *failure.lock().unwrap() = Some(format!("{config}\n{found}")),
                    }
                }
            });
        }
    });
    if let Some(failure) = failure.into_inner().unwrap() {
        return Err(failure);
    }
    let mut table =
        "| engine | `onUnknown` | states | transitions | longest run | steps to the end |\n|---|---|---|---|---|---|\n"
            .to_owned();
    table.extend(rows.into_inner().unwrap().into_values());
    Ok(table)
}

fn row(config: &Config, figures: &Figures) -> String {
    format!(
        "| {config} | {} | {} | {} | {} |\n",
        grouped(figures.states as u64),
        grouped(figures.transitions as u64),
        figures.longest_run,
        figures.longest_end
    )
}

/// 1234567 as 1,234,567.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn setting(name: &str, default: u64) -> Result<u64, String> {
    match env::var(name) {
        Ok(text) => text.parse().map_err(|_| format!("{name}={text} is not a number")),
        Err(_) => Ok(default),
    }
}

fn write_page(page: &str, report: &str) -> Result<(), String> {
    let text = fs::read_to_string(page).map_err(|error| format!("{page}: {error}"))?;
    let (before, rest) = text.split_once(BEGIN).ok_or(format!("{page}: no `{BEGIN}`"))?;
    let (_, after) = rest.split_once(END).ok_or(format!("{page}: no `{END}`"))?;
    let text = format!("{before}{BEGIN}\n\n{report}\n{END}{after}");
    fs::write(page, text).map_err(|error| format!("{page}: {error}"))
}
