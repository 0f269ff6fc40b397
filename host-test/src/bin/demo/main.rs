//! `make run`: starts a flow with `flow-starter`, and shows its command, its output and what ServiceNow received.
//!
//! Without your own input, it is the flow of Camunda's blueprint, at a stand-in ServiceNow.

mod command;
mod input;
mod screen;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use servicenow_stand_in::{Instance, StandIn};

use command::FlowStarter;
use input::Input;
use screen::Screen;

/// Starts a flow and shows the command, the response, and what ServiceNow received.
#[derive(Debug, Parser)]
#[command(name = "demo")]
struct Arguments {
    /// An input of your own: the element template's fields as JSON (see examples/flow.json). The instances "your-instance-name" and "acme"
    /// are this project's stand-in; any other is called for real.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// The program that starts it
    #[arg(long, value_name = "FILE", default_value = "flow-starter")]
    flow_starter: PathBuf,
}

fn main() -> ExitCode {
    match demo(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            screen::complain(&format!("{error:#}"));
            ExitCode::from(1)
        }
    }
}

/// Ends as `flow-starter` did.
fn demo(arguments: &Arguments) -> Result<ExitCode> {
    let input = match &arguments.config {
        Some(file) => Input::own(file)?,
        None => Input::blueprint()?,
    };
    let screen = Screen::new();
    let mut command = FlowStarter::new(&arguments.flow_starter, &input);
    let stand_in = match input.is_for_the_stand_in() {
        true => Some(StandIn::start(Instance::demo())?),
        false => None,
    };
    screen.introduce(&input, stand_in.as_ref());
    match &stand_in {
        Some(stand_in) => command.reaches(stand_in)?,
        None => command.allows(&input),
    }
    screen.command(&command.line());
    let ended = command.run()?;
    screen.as_it_came(&ended.said);
    if let Some(stand_in) = &stand_in {
        screen.saw(stand_in, &input, &ended.said);
    }
    if let Some(again) = command.again() {
        screen.again(&again);
    }
    Ok(ended.code)
}
