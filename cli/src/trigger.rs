//! `trigger`: an input in, an exit code out.

use anyhow::Result;
use flow_starter_host::{Outcome, Rehearsal, RequestRecord, TriggerError};
use tracing::Instrument as _;

use crate::arguments::Trigger;
use crate::exit::Exit;
use crate::input::Given;
use crate::interrupt::Interrupts;
use crate::progress::Waiting;
use crate::settings::Resolved;
use crate::terminal::{Colour, complain, say, say_json, tell, with_warnings};
use crate::{connector, log, outcome, rehearsal};

pub(crate) async fn trigger(arguments: &Trigger, settings: &Resolved<'_>) -> Result<Exit> {
    let Given { json: input, warnings } = arguments.input.read()?;
    let (starter, _) = connector::starter(settings).await?;
    let report = Report {
        json: settings.json,
        colours: settings.colour,
        warnings,
    };
    if arguments.dry_run {
        return report.rehearsal(&starter.rehearse(&input).await);
    }
    let waiting = Waiting::begin("waiting for the answer");
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
    /// For a program; a person has read them.
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
                    // The process asked for it as it is.
                    true => say_json(&with_warnings(answer, warnings)),
                    false => say(&outcome::started(
                        answer,
                        outcome.mask(),
                        colours.on(&std::io::stdout()),
                    )),
                };
                match said {
                    Ok(()) => Exit::Success,
                    Err(error) => {
                        complain(&format!(
                            "the flow has started, and its answer cannot be written: {error}"
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
            let told = outcome::error_json(error, requests);
            if let Err(lost) = say_json(&with_warnings(&told, warnings)) {
                complain(&format!("{error} And it cannot be written: {lost}"));
            }
        } else {
            let colours = colours.on(&std::io::stderr());
            tell(&outcome::failed(error, requests, colours));
        }
        Exit::from(error)
    }

    fn rehearsal(&self, rehearsal: &Rehearsal) -> Result<Exit> {
        let Self {
            json,
            colours,
            warnings,
        } = self;
        if *json {
            say_json(&with_warnings(&rehearsal::as_json(rehearsal).to_string(), warnings))?;
        } else if let Some(refused) = rehearsal::refused(rehearsal, colours.on(&std::io::stderr())) {
            tell(&refused);
        } else {
            say(&rehearsal::as_text(rehearsal, colours.on(&std::io::stdout())))?;
        }
        Ok(match &rehearsal.refusal {
            Some(error) => Exit::from(error),
            None if rehearsal.requests.iter().all(|request| request.allowed) => Exit::Success,
            // As the call itself would end.
            None => Exit::NotStarted,
        })
    }
}
