//! A loaded component and its calls: a fresh instance for each, so that no call sees another's data.

use wasmtime::Store;
use wasmtime::UpdateDeadline;
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower, TypedFunc};

use super::call::Call;
use super::contract::{AccessToken, FlowConfig, FlowResponse, TokenRequest, TriggerError};
use super::engine::{EPOCH, Engine, LoadError};
use super::outcome::{Door, End, Outcome};
use crate::egress::{Destinations, Egress, Gate};

const FLOW_STARTER: &str = "connectors:servicenow-flow-starter/flow-starter@0.1.0";
const CONNECTOR: &str = "connectors:servicenow-flow-starter/connector@0.1.0";

/// A component that keeps the contract, compiled. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    engine: Engine,
    instance: InstancePre<Call>,
    trigger_flow: ComponentExportIndex,
    request_token: ComponentExportIndex,
    execute: ComponentExportIndex,
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

type Answer<R> = (Result<R, TriggerError>,);

/// What the host must know of a call beside its input.
struct Errand {
    door: Door,
    named: Destinations,
    /// Of the input, in bytes, as far as it can be large.
    size: usize,
}

impl Connector {
    pub(super) async fn new(engine: Engine, instance: InstancePre<Call>) -> Result<Self, LoadError> {
        let component = instance.component();
        let door = |interface: &str, function: &str| {
            component
                .get_export_index(None, interface)
                .and_then(|interface| component.get_export_index(Some(&interface), function))
                .ok_or_else(|| LoadError::Contract(format!("it does not export {function} of {interface}")))
        };
        let connector = Self {
            trigger_flow: door(FLOW_STARTER, "trigger-flow")?,
            request_token: door(FLOW_STARTER, "request-token")?,
            execute: door(CONNECTOR, "execute")?,
            engine,
            instance,
        };
        connector.check_types().await?;
        Ok(connector)
    }

    /// The types of the doors are known of an instance only.
    async fn check_types(&self) -> Result<(), LoadError> {
        let mut store = self.store(Gate::closed());
        let instance = async {
            // An instance of the pool's, as a call's is.
            let _place = self.engine.places.acquire().await?;
            self.instance.instantiate_async(&mut store).await
        };
        let instance = tokio::time::timeout(self.engine.limits.wall_clock, instance)
            .await
            .map_err(|_| LoadError::Instantiate("it took longer than the wall clock allows".to_owned()))?
            .map_err(|error| LoadError::Instantiate(format!("{:#}", error.root_cause())))?;
        let contract = |error: wasmtime::Error| LoadError::Contract(format!("{error:#}"));
        door::<(FlowConfig,), FlowResponse>(&mut store, &instance, &self.trigger_flow).map_err(contract)?;
        door::<(TokenRequest,), AccessToken>(&mut store, &instance, &self.request_token).map_err(contract)?;
        door::<(&str,), String>(&mut store, &instance, &self.execute).map_err(contract)?;
        Ok(())
    }

    /// Starts a flow: the contract's `trigger-flow`. At most one request for the flow leaves, and one for a token before it where the
    /// authentication asks for one.
    pub async fn trigger_flow(&self, egress: &Egress, config: FlowConfig) -> Outcome<FlowResponse> {
        let errand = Errand {
            door: Door::Flow,
            named: Destinations::of_config(&config),
            size: config.body.as_deref().map_or(0, str::len),
        };
        self.call(egress, errand, &self.trigger_flow, (config,)).await
    }

    /// Asks for an access token: the contract's `request-token`. No flow is started, whatever happens.
    pub async fn request_token(&self, egress: &Egress, request: TokenRequest) -> Outcome<AccessToken> {
        let errand = Errand {
            door: Door::Token,
            named: Destinations::of_token_request(&request),
            size: 0,
        };
        self.call(egress, errand, &self.request_token, (request,)).await
    }

    /// Starts a flow by the template's JSON: the contract's `execute`. The answer is JSON as well.
    pub async fn execute(&self, egress: &Egress, input: &str) -> Outcome<String> {
        let errand = Errand {
            door: Door::Flow,
            named: Destinations::of_json(input),
            size: input.len(),
        };
        self.call(egress, errand, &self.execute, (input,)).await
    }

    /// The refusal of an input that would not fit into an instance.
    pub(crate) fn too_large<T>(&self, size: usize) -> Option<Outcome<T>> {
        let most = self.engine.limits.memory_bytes / INPUT_PART;
        (size > most).then(|| Outcome::too_large(size, most))
    }

    async fn call<P, R>(&self, egress: &Egress, errand: Errand, door: &ComponentExportIndex, input: P) -> Outcome<R>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: Send + Sync + 'static,
        Answer<R>: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        if let Some(outcome) = self.too_large(errand.size) {
            return outcome;
        }
        let (gate, ledger) = egress.gate(errand.named);
        let limit = self.engine.limits.wall_clock;
        let end = match tokio::time::timeout(limit, self.run(gate, door, input)).await {
            Ok(Ok(result)) => End::Returned(result),
            Ok(Err(error)) => End::Trapped(format!("{:#}", error.root_cause())),
            Err(_) => End::OutOfTime(limit),
        };
        // The instance is gone by now, and what it has not handed to a connection never will be.
        Outcome::judge(errand.door, end, ledger.close())
    }

    async fn run<P, R>(
        &self,
        gate: Gate,
        door: &ComponentExportIndex,
        input: P,
    ) -> wasmtime::Result<Result<R, TriggerError>>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: Send + Sync + 'static,
        Answer<R>: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let _place = self.engine.places.acquire().await?;
        let mut store = self.store(gate);
        let instance = self.instance.instantiate_async(&mut store).await?;
        let function = self::door::<P, R>(&mut store, &instance, door)?;
        let (result,) = function.call_async(&mut store, input).await?;
        Ok(result)
    }

    fn store(&self, gate: Gate) -> Store<Call> {
        let mut store = Store::new(&self.engine.wasmtime, Call::new(gate, self.engine.limits.memory_bytes));
        store.limiter(|call| call);
        store.set_epoch_deadline(1);
        let most = self.engine.limits.computing;
        // A guest that computes gives way at each tick, or no clock could end it.
        store.epoch_deadline_callback(move |mut store| {
            let call = store.data_mut();
            call.ticks += 1;
            wasmtime::ensure!(
                EPOCH.as_nanos() * u128::from(call.ticks) <= most.as_nanos(),
                "it computed for longer than its {} s",
                most.as_secs_f64()
            );
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }
}

/// A typed function of the contract; fails where the component's own types differ from ours.
fn door<P, R>(
    store: &mut Store<Call>,
    instance: &Instance,
    index: &ComponentExportIndex,
) -> wasmtime::Result<TypedFunc<P, Answer<R>>>
where
    P: ComponentNamedList + Lower,
    Answer<R>: ComponentNamedList + Lift,
{
    instance.get_typed_func::<P, Answer<R>>(store, index)
}
