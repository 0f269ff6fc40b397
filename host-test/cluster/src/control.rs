//! The control API: what a test does with the handle, as JSON over HTTP, for a trial by hand or in another language.
//!
//! It is served beside the cluster's API, under `/control/`: not recorded, without credentials, and never met by a fault.

use std::sync::Arc;
use std::time::Duration;

use hyper::{HeaderMap, Method};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::call::Call;
use crate::control_json::{ExpressionInput, FaultInput, JobInput, request, snapshot};
use crate::core::Core;
use crate::fault_handle::deliver;
use crate::faults::FaultId;
use crate::keys::{JobKey, ProcessInstanceKey};
use crate::serving::Serving;
use crate::settle::Refusal;
use crate::wait::until;

/// How long a question with a condition waits, unless it says.
const PATIENCE_MS: u64 = 10_000;

/// What `GET /control/` says.
const ROUTES: &[(&str, &str)] = &[
    (
        "POST /control/jobs",
        r#"creates a job: {"type": "…", "variables": {}, "inputs": {}, "headers": {}, "retries": 3, …}"#,
    ),
    ("GET /control/jobs", "all jobs"),
    (
        "GET /control/jobs/KEY",
        "one job; ?state=completed&withinMs=10000 waits for a state, else 408",
    ),
    (
        "POST /control/jobs/KEY/resolve",
        r#"resolves its incident: {"retries": 3}"#,
    ),
    ("POST /control/jobs/KEY/expire", "ends its lock or its back-off"),
    (
        "POST /control/jobs/KEY/hand-out-twice",
        "lets it be handed out once more",
    ),
    (
        "POST /control/instances/KEY/suspend",
        "suspends the process instance; also resume, cancel",
    ),
    ("POST /control/clock", r#"moves the clock: {"advanceMs": 60000}"#),
    (
        "POST /control/faults",
        r#"{"call": "completion", "times": 1, "skip": 0, "after": false, "job": "KEY", "do": {"status": 503, "headers": {}, "body": "…"}}; times null: always; do: also "resource-exhausted", "resource-exhausted-500", "rejected", "forbidden", "unavailable", "gateway-timeout", "garbage", "hold", "silence", "cut", "reset", "half-then-close", "half-then-reset", "half-then-stall", "late", "late-and-cut", "replay""#,
    ),
    ("DELETE /control/faults", "no fault is left"),
    ("DELETE /control/faults/ID", "removes a fault"),
    ("POST /control/faults/ID/release", "lets go what it holds"),
    (
        "POST /control/faults/ID/deliver",
        "processes the requests that it has kept",
    ),
    (
        "GET /control/requests",
        "what was received; ?call=completion&atLeast=2&withinMs=10000 waits, else 408",
    ),
    ("DELETE /control/requests", "forgets them"),
    (
        "POST /control/expressions",
        r#"says what an expression comes to: {"expression": "=a", "result": 1, "warnings": []}; or "unparsable": "why", or "failed": "why"; without "expression": any other"#,
    ),
    ("POST /control/restart", "drops every other connection"),
    ("POST /control/revoke-tokens", "refuses every token that was issued"),
];

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Resolve {
    retries: Option<i32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Advance {
    advance_ms: u64,
}

pub(crate) async fn answer(
    serving: &Arc<Serving>,
    connection: u64,
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Answer {
    if !is_from_here(headers) {
        return failure(403, "only for this machine's own programs");
    }
    let core = &serving.core;
    let inside = path.strip_prefix("/control/").unwrap_or_default();
    let parts: Vec<&str> = inside.split('/').collect();
    let answered = match (method.as_str(), parts.as_slice()) {
        ("GET", [""]) => Ok(json!(
            ROUTES.iter().copied().collect::<std::collections::BTreeMap<_, _>>()
        )),
        ("POST", ["jobs"]) => read(body).and_then(|input: JobInput| create(core, input)),
        ("GET", ["jobs"]) => Ok(core.with(|state| {
            state
                .jobs
                .keys()
                .filter_map(|key| state.snapshot(*key))
                .map(snapshot)
                .collect()
        })),
        ("GET", ["jobs", key]) => show(core, key, query).await,
        ("POST", ["jobs", key, act]) => on_job(core, key, act, body),
        ("POST", ["instances", key, act]) => on_instance(core, key, act),
        ("POST", ["clock"]) => read(body).map(|advance: Advance| {
            core.with(|state| {
                state.clock.advance(Duration::from_millis(advance.advance_ms));
                state.expire();
                state.revision += 1;
                json!({ "nowMs": state.clock.wall_ms(state.clock.now()) })
            })
        }),
        ("POST", ["faults"]) => read(body).and_then(|input: FaultInput| {
            let (call, times, fault) = input.fault().map_err(|why| failure(400, &why))?;
            Ok(json!({ "fault": core.faults.set(call, times, fault) }))
        }),
        ("DELETE", ["faults"]) => done(|| core.faults.clear()),
        ("DELETE", ["faults", id]) => fault(core, id).and_then(|id| done(|| core.faults.remove(id))),
        ("POST", ["faults", id, "release"]) => fault(core, id).and_then(|id| done(|| core.faults.release(id))),
        ("POST", ["faults", id, "deliver"]) => match fault(core, id) {
            Ok(id) => Ok(json!({ "statuses": deliver(core, id).await })),
            Err(unknown) => Err(unknown),
        },
        ("GET", ["requests"]) => requests(core, query).await,
        ("DELETE", ["requests"]) => done(|| core.log.clear()),
        ("POST", ["expressions"]) => read(body).and_then(|input: ExpressionInput| {
            let (expression, evaluated) = input.evaluated().map_err(|why| failure(400, why))?;
            done(|| core.evaluate_as(expression, evaluated))
        }),
        ("POST", ["restart"]) => {
            serving.drop_connections(Some(connection)).await;
            Ok(json!({}))
        }
        ("POST", ["revoke-tokens"]) => done(|| core.tokens().revoke()),
        _ => Err(failure(404, "there is no such path; GET /control/ lists them")),
    };
    core.wake();
    match answered {
        Ok(value) => Answer::json(200, &value),
        Err(failed) => failed,
    }
}

/// A web page may send requests to this machine as well, under its own name (`Origin`) or under one that it has made resolve
/// to here (`Host`).
fn is_from_here(headers: &HeaderMap) -> bool {
    let local = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        ["127.0.0.1", "localhost"].contains(&name)
    };
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    !headers.contains_key("origin") && host.is_none_or(local)
}

fn failure(status: u16, why: &str) -> Answer {
    Answer::json(status, &json!({ "error": why }))
}

fn done(act: impl FnOnce()) -> Result<Value, Answer> {
    act();
    Ok(json!({}))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Answer> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| failure(400, &error.to_string()))
}

fn refused(refusal: &Refusal) -> Answer {
    let status = match refusal {
        Refusal::NotFound => 404,
        Refusal::Conflict(_) => 409,
        Refusal::Invalid(_) => 400,
    };
    failure(status, &refusal.to_string())
}

fn create(core: &Core, input: JobInput) -> Result<Value, Answer> {
    let spec = input.spec().map_err(|why| failure(400, &why))?;
    core.with(|state| {
        let key = state.create(spec);
        state.snapshot(key).map(snapshot)
    })
    .ok_or_else(|| failure(500, "the job is gone"))
}

fn key<K: std::str::FromStr>(text: &str) -> Result<K, Answer> {
    text.parse().map_err(|_| failure(400, "a key is a number"))
}

fn parameters(query: &str) -> impl Fn(&str) -> Option<String> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    move |name| {
        let found = pairs.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.clone())
    }
}

