//! A stand-in, a guest that commits crimes, and an honest component beside it under the same engine.

use std::time::Duration;

use flow_starter_host::{Connector, Egress, Engine, FlowConfig, FlowResponse, Limits, Method, Outcome, TriggerError};
use host_test::rig::{Rig, component_file};
use servicenow_stand_in::{Instance, StandIn};

pub const PUBLIC_FLOW: &str = "/api/sn_cico/flow_starter/public_flow";

/// Short, so that the tests are; long enough for a slow machine's honest calls.
pub fn limits() -> Limits {
    Limits {
        computing: Duration::from_millis(500),
        wall_clock: Duration::from_secs(5),
        concurrent_calls: 8,
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

pub struct Prison {
    pub stand_in: StandIn,
    pub egress: Egress,
    pub engine: Engine,
    pub hostile: Connector,
    pub honest: Connector,
}

impl Prison {
    pub async fn open(limits: Limits) -> Self {
        let stand_in = StandIn::start(Instance::demo()).unwrap();
        let egress = Rig::reaching(&stand_in).unwrap().build().unwrap();
        let engine = Engine::new(limits).unwrap();
        Self {
            hostile: engine.load(&guest("hostile-guest")).await.unwrap(),
            honest: engine.load(&honest()).await.unwrap(),
            engine,
            stand_in,
            egress,
        }
    }

    pub async fn commits(&self, crime: &str) -> Outcome<FlowResponse> {
        self.commits_by(&self.hostile, crime).await
    }

    pub async fn commits_by(&self, guest: &Connector, crime: &str) -> Outcome<FlowResponse> {
        let crime = FlowConfig::new(Method::Post, "acme", crime);
        guest.trigger_flow(&self.egress, crime).await
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

pub fn error(outcome: Outcome<FlowResponse>) -> TriggerError {
    outcome.result.unwrap_err()
}
