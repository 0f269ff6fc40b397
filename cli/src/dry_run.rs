//! Shows what a call would send. The library has masked it.

use flow_starter_host::starter::{DryRun, RecordedRequest};
use serde_json::{Value, json};

use crate::outcome::{error_json, failed, purpose};
use crate::terminal::{Page, Tone};

/// The requests as they would be sent.
pub(crate) fn as_text(dry_run: &DryRun, colours: bool) -> String {
    let mut page = Page::new(colours);
    page.line("Dry run: nothing was sent. A call would send:");
    for request in &dry_run.requests {
        page.line("");
        page.toned(&format!("{} {}", request.method, request.url), Tone::Bold);
        for (name, value) in &request.headers {
            page.line(&format!("{name}: {value}"));
        }
        if !request.body.is_empty() {
            page.line("");
            request.body.lines().for_each(|line| page.line(line));
        }
        page.line("");
        match request.allowed {
            true => page.row("destination", "allowed by policy.allow", Tone::Good),
            false => {
                let denied = "not allowed by policy.allow: it would be denied";
                let text = match request.origin() {
                    Some(origin) => format!("{denied}; to allow it: --allow {origin}"),
                    None => denied.to_owned(),
                };
                page.row("destination", &text, Tone::Bad);
            }
        }
    }
    page.into_text()
}

/// Why no request would be sent.
pub(crate) fn refused(dry_run: &DryRun, colours: bool) -> Option<String> {
    let error = dry_run.refusal.as_ref()?;
    Some(failed(error, &[], colours))
}

pub(crate) fn as_json(dry_run: &DryRun) -> Value {
    let requests = dry_run.requests.iter().map(request).collect::<Vec<_>>();
    let refusal = dry_run.refusal.as_ref().and_then(|error| {
        let json: Value = serde_json::from_str(&error_json(error, &[])).ok()?;
        json.get("error").cloned()
    });
    json!({
        "requests": requests,
        "error": refusal,
    })
}

fn request(request: &RecordedRequest) -> Value {
    json!({
        "purpose": purpose(request.purpose),
        "method": request.method,
        "url": request.url,
        "headers": request.headers,
        "body": request.body,
        "allowed": request.allowed,
    })
}