fn patience(parameter: &impl Fn(&str) -> Option<String>) -> Duration {
    let given = parameter("withinMs").and_then(|text| text.parse().ok());
    Duration::from_millis(given.unwrap_or(PATIENCE_MS))
}

async fn show(core: &Core, text: &str, query: &str) -> Result<Value, Answer> {
    let key: JobKey = key(text)?;
    let unknown = || failure(404, "there is no such job");
    let parameter = parameters(query);
    let Some(state) = parameter("state") else {
        return core.with(|state| state.snapshot(key)).map(snapshot).ok_or_else(unknown);
    };
    let look = |core: &Core| {
        let job = core.with(|state| state.snapshot(key));
        job.filter(|job| job.state.name() == state)
    };
    match tokio::time::timeout(patience(&parameter), until(core, look)).await {
        Ok(Some(job)) => Ok(snapshot(job)),
        _ => Err(failure(408, "the job did not come into that state in time")),
    }
}

fn on_job(core: &Core, text: &str, act: &str, body: &[u8]) -> Result<Value, Answer> {
    let key: JobKey = key(text)?;
    let result = match act {
        "resolve" => {
            let resolve: Resolve = read(body)?;
            core.with(|state| state.resolve(key, resolve.retries))
        }
        "expire" => match core.with(|state| state.free(key)) {
            true => Ok(()),
            false => Err(Refusal::Conflict("it has neither a lock nor a back-off")),
        },
        "hand-out-twice" => core.with(|state| state.hand_out_twice(key)),
        _ => return Err(failure(404, "a job can be resolved, expired or handed out twice")),
    };
    result.map_err(|refusal| refused(&refusal))?;
    core.with(|state| state.snapshot(key))
        .map(snapshot)
        .ok_or_else(|| failure(404, "there is no such job"))
}

fn on_instance(core: &Core, text: &str, act: &str) -> Result<Value, Answer> {
    let key: ProcessInstanceKey = key(text)?;
    let version = core.options.version;
    let result = match act {
        "suspend" => core.with(|state| state.suspend(version, key, true)),
        "resume" => core.with(|state| state.suspend(version, key, false)),
        "cancel" => core.with(|state| state.cancel(key)),
        _ => return Err(failure(404, "an instance can be suspended, resumed or cancelled")),
    };
    result.map_err(|refusal| refused(&refusal))?;
    Ok(json!({}))
}

fn fault(core: &Core, text: &str) -> Result<FaultId, Answer> {
    let id: FaultId = key(text)?;
    match core.faults.exists(id) {
        true => Ok(id),
        false => Err(failure(404, "there is no such fault")),
    }
}

async fn requests(core: &Core, query: &str) -> Result<Value, Answer> {
    let parameter = parameters(query);
    let call = match parameter("call") {
        None => Call::Any,
        Some(name) => Call::named(&name).ok_or_else(|| failure(400, "there is no such call"))?,
    };
    let at_least = parameter("atLeast").and_then(|text| text.parse().ok()).unwrap_or(0);
    let look = |core: &Core| (core.log.count(call) >= at_least).then_some(());
    match tokio::time::timeout(patience(&parameter), until(core, look)).await {
        Ok(Some(())) => Ok(core.log.requests(call).iter().map(request).collect()),
        _ => Err(failure(408, "there were not so many requests in time")),
    }
}
