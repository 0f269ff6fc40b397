//! `make run`: starts a flow by the component, under wasmtime, over HTTPS, and shows what happened on both sides.
//!
//! Without an input of one's own it starts the flow of Camunda's blueprint at a stand-in ServiceNow that it brings up itself.

mod input;
mod screen;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use flow_starter_host::{ConnectTo, Destinations, Egress, Engine, Limits, Outcome, Pattern, Policy, Proxy};
use host_test::stand_in::{Instance, StandIn};
use input::{Input, Target};
use screen::Screen;

/// Starts a flow and shows what was sent, what came back and what ServiceNow saw.
#[derive(Debug, Parser)]
#[command(name = "demo")]
struct Arguments {
    /// An input of your own: the element template's fields as JSON (see examples/flow.json). The instance "acme" is the
    /// stand-in that comes with this project; any other is called for real.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The component to run
    #[arg(long, value_name = "FILE", default_value = "dist/servicenow-flow-starter.wasm")]
    component: PathBuf,
}

fn main() -> ExitCode {
    match demo(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            screen::complain(&format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Whether the flow was started.
fn demo(arguments: &Arguments) -> Result<bool> {
    let input = match &arguments.config {
        Some(file) => Input::read(file)?,
        None => Input::blueprint()?,
    };
    let wasm = std::fs::read(&arguments.component).with_context(|| {
        format!(
            "cannot read the component {}: run `make build`",
            arguments.component.display()
        )
    })?;
    let stand_in = match input.target {
        Target::StandIn => Some(StandIn::start(Instance::demo())?),
        Target::Elsewhere => None,
    };
    let screen = Screen::new(&input);
    screen.introduce(&input, &arguments.component, wasm.len(), stand_in.as_ref());
    let outcome = call(&wasm, &input, stand_in.as_ref())?;
    match &stand_in {
        Some(stand_in) => screen.sent(&stand_in.requests()),
        None => screen.left(&outcome.requests),
    }
    let started = screen.came_back(&outcome);
    if let Some(stand_in) = &stand_in {
        screen.saw(stand_in, started.as_deref());
    }
    Ok(started.is_some())
}

fn call(wasm: &[u8], input: &Input, stand_in: Option<&StandIn>) -> Result<Outcome<String>> {
    // A person at a terminal means what their input names.
    let named = Destinations::of_json(&input.json);
    let named = named.flow().into_iter().chain(named.token()).cloned();
    let mut egress = Egress::builder()
        .policy(Policy::new(named.map(Pattern::from)))
        .proxy(Proxy::from_env()?);
    if let Some(stand_in) = stand_in {
        let origin = format!("https://{}", stand_in.host()).parse()?;
        egress = egress
            .extra_ca_pem(stand_in.ca_pem())
            .connect_to(ConnectTo::new(&origin, stand_in.https_addr()));
    }
    let egress = egress.build()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let limits = Limits {
            concurrent_calls: 1,
            ..Limits::default()
        };
        let connector = Engine::new(limits)?.load(wasm).await?;
        Ok(connector.execute(&egress, &input.json).await)
    })
}

/// For a message: the file's name, quoted.
fn quoted(file: &Path) -> String {
    format!("`{}`", file.display())
}
