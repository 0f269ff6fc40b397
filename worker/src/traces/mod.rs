//! OpenTelemetry traces, where the operator's environment asks for them: a span for each job, and in it one for its call.
//!
//! | module | input | output |
//! |---|---|---|
//! | `environment` | the variables `OTEL_*` | where traces go, or why they do not |
//! | `layer` | the log's spans and events | OpenTelemetry spans, with the attributes of one table |
//! | `export` | finished spans | OTLP over HTTP, and at most one warning a minute |
//!
//! Traces never stop or delay a job. A wrong variable turns them off, with one sentence in the log. Spans wait in a queue of limited length,
//! and are dropped where the collector is too slow. The collector is the operator's: `policy.allow` does not govern it. Nothing of a trace is
//! sent to ServiceNow or to the engine.

mod environment;
mod export;
mod layer;

use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;

pub use layer::TraceLayer;

use environment::Destination;

/// How long the last spans may take to be delivered once the worker has ended.
const FLUSH: Duration = Duration::from_secs(5);

/// The service's name where the operator gives none.
const SERVICE: &str = "flow-starter-worker";

/// Where spans go.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
    endpoint: String,
}

/// Why there are no traces although the environment asks for them: one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("traces are off: {0}")]
pub struct TracesOff(String);

impl Traces {
    /// By the process's variables. None: they do not ask for traces.
    ///
    /// # Errors
    /// A variable that cannot be used. Never quotes one that may hold a credential.
    pub fn from_environment(runtime: Handle) -> Result<Option<Self>, TracesOff> {
        let variable = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
        let Some(destination) = environment::destination(variable).map_err(TracesOff)? else {
            return Ok(None);
        };
        let Destination { endpoint, shown, .. } = &destination;
        let (endpoint, shown) = (endpoint.clone(), shown.clone());
        let exporter = export::exporter(runtime, destination, endpoint).map_err(TracesOff)?;
        let mut resource = Resource::builder();
        if !environment::names_the_service(variable) {
            resource = resource.with_service_name(SERVICE);
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        Ok(Some(Self {
            provider,
            endpoint: shown,
        }))
    }

    /// Where they go, without credentials.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What makes spans of the log's.
    pub fn layer(&self) -> TraceLayer {
        TraceLayer::new(self.provider.tracer("flow-starter"))
    }

    /// Delivers what waits, for 5 s at most. Call it outside of the runtime, which still has to run.
    pub fn finish(self) {
        // What could not be delivered was in the log.
        let _delivered = self.provider.shutdown_with_timeout(FLUSH);
    }
}
