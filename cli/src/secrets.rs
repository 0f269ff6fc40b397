//! `secrets list`: the secrets that an input uses, and the provider of each. Never a value.

use anyhow::Result;
use flow_starter_host::secrets::{ExpandError, SecretUse};
use serde_json::{Value, json};

use crate::exit::{Exit, bad};
use crate::input::{Input, LoadedInput};
use crate::settings::Resolved;
use crate::terminal::{Page, Tone, print, print_json, with_warnings};

pub(crate) async fn list(input: &Input, settings: &Resolved<'_>) -> Result<Exit> {
    let LoadedInput { json: input, warnings } = input.read()?;
    let limit = settings.limits.wall_clock;
    let uses = tokio::time::timeout(limit, settings.secrets.uses(&input)).await;
    let uses = uses.map_err(|_| {
        let limit = limit.as_secs_f64();
        bad(format!(
            "a secrets file or a secrets directory did not respond within limits.wall-clock ({limit} s)"
        ))
    })?;
    // A malformed reference.
    let uses = uses.map_err(|error| bad(error.to_string()))?;
    match settings.json {
        true => {
            let report = json!({"secrets": uses.iter().map(as_json).collect::<Vec<_>>()}).to_string();
            print_json(&with_warnings(&report, &warnings))?;
        }
        false => print(&as_text(&uses, settings.colour.on(&std::io::stdout())))?,
    }
    Ok(match uses.iter().all(|used| used.found.is_ok()) {
        true => Exit::Success,
        false => Exit::BadInput,
    })
}

fn as_text(uses: &[SecretUse], colours: bool) -> String {
    let mut page = Page::new(colours);
    if uses.is_empty() {
        page.line("The input uses no secrets.");
    }
    let rows = uses.iter().map(|used| {
        let (mark, tone, place) = match &used.found {
            Ok(place) => ("✓", Tone::Good, place.clone()),
            Err(error) => ("✗", Tone::Bad, why(error)),
        };
        let note = match used.short {
            true => format!("{place} (under 4 characters: used, but never masked)"),
            false => place,
        };
        (tone, [mark.to_owned(), used.name.clone(), used.field.clone(), note])
    });
    page.table(&rows.collect::<Vec<_>>());
    page.into_text()
}

fn as_json(used: &SecretUse) -> Value {
    json!({
        "name": used.name,
        "field": used.field,
        "found": used.found.is_ok(),
        "place": used.found.as_ref().ok(),
        "why": used.found.as_ref().err().map(why),
        "short": used.short,
    })
}

/// The name and the field are in the other columns.
fn why(error: &ExpandError) -> String {
    match error {
        ExpandError::Missing { name, places, bare, .. } => {
            let looked = match places.as_slice() {
                [] => "no provider is configured".to_owned(),
                places => format!("looked for {}", places.join(", ")),
            };
            let text = match bare {
                true => format!("; if `secrets.{name}` is plain text, set secrets.bare-references to off"),
                false => String::new(),
            };
            format!("not available: {looked}{text}")
        }
        ExpandError::Empty { place, .. } => format!("empty: {place}"),
        ExpandError::Provider { error, .. } => error.to_string(),
        error => error.to_string(),
    }
}
