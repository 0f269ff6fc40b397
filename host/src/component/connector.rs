//! A loaded component and its calls: each gets a fresh instance, so that no call sees another's data.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use flow_starter_input::{FlowConfig, Mask, TokenRequest};
use wasmtime::component::{ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower, TypedFunc};

use super::call::Call;
use super::cpu_time::CpuTime;
use super::engine::Engine;
use super::limits::why;
use super::outcome::{CallKind, End, Judged, Outcome};
use super::refusal::LoadError;
use super::typecheck::{Answer, CONNECTOR, FLOW_STARTER};
use crate::contract::{AccessToken, FlowConfigRecord, FlowResponse, TokenRequestRecord, TriggerError};
use crate::egress::{Destinations, Egress, EgressHooks};

/// A compiled component that implements the contract. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    engine: Engine,
    instance: InstancePre<Call>,
    trigger_flow: ComponentExportIndex,
    request_token: ComponentExportIndex,
    execute: ComponentExportIndex,
    /// How many permits a call takes: one for each memory of its instance.
    permits: u32,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}

/// The fraction of an instance's memory that an input may fill: it is held as text, parsed, and as the request's body.
const INPUT_PART: usize = 4;

/// What the host needs to know about a call besides its input.
struct CallContext {
    kind: CallKind,
    named: Destinations,
    /// Size of the input's large parts, in bytes.
    size: usize,
}

impl Connector {
    /// For a component that implements the contract, as [`mismatches`](super::typecheck::mismatches) found.
    pub(super) async fn new(engine: Engine, instance: InstancePre<Call>) -> Result<Self, LoadError> {
        let component = instance.component();
        let export = |interface: &str, function: &str| {
            component
                .get_export_index(None, interface)
                .and_then(|interface| component.get_export_index(Some(&interface), function))
                .ok_or_else(|| LoadError::Instantiate(format!("it has no {function} in {interface}")))
        };
        let memories = component.resources_required().map_or(1, |needs| needs.num_memories);
        let connector = Self {
            trigger_flow: export(FLOW_STARTER, "trigger-flow")?,
            request_token: export(FLOW_STARTER, "request-token")?,
            execute: export(CONNECTOR, "execute")?,
            permits: memories.max(1),
            engine,
            instance,
        };
        connector.comes_up().await?;
        Ok(connector)
    }

    /// Creates a first instance under a call's limits, so that a component that cannot run is refused before the first call.
    async fn comes_up(&self) -> Result<(), LoadError> {
        let cpu_time = Arc::new(CpuTime::new());
        let instance = async {
            let _permits = self.engine.permits.take(self.permits).await?;
            let mut store = self.engine.store(EgressHooks::closed(), cpu_time.clone());
            self.instance.instantiate_async(&mut store).await.map(drop)
        };
        tokio::time::timeout(self.engine.limits.wall_clock, cpu_time.of(instance))
            .await
            .map_err(|_| LoadError::Instantiate("it exceeded the wall-clock limit".to_owned()))?
            .map_err(|error| LoadError::Instantiate(why(&error)))?;
        Ok(())
    }

    /// Starts a flow: the contract's `trigger-flow`. At most one request for the flow leaves, and before it one for a token if the
    /// authentication needs it.
    pub async fn trigger_flow(&self, egress: &Egress, config: FlowConfig) -> Outcome<FlowResponse> {
        let limit = self.engine.limits.wall_clock;
        self.trigger_flow_until(egress, config, limit, pending())
            .await
            .into_outcome(Mask::default())
    }

    /// The same within the rest of a call's time, and cancelled when `stop` is ready; the requests that left by then determine the flow's state.
    pub(crate) async fn trigger_flow_until(
        &self,
        egress: &Egress,
        config: FlowConfig,
        left: Duration,
        stop: impl Future<Output = ()> + Send,
    ) -> Judged<FlowResponse> {
        let context = CallContext {
            kind: CallKind::Flow,
            named: Destinations::of_config(&config),
            size: config.body.as_deref().map_or(0, str::len),
        };
        let input = (FlowConfigRecord::from(config),);
        self.call(egress, context, &self.trigger_flow, input, left, stop).await
    }

