//! `trigger`: input in, exit code out.

use anyhow::Result;
use flow_starter_host::egress::RequestRecord;
use flow_starter_host::starter::DryRun;
use flow_starter_host::{Outcome, TriggerError};
use tracing::Instrument as _;

use crate::arguments::Trigger;
use crate::exit::Exit;
use crate::input::LoadedInput;
use crate::interrupt::Interrupts;
use crate::progress::Waiting;
use crate::settings::Resolved;
use crate::terminal::{Colour, print, print_error, print_json, print_stderr, with_warnings};
use crate::{connector, dry_run, log, outcome};

pub(crate) async fn trigger(arguments: &Trigger, settings: &Resolved<'_>) -> Result<Exit> {
    let LoadedInput { json: input, warnings } = arguments.input.read()?;
    let (starter, _) = connector::starter(settings).await?;
    let report = Report {
        json: settings.json,
        colours: settings.colour,
        warnings,
    };
    if arguments.dry_run {
        return report.dry_run(&starter.dry_run(&input).await);
    }
    let waiting = Waiting::begin("waiting for the response");
    let interrupts = Interrupts::listen()?;
    let call = starter.execute_until(&input, interrupts.first());
    let outcome = call.instrument(log::call()).await;
    interrupts.ended(outcome.result.as_ref().map_or_else(Exit::from, |_| Exit::Success));
    drop(waiting);
    Ok(report.outcome(&outcome))
}

struct Report {
    json: bool,
    colours: Colour,
    /// For JSON output; people have seen them on standard error.
    warnings: Vec<String>,
}

impl Report {
    fn outcome(&self, outcome: &Outcome<String>) -> Exit {
        let Self {
            json,
            colours,
            warnings,
        } = self;
        match &outcome.result {
            Ok(answer) => {
                let said = match json {
                    // JSON output passes it on unchanged.
                    true => print_json(&with_warnings(answer, warnings)),
                    false => print(&outcome::started(
                        answer,
                        outcome.mask(),
                        colours.on(&std::io::stdout()),
                    )),
                };
                match said {
                    Ok(()) => Exit::Success,
                    Err(error) => {
                        print_error(&format!(
                            "the flow has started, but its response cannot be written: {error}"
                        ));
                        Exit::AnswerLost
                    }
                }
            }
            Err(error) => self.failed(error, &outcome.requests),
        }
    }

    fn failed(&self, error: &TriggerError, requests: &[RequestRecord]) -> Exit {
        let Self {
            json,
            colours,
            warnings,
        } = self;
        if *json {
            let report = outcome::error_json(error, requests);
            if let Err(lost) = print_json(&with_warnings(&report, warnings)) {
                print_error(&format!("{error} This result cannot be written: {lost}"));
            }
        } else {
            let colours = colours.on(&std::io::stderr());
            print_stderr(&outcome::failed(error, requests, colours));
        }
        Exit::from(error)
    }

    fn dry_run(&self, dry_run: &DryRun) -> Result<Exit> {
        let Self {
            json,
            colours,
            warnings,
        } = self;
        if *json {
            print_json(&with_warnings(&dry_run::as_json(dry_run).to_string(), warnings))?;
        } else if let Some(refused) = dry_run::refused(dry_run, colours.on(&std::io::stderr())) {
            print_stderr(&refused);
        } else {
            print(&dry_run::as_text(dry_run, colours.on(&std::io::stdout())))?;
        }
        Ok(match &dry_run.refusal {
            Some(error) => Exit::from(error),
            None if dry_run.requests.iter().all(|request| request.allowed) => Exit::Success,
            // As the call itself would end.
            None => Exit::NotStarted,
        })
    }
}
