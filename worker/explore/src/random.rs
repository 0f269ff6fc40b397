//! Random orders of events, for more workers than every order can be explored for.

use std::time::{Duration, Instant};

use crate::config::Config;
use crate::explore::{Counterexample, finish, is_end};
use crate::step::{Step, Way};
use crate::world::World;

/// xorshift64*: small, and the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // splitmix64's step keeps neighbouring seeds apart.
        let mixed = (seed.wrapping_add(0x9E37_79B9_7F4A_7C15) ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        Self((mixed ^ (mixed >> 27)).max(1))
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.number() >> 33).unwrap_or(0) % n
    }
}

/// One schedule, which its number and the configuration determine.
///
/// # Errors
///
/// The violation, with the steps to it.
pub fn schedule(config: &Config, number: u64) -> Result<usize, Counterexample> {
    let mut random = Random::new(number);
    // Some schedules are rich in faults, others poor.
    let appetite = 1 + random.below(6);
    let mut world = World::new(config);
    let mut path = Vec::new();
    let failed = |violation, steps: &[Step]| Counterexample {
        violation,
        steps: steps.to_vec(),
    };
    loop {
        let mut steps = world.steps(config);
        if is_end(&steps) && (steps.is_empty() || random.below(2) == 0) {
            finish(&world, config, &mut path).map_err(|violation| failed(violation, &path))?;
            return Ok(path.len());
        }
        if random.below(8) >= appetite {
            let calm: Vec<_> = steps.iter().copied().filter(|step| !is_fault(*step)).collect();
            if !calm.is_empty() {
                steps = calm;
            }
        }
        let step = steps[random.below(steps.len())];
        path.push(step);
        world = world
            .after(step, config)
            .map_err(|violation| failed(violation, &path))?;
    }
}

fn is_fault(step: Step) -> bool {
    match step {
        Step::HandOutLost | Step::Expire | Step::Kill(_) | Step::Suspend => true,
        Step::Do(_, way) => matches!(
            way,
            Way::Late | Way::Twice | Way::Paused | Way::Cut | Way::EvaluatorAway
        ),
        _ => false,
    }
}

/// What random exploration has seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub schedules: u64,
    pub steps: usize,
}

/// Schedules `first`, `first + 1`, …, over the configurations in turn, until `count` are done or the time is over.
///
/// # Errors
///
/// The number of the schedule that found a violation, the place of its configuration, and the steps.
pub fn schedules(
    configs: &[Config],
    first: u64,
    count: u64,
    time: Duration,
) -> Result<Figures, (u64, Config, Counterexample)> {
    let began = Instant::now();
    let mut figures = Figures::default();
    while figures.schedules < count && (figures.schedules % 256 != 0 || began.elapsed() < time) {
        let number = first.wrapping_add(figures.schedules);
        let config = config_of(configs, number);
        figures.steps += schedule(config, number).map_err(|found| (number, config.clone(), found))?;
        figures.schedules += 1;
    }
    Ok(figures)
}

/// The configuration of a schedule, so that its number alone is enough to replay it.
pub fn config_of(configs: &[Config], number: u64) -> &Config {
    let place = number % configs.len() as u64;
    &configs[usize::try_from(place).unwrap_or(0)]
}