    /// Requests an access token: the contract's `request-token`. Never starts a flow.
    pub async fn request_token(&self, egress: &Egress, request: TokenRequest) -> Outcome<AccessToken> {
        self.ask_for_token(egress, request).await.into_outcome(Mask::default())
    }

    pub(crate) async fn ask_for_token(&self, egress: &Egress, request: TokenRequest) -> Judged<AccessToken> {
        let context = CallContext {
            kind: CallKind::Token,
            named: Destinations::of_token_request(&request),
            size: 0,
        };
        let limit = self.engine.limits.wall_clock;
        let input = (TokenRequestRecord::from(request),);
        self.call(egress, context, &self.request_token, input, limit, pending())
            .await
    }

    /// Starts a flow from the template's JSON: the contract's `execute`. The result is JSON, too.
    pub async fn execute(&self, egress: &Egress, input: &str) -> Outcome<String> {
        let context = CallContext {
            kind: CallKind::Flow,
            named: Destinations::of_json(input),
            size: input.len(),
        };
        let limit = self.engine.limits.wall_clock;
        self.call(egress, context, &self.execute, (input,), limit, pending())
            .await
            .into_outcome(Mask::default())
    }

    /// Refuses an input that would not fit into an instance.
    pub(crate) fn too_large<T>(&self, size: usize) -> Option<Judged<T>> {
        let most = self.largest_input();
        (size > most).then(|| Judged::too_large(size, most))
    }

    /// In bytes.
    pub(crate) fn largest_input(&self) -> usize {
        self.engine.limits.memory_bytes / INPUT_PART
    }

    /// Time limit of a call, waiting included.
    pub(crate) fn wall_clock(&self) -> Duration {
        self.engine.limits.wall_clock
    }

    async fn call<P, R>(
        &self,
        egress: &Egress,
        context: CallContext,
        export: &ComponentExportIndex,
        input: P,
        left: Duration,
        stop: impl Future<Output = ()> + Send,
    ) -> Judged<R>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: Send + Sync + 'static,
        Answer<R>: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        if let Some(refused) = self.too_large(context.size) {
            return refused;
        }
        let (hooks, log) = egress.hooks(context.named);
        let cpu_time = Arc::new(CpuTime::new());
        let run = cpu_time.of(self.run(hooks, &cpu_time, export, input));
        let end = tokio::select! {
            // A finished call counts, even if `stop` is ready at the same time.
            biased;
            ended = tokio::time::timeout(left, run) => match ended {
                Ok(Ok(result)) => End::Returned(result),
                Ok(Err(error)) => End::Trapped(why(&error)),
                Err(_) => End::OutOfTime(self.engine.limits.wall_clock),
            },
            () = stop => End::GivenUp,
        };
        // The instance is gone, so nothing more can reach a connection.
        Judged::of(context.kind, end, log.close())
    }

    async fn run<P, R>(
        &self,
        hooks: EgressHooks,
        cpu_time: &Arc<CpuTime>,
        export: &ComponentExportIndex,
        input: P,
    ) -> wasmtime::Result<Result<R, TriggerError>>
    where
        P: ComponentNamedList + Lower + Send + Sync,
        R: Send + Sync + 'static,
        Answer<R>: ComponentNamedList + Lift + Send + Sync + 'static,
    {
        let _permits = self.engine.permits.take(self.permits).await?;
        let mut store = self.engine.store(hooks, cpu_time.clone());
        let instance = self.instance.instantiate_async(&mut store).await?;
        let function: TypedFunc<P, Answer<R>> = instance.get_typed_func(&mut store, export)?;
        let (result,) = function.call_async(&mut store, input).await?;
        Ok(result)
    }
}
