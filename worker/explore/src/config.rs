//! What is explored.

use crate::outcome::OnUnknown;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EngineKind {
    /// Camunda 8 without leases: reports are taken from anybody.
    Camunda8,
    /// Camunda 8.10 with leases: reports and extensions need the token of the last hand-out. Variables do not.
    Leases,
    /// As leases; and an error that nothing catches ends the branch.
    Operaton,
}

/// How often each thing may happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// Of the next five together.
    pub faults: u8,
    /// A lock that passes.
    pub expiries: u8,
    /// A request, an answer or an activation that is lost or delivered late, to the engine or to ServiceNow; a PUT that is delivered twice;
    /// an answer of ServiceNow that is cut.
    pub messages: u8,
    /// A worker that is stopped between the last look at its clock and the bytes of its call.
    pub pauses: u8,
    pub kills: u8,
    /// A process instance that is suspended, and later resumed.
    pub suspensions: u8,

    // What is no fault.
    /// Incidents that a person resolves.
    pub resolves: u8,
    /// Calls that ServiceNow refuses.
    pub refusals: u8,
    /// Jobs that are given back for want of a permit.
    pub give_backs: u8,
    /// Answers of the author's expressions other than none, reports that the engine rejects, jobs that the executor refuses.
    pub verdicts: u8,
}

#[derive(Clone, Debug)]
pub struct Config {
    pub engine: EngineKind,
    pub workers: usize,
    pub on_unknown: OnUnknown,
    /// Does anything catch a BPMN error?
    pub caught: bool,
    pub retries: u32,
    /// The job needs a longer lock than the activation asked for, so that each hand-out begins with an extension.
    pub extends: bool,
    /// Mutation: all hand-outs share their attempt identifiers.
    pub shared_ids: bool,
    /// Mutation: a mark leaves the outcome as it is.
    pub mark_keeps_outcome: bool,
    /// The resolve of a BPMN error that was thrown beside a later holder is no decision.
    pub strict: bool,
    pub bounds: Bounds,
}

impl Config {
    pub fn new(engine: EngineKind, on_unknown: OnUnknown, bounds: Bounds) -> Self {
        Self {
            engine,
            workers: 2,
            on_unknown,
            caught: false,
            retries: 2,
            extends: false,
            shared_ids: false,
            mark_keeps_outcome: false,
            strict: false,
            bounds,
        }
    }
}

impl Bounds {
    /// The bounds of the issue, with at most `faults` faults in one run.
    pub const fn stated(faults: u8) -> Self {
        Self {
            faults,
            expiries: 2,
            messages: 2,
            pauses: 2,
            kills: 1,
            suspensions: 0,
            resolves: 1,
            refusals: 2,
            give_backs: 0,
            verdicts: 0,
        }
    }
}

/// The bounds of the issue for each engine and each `onUnknown`, with at most `faults` faults in one run.
pub fn stated(faults: u8) -> Vec<Config> {
    use EngineKind::{Camunda8, Leases, Operaton};
    use OnUnknown::{BpmnError, Incident, Retry};
    let mut configs: Vec<_> = [Camunda8, Leases]
        .into_iter()
        .flat_map(|engine| [Incident, Retry, BpmnError].map(|on_unknown| (engine, on_unknown)))
        // Operaton differs from leases by what an error that nothing catches does.
        .chain([(Operaton, BpmnError)])
        .map(|(engine, on_unknown)| Config::new(engine, on_unknown, Bounds::stated(faults)))
        .collect();
    let mut caught = Config::new(Camunda8, BpmnError, Bounds::stated(faults));
    caught.caught = true;
    configs.push(caught);
    configs
}

/// Everything else that the models know: suspension, jobs given back, the author's expressions, rejected reports, extensions.
pub fn everything(faults: u8, workers: usize) -> Vec<Config> {
    let bounds = Bounds {
        suspensions: 1,
        give_backs: 1,
        verdicts: 1,
        ..Bounds::stated(faults)
    };
    let mut configs = stated(faults);
    for config in &mut configs {
        config.bounds = bounds;
        config.workers = workers;
    }
    let mut extended = configs.clone();
    for config in &mut extended {
        config.extends = true;
    }
    configs.append(&mut extended);
    configs
}

impl std::fmt::Display for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let engine = match self.engine {
            EngineKind::Camunda8 => "Camunda 8",
            EngineKind::Leases => "Camunda 8, leases",
            EngineKind::Operaton => "Operaton",
        };
        let on_unknown = match self.on_unknown {
            OnUnknown::Incident => "incident",
            OnUnknown::Retry => "retry",
            OnUnknown::BpmnError if self.caught => "bpmnError, caught",
            OnUnknown::BpmnError => "bpmnError, not caught",
        };
        write!(f, "{engine} | {on_unknown}")
    }
}

/// Counts of spent bounds in 4 bits each, for many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed(u64);

impl Packed {
    /// Is no count of this larger than the other's?
    pub fn is_within(self, other: Self) -> bool {
        // The highest bit of each count is free. Set in `other`, it survives the subtraction unless that count is the smaller one.
        const FREE: u64 = 0x8888_8888_8888_8888;
        ((other.0 | FREE) - self.0) & FREE == FREE
    }
}

impl Bounds {
    /// Each count is at most 7.
    pub fn packed(&self) -> Packed {
        let counts = [
            self.expiries,
            self.messages,
            self.pauses,
            self.kills,
            self.suspensions,
            self.resolves,
            self.refusals,
            self.give_backs,
            self.verdicts,
        ];
        Packed(counts.iter().fold(0, |packed, count| packed << 4 | u64::from(*count)))
    }
}
