//! A loaded component and its calls: a fresh instance for each, so that no call sees another's data.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use flow_starter_input::{FlowConfig, Mask, TokenRequest};
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower, TypedFunc};

use super::call::Call;
use super::computing::Computing;
use super::conformity::{Answer, CONNECTOR, FLOW_STARTER};
use super::engine::Engine;
use super::limits::why;
use super::outcome::{Door, End, Judged, Outcome};
use super::refusal::LoadError;
use crate::contract::{AccessToken, FlowConfigRecord, FlowResponse, TokenRequestRecord, TriggerError};
use crate::egress::{Destinations, Egress, Gate};

/// A component that keeps the contract, compiled. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    engine: Engine,
    instance: InstancePre<Call>,
    trigger_flow: ComponentExportIndex,
    request_token: ComponentExportIndex,
    execute: ComponentExportIndex,
    /// How many places a call takes: one for each memory of its instance.
    places: u32,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

/// The part of an instance's memory that an input may fill: it is held as it came, parsed, and as the request's body.
const INPUT_PART: usize = 4;

/// What the host must know of a call beside its input.
struct Errand {
    door: Door,
    named: Destinations,
    /// Of the input, in bytes, as far as it can be large.
    size: usize,
}

impl Connector {
    /// Of a component that keeps the contract, as [`mismatches`](super::conformity::mismatches) found.
    pub(super) async fn new(engine: Engine, instance: InstancePre<Call>) -> Result<Self, LoadError> {
        let component = instance.component();
        let door = |interface: &str, function: &str| {
            component
                .get_export_index(None, interface)
                .and_then(|interface| component.get_export_index(Some(&interface), function))
                .ok_or_else(|| LoadError::Instantiate(format!("it has lost {function} of {interface}")))
        };
        let memories = component.resources_required().map_or(1, |needs| needs.num_memories);
        let connector = Self {
            trigger_flow: door(FLOW_STARTER, "trigger-flow")?,
            request_token: door(FLOW_STARTER, "request-token")?,
            execute: door(CONNECTOR, "execute")?,
            places: memories.max(1),
            engine,
            instance,
        };
        connector.comes_up().await?;
        Ok(connector)
    }

    /// A first instance, under a call's limits: what cannot be called is better known before the first call.
    async fn comes_up(&self) -> Result<(), LoadError> {
        let computing = Arc::new(Computing::new());
        let instance = async {
            let _places = self.engine.places.take(self.places).await?;
            let mut store = self.engine.store(Gate::closed(), computing.clone());
            self.instance.instantiate_async(&mut store).await.map(drop)
        };
        tokio::time::timeout(self.engine.limits.wall_clock, computing.of(instance))
            .await
            .map_err(|_| LoadError::Instantiate("it took longer than the wall clock allows".to_owned()))?
            .map_err(|error| LoadError::Instantiate(why(&error)))?;
        Ok(())
    }

    /// Starts a flow: the contract's `trigger-flow`. At most one request for the flow leaves, and one for a token before it where the
    /// authentication asks for one.
    pub async fn trigger_flow(&self, egress: &Egress, config: FlowConfig) -> Outcome<FlowResponse> {
        let limit = self.engine.limits.wall_clock;
        self.trigger_flow_until(egress, config, limit, pending())
            .await
            .into_outcome(Mask::default())
    }

    /// The same within what is left of a call's time, and given up when `stop` is ready; what left by then decides what is known of the flow.
    pub(crate) async fn trigger_flow_until(
        &self,
        egress: &Egress,
        config: FlowConfig,
        left: Duration,
        stop: impl Future<Output = ()> + Send,
    ) -> Judged<FlowResponse> {
        let errand = Errand {
            door: Door::Flow,
            named: Destinations::of_config(&config),
            size: config.body.as_deref().map_or(0, str::len),
        };
        let input = (FlowConfigRecord::from(config),);
        self.call(egress, errand, &self.trigger_flow, input, left, stop).await
    }

    /// Asks for an access token: the contract's `request-token`. No flow is started, whatever happens.
    pub async fn request_token(&self, egress: &Egress, request: TokenRequest) -> Outcome<AccessToken> {
        self.ask_for_token(egress, request).await.into_outcome(Mask::default())
    }

    pub(crate) async fn ask_for_token(&self, egress: &Egress, request: TokenRequest) -> Judged<AccessToken> {
        let errand = Errand {
            door: Door::Token,
            named: Destinations::of_token_request(&request),
            size: 0,
        };
        let limit = self.engine.limits.wall_clock;
        let input = (TokenRequestRecord::from(request),);
        self.call(egress, errand, &self.request_token, input, limit, pending())
            .await
    }

    /// Starts a flow by the template's JSON: the contract's `execute`. The answer is JSON as well.
    pub async fn execute(&self, egress: &Egress, input: &str) -> Outcome<String> {
        let errand = Errand {
            door: Door::Flow,
            named: Destinations::of_json(input),
            size: input.len(),
        };
        let limit = self.engine.limits.wall_clock;
        self.call(egress, errand, &self.execute, (input,), limit, pending())
            .await
            .into_outcome(Mask::default())
    }

    /// The refusal of an input that would not fit into an instance.
    pub(crate) fn too_large<T>(&self, size: usize) -> Option<Judged<T>> {
        let most = self.largest_input();
        (size > most).then(|| Judged::too_large(size, most))
    }

    /// In bytes.
    pub(crate) fn largest_input(&self) -> usize {
        self.engine.limits.memory_bytes / INPUT_PART
    }

    /// How long a call may take in all.
    pub(crate) fn wall_clock(&self) -> Duration {
        self.engine.limits.wall_clock
    }

    async fn call<P, R>(
        &self,
        egress: &Egress,
        errand: Errand,
        door: &ComponentExportIndex,
        input: P,
        left: Duration,
        stop: impl Future<Output = ()> + Send,
    ) -> Judged<R>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: Send + Sync + 'static,
        Answer<R>: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        if let Some(refused) = self.too_large(errand.size) {
            return refused;
        }
        let (gate, ledger) = egress.gate(errand.named);
        let computing = Arc::new(Computing::new());
        let run = computing.of(self.run(gate, &computing, door, input));
        let end = tokio::select! {
            // What is ready counts, even where it is to stop as well.
            biased;
            ended = tokio::time::timeout(left, run) => match ended {
                Ok(Ok(result)) => End::Returned(result),
                Ok(Err(error)) => End::Trapped(why(&error)),
                Err(_) => End::OutOfTime(self.engine.limits.wall_clock),
            },
            () = stop => End::GivenUp,
        };
        // The instance is gone by now, and what it has not handed to a connection never will be.
        Judged::of(errand.door, end, ledger.close())
    }

    async fn run<P, R>(
        &self,
        gate: Gate,
        computing: &Arc<Computing>,
        door: &ComponentExportIndex,
        input: P,
    ) -> wasmtime::Result<Result<R, TriggerError>>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: Send + Sync + 'static,
        Answer<R>: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let _places = self.engine.places.take(self.places).await?;
        let mut store = self.engine.store(gate, computing.clone());
        let instance = self.instance.instantiate_async(&mut store).await?;
        let function: TypedFunc<P, Answer<R>> = instance.get_typed_func(&mut store, door)?;
        let (result,) = function.call_async(&mut store, input).await?;
        Ok(result)
    }
}
