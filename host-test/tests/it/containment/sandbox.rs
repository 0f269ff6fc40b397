//! A stand-in, a guest that commits attacks, and an honest component beside it under the same engine.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flow_starter_host::input::Method;
use flow_starter_host::{Connector, Egress, Engine, FlowConfig, FlowResponse, Limits, Outcome, TriggerError};
use host_test::rig::{Rig, component_file};
use servicenow_stand_in::{Instance, StandIn};

pub const PUBLIC_FLOW: &str = "/api/sn_cico/flow_starter/public_flow";

/// Short, so that tests of these limits are; long enough for a slow machine's honest calls.
pub fn limits() -> Limits {
    Limits {
        cpu_time: Duration::from_millis(500),
        wall_clock: Duration::from_secs(5),
        concurrent_calls: 8,
        ..Limits::default()
    }
}

/// For whatever is not ended by a time limit: on a busy machine half a second is soon over.
pub fn patient(concurrent_calls: u32) -> Limits {
    Limits {
        cpu_time: Duration::from_secs(60),
        wall_clock: Duration::from_secs(120),
        concurrent_calls,
        ..Limits::default()
    }
}

/// What `make guests` built: `hostile-guest`, and `asking-guest`, which imports more than it may.
pub fn guest(name: &str) -> Vec<u8> {
    let file = component_file().with_file_name(format!("test/{name}.wasm"));
    std::fs::read(&file).unwrap_or_else(|error| panic!("no guest ({error}): run `make guests` first"))
}

pub fn honest() -> Vec<u8> {
    std::fs::read(component_file()).unwrap()
}

pub struct Sandbox {
    pub stand_in: StandIn,
    pub egress: Egress,
    /// None only while it is dropped.
    loaded: Option<Loaded>,
}

/// An engine with both components loaded.
pub struct Loaded {
    pub engine: Engine,
    pub hostile: Connector,
    pub honest: Connector,
}

/// Engines that no test uses at the moment: to compile both components takes longer than most tests.
static IDLE: Mutex<Vec<Loaded>> = Mutex::new(Vec::new());

/// The limits that several tests share. An engine with others is not kept.
fn are_shared(limits: Limits) -> bool {
    [self::limits(), patient(8)].contains(&limits)
}

/// Takes an idle engine with these limits.
fn take_idle(limits: Limits) -> Option<Loaded> {
    let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
    let at = idle.iter().position(|loaded| loaded.engine.limits() == limits)?;
    Some(idle.swap_remove(at))
}

impl Loaded {
    async fn new(limits: Limits) -> Self {
        let engine = Engine::new(limits).unwrap();
        Self {
            hostile: engine.load(&guest("hostile-guest")).await.unwrap(),
            honest: engine.load(&honest()).await.unwrap(),
            engine,
        }
    }
}

impl Sandbox {
    /// No other test uses its engine meanwhile, but another may have used it before.
    pub async fn open(limits: Limits) -> Self {
        let stand_in = StandIn::start(Instance::demo()).unwrap();
        let egress = Rig::reaching(&stand_in).unwrap().build().unwrap();
        let loaded = match take_idle(limits) {
            Some(loaded) => loaded,
            None => Loaded::new(limits).await,
        };
        Self {
            stand_in,
            egress,
            loaded: Some(loaded),
        }
    }

    pub async fn run(&self, attack: &str) -> Outcome<FlowResponse> {
        self.run_by(&self.hostile, attack).await
    }

    pub async fn run_by(&self, guest: &Connector, attack: &str) -> Outcome<FlowResponse> {
        let attack = FlowConfig::new(Method::Post, "acme", attack);
        guest.trigger_flow(&self.egress, attack).await
    }

    pub async fn serves(&self, honest: &Connector) {
        let outcome = honest.execute(&self.egress, host_test::conformance::BASE).await;
        assert!(outcome.result.is_ok(), "{outcome:?}");
    }

    /// The host goes on serving others.
    pub async fn assert_others_are_served(&self) {
        self.serves(&self.honest).await;
    }
}

impl Deref for Sandbox {
    type Target = Loaded;

    fn deref(&self) -> &Loaded {
        self.loaded.as_ref().unwrap()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let loaded = self.loaded.take().unwrap();
        // After a failure nobody knows what state it is in.
        if are_shared(loaded.engine.limits()) && !std::thread::panicking() {
            IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(loaded);
        }
    }
}

pub fn error(outcome: Outcome<FlowResponse>) -> TriggerError {
    outcome.result.unwrap_err()
}
