//! The host library's two entrances.

use std::path::Path;

use anyhow::{Context, Result};
use flow_starter_bench::protocol::Options;
use flow_starter_host::egress::{Origin, Pattern};
use flow_starter_host::{Connector, Egress, Engine, FlowStarter, Limits, Outcome, Policy};

use crate::drive::Contender;

/// `Connector::execute`.
#[derive(Clone)]
pub(crate) struct Ours {
    connector: Connector,
    egress: Egress,
}

pub(crate) fn connector(options: &Options, component: &Path) -> Result<Ours> {
    let engine = Engine::new(Limits {
        concurrent_calls: options.in_flight_max,
        ..Limits::default()
    })?;
    let code = std::fs::read(component).with_context(|| format!("cannot read {}", component.display()))?;
    // SAFETY: `bench` had the file compiled into a directory of its own.
    let connector = unsafe { engine.load_compiled(&code)? };
    let url: http::Uri = options.url.parse()?;
    let scheme = url.scheme_str().context("the URL has no scheme")?;
    let authority = url.authority().context("the URL has no host")?;
    let origin: Origin = format!("{scheme}://{authority}").parse()?;
    let mut egress = Egress::builder().policy(Policy::new([Pattern::from(origin)]));
    if let Some(file) = &options.ca {
        egress = egress.extra_ca_pem(std::fs::read(file)?);
    }
    Ok(Ours {
        connector,
        egress: egress.build()?,
    })
}

pub(crate) fn starter(options: &Options, component: &Path) -> Result<FlowStarter> {
    let Ours { connector, egress } = connector(options, component)?;
    Ok(FlowStarter::new(connector, egress))
}

impl Contender for Ours {
    async fn call(&self, input: &str) -> Result<String> {
        output(self.connector.execute(&self.egress, input).await)
    }
}

impl Contender for FlowStarter {
    async fn call(&self, input: &str) -> Result<String> {
        output(self.execute(input).await)
    }
}

fn output(outcome: Outcome<String>) -> Result<String> {
    let requests = outcome.requests;
    outcome
        .result
        .with_context(|| format!("the requests were {requests:?}"))
}

/// Compiles the component for any number of calls.
pub(crate) fn compile(wasm: &[u8]) -> Result<Vec<u8>> {
    let engine = Engine::new(Limits {
        concurrent_calls: 1,
        ..Limits::default()
    })?;
    Ok(engine.compile(wasm)?)
}
