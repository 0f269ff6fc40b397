//! Every order of events, depth first; and the shortest way to a violation, breadth first.

use std::collections::VecDeque;

use crate::config::Config;
use crate::engine::JobState;
use crate::facts::{Violation, broken};
use crate::hash::Seen;
use crate::step::{Step, Way};
use crate::world::World;

/// Any run ends within so many steps once faults stop and incidents are resolved.
pub const STEPS_TO_THE_END: usize = 60;

/// A broken invariant, and the steps to it.
#[derive(Clone, Debug)]
pub struct Counterexample {
    pub violation: Violation,
    pub steps: Vec<Step>,
}

impl std::fmt::Display for Counterexample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.violation)?;
        for (number, step) in self.steps.iter().enumerate() {
            writeln!(f, "{:3}  {step:?}", number + 1)?;
        }
        Ok(())
    }
}

/// What an exploration has seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub states: usize,
    pub transitions: usize,
    /// States after which nothing more can happen within the bounds.
    pub ends: usize,
    pub longest_run: usize,
    /// The most steps that any run needed to end, once faults had stopped.
    pub longest_end: usize,
}

struct Search<'a> {
    config: &'a Config,
    seen: Seen,
    round: u8,
    figures: Figures,
    path: Vec<Step>,
}

/// Explores every order of events within the bounds.
///
/// It goes by rounds of more and more faults, so that each state is known at its lowest cost first.
///
/// # Errors
///
/// The first violation that is found, with the steps to it.
pub fn every_order(config: &Config) -> Result<Figures, Counterexample> {
    let mut seen = Seen::default();
    let mut figures = Figures::default();
    for faults in 0..=config.bounds.faults {
        let mut config = config.clone();
        config.bounds.faults = faults;
        let world = World::new(&config);
        seen.visit(world.fingerprint(), world.spent.packed(), faults);
        let mut search = Search {
            config: &config,
            seen,
            round: faults,
            figures: Figures::default(),
            path: Vec::new(),
        };
        search.visit(&world).map_err(|violation| Counterexample {
            violation,
            steps: search.path.clone(),
        })?;
        Search { seen, figures, .. } = search;
        figures.states = seen.len();
    }
    Ok(figures)
}

impl Search<'_> {
    fn visit(&mut self, world: &World) -> Result<(), Violation> {
        let steps = world.steps(self.config);
        if is_end(&steps) {
            self.figures.ends += 1;
            self.figures.longest_run = self.figures.longest_run.max(self.path.len());
            self.figures.longest_end = self
                .figures
                .longest_end
                .max(finish(world, self.config, &mut self.path)?);
        }
        for step in steps {
            self.path.push(step);
            let next = world.after(step, self.config)?;
            self.figures.transitions += 1;
            if self.seen.visit(next.fingerprint(), next.spent.packed(), self.round) {
                self.visit(&next)?;
            }
            self.path.pop();
        }
        Ok(())
    }
}

/// What is on its way may stay on its way for ever.
pub(crate) fn is_end(steps: &[Step]) -> bool {
    steps.iter().all(|step| matches!(step, Step::Deliver(_)))
}

/// Lets everything go well from here on, and resolves every incident: the run must end. Returns the number of steps.
///
/// `path` is the run so far. It is the same afterwards, unless there is a violation: then it ends there.
pub(crate) fn finish(world: &World, config: &Config, path: &mut Vec<Step>) -> Result<usize, Violation> {
    let began = path.len();
    let mut world = world.clone();
    for count in 0..STEPS_TO_THE_END {
        if world.engine.job == JobState::Ended && world.hands.iter().all(Option::is_none) {
            path.truncate(began);
            return Ok(count);
        }
        let well = |step: &Step| {
            matches!(
                step,
                Step::HandOut
                    | Step::Permit(_)
                    | Step::Do(_, Way::Well)
                    | Step::Hear(_)
                    | Step::Wake(_)
                    | Step::Resume
                    | Step::BackOffPasses
            )
        };
        let step = match (world.steps(config).into_iter().find(well), &world.engine.job) {
            (Some(step), _) => step,
            // Beyond the bounds, for a run that would otherwise stand still.
            (None, JobState::Active { .. }) => Step::Expire,
            (None, JobState::Incident { .. }) => Step::Resolve(1),
            (None, JobState::Thrown { .. }) => Step::Resolve(world.engine.retries),
            (None, _) => break,
        };
        path.push(step);
        match step {
            Step::Expire => world.expire(),
            Step::Resolve(retries) => world.resolve(retries, config),
            step => world = world.after(step, config)?,
        }
    }
    broken("I5", format!("the run does not end: {:?}", world.engine))
}

/// Looks for the shortest way to a violation. `None`: there is none within the bounds.
pub fn shortest_counterexample(config: &Config) -> Option<Counterexample> {
    let mut seen = Seen::default();
    // Each state's predecessor and the step from it.
    let mut ways: Vec<(u32, Step)> = Vec::new();
    let mut queue = VecDeque::from([(World::new(config), u32::MAX)]);
    while let Some((world, place)) = queue.pop_front() {
        let steps = world.steps(config);
        if is_end(&steps) {
            let mut end = Vec::new();
            if let Err(violation) = finish(&world, config, &mut end) {
                let mut found = trace(violation, &ways, place);
                found.steps.append(&mut end);
                return Some(found);
            }
        }
        for step in steps {
            let next = world.after(step, config);
            if let Ok(next) = &next
                && !seen.visit(next.fingerprint(), next.spent.packed(), 0)
            {
                continue;
            }
            ways.push((place, step));
            let here = u32::try_from(ways.len() - 1).expect("fewer states than 2^32");
            match next {
                Ok(next) => queue.push_back((next, here)),
                Err(violation) => return Some(trace(violation, &ways, here)),
            }
        }
    }
    None
}

fn trace(violation: Violation, ways: &[(u32, Step)], mut place: u32) -> Counterexample {
    let mut steps = Vec::new();
    while let Some((before, step)) = ways.get(place as usize) {
        steps.push(*step);
        place = *before;
    }
    steps.reverse();
    Counterexample { violation, steps }
}
