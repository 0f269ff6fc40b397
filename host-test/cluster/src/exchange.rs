//! One request on a connection: read, written down, met by a fault or not, answered.

use std::future::pending;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{HeaderMap, Response};
use serde_json::json;

use crate::answer::Answer;
use crate::call::{Call, Route};
use crate::control;
use crate::faults::{Act, FaultId};
use crate::process::process;
use crate::record::{Recorded, Request};
use crate::serving::Serving;
use crate::wire::{End, Valve};

/// The connection ends here, without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut")]
pub(crate) struct Broken;

pub(crate) async fn exchange(
    serving: Arc<Serving>,
    connection: u64,
    valve: Arc<Valve>,
    request: hyper::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Broken> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Broken)?.to_bytes();
    let path = head.uri.path();
    if path.starts_with("/control/") {
        let query = head.uri.query().unwrap_or_default();
        let answer = control::answer(&serving, connection, &head.method, path, query, &head.headers, &body).await;
        return response(answer);
    }
    let core = &serving.core;
    let route = Route::of(head.method.as_str(), path, &core.options.prefix);
    let headers = texts(&head.headers);
    let header = |name: &str| {
        let mut values = headers.iter().filter(|(own, _)| own == name);
        values.next().map(|(_, value)| value.clone())
    };
    let mut request = Request {
        number: 0,
        route,
        path: path.to_owned(),
        authorization: header("authorization"),
        content_type: header("content-type"),
        body: body.to_vec(),
    };
    request.number = core.log.add(Recorded {
        number: 0,
        connection,
        at: Instant::now(),
        call: route.call(),
        job: route.job(),
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers,
        body: body.to_vec(),
        json: serde_json::from_slice(&body).unwrap_or_default(),
        answered: None,
        fault: None,
    });
    core.wake();
    let met = core.faults.meet(&request);
    let answer = match met {
        None => answer(&serving, &request).await?,
        Some((id, fault)) => {
            core.log.change(request.number, |own| own.fault = Some(id));
            core.wake();
            fail(&serving, &valve, &request, id, fault.act, fault.after).await?
        }
    };
    core.log
        .change(request.number, |own| own.answered = Some(answer.status));
    core.wake();
    response(answer)
}

/// As the cluster answers. A poll may outlive its connection.
async fn answer(serving: &Arc<Serving>, request: &Request) -> Result<Answer, Broken> {
    let core = &serving.core;
    if request.route != Route::Call(Call::Activation) || !core.options.dead_polls_take_jobs {
        return Ok(process(core, request, true).await);
    }
    let (core, request) = (Arc::clone(core), request.clone());
    let poll = tokio::spawn(async move { process(&core, &request, true).await });
    poll.await.map_err(|_| Broken)
}

async fn fail(
    serving: &Arc<Serving>,
    valve: &Valve,
    request: &Request,
    id: FaultId,
    act: Act,
    after: bool,
) -> Result<Answer, Broken> {
    let core = &serving.core;
    let processed = match after {
        true => Some(answer(serving, request).await?),
        false => None,
    };
    match act {
        Act::Answer(answer) => Ok(answer.at(&request.path)),
        Act::Hold => {
            let mut changes = core.changes();
            loop {
                changes.mark_unchanged();
                if core.faults.is_released(id) {
                    break;
                }
                changes.changed().await.map_err(|_| Broken)?;
            }
            match processed {
                Some(answer) => Ok(answer),
                None => answer(serving, request).await,
            }
        }
        Act::Silence => {
            valve.silence();
            pending().await
        }
        Act::Cut(end) => {
            if end == End::Reset {
                valve.reset();
            }
            Err(Broken)
        }
        Act::Half(end) => {
            valve.halve(end);
            Ok(processed.unwrap_or_else(|| half_of(request)))
        }
        Act::Bytes(bytes) => {
            valve.replace(bytes);
            Ok(Answer::new(204))
        }
        Act::Late { cut: true } => Err(Broken),
        Act::Late { cut: false } => pending().await,
        Act::Replay => answer(serving, request).await,
    }
}

/// What half of is sent when the request was not processed.
fn half_of(request: &Request) -> Answer {
    match request.route.call() {
        Call::Activation => Answer::no_jobs(),
        Call::Token => Answer::json(200, &json!({ "access_token": "half", "expires_in": 300 })),
        _ => Answer::new(204),
    }
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

fn response(answer: Answer) -> Result<Response<Full<Bytes>>, Broken> {
    let mut builder = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        builder = builder.header(name, value);
    }
    builder.body(Full::new(Bytes::from(answer.body))).map_err(|_| Broken)
}
