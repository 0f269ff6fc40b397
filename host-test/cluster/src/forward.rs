//! Expressions that another program evaluates, over HTTP on this machine.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::evaluation::{Evaluated, Evaluation};

/// No expression takes so long.
const LONGEST: Duration = Duration::from_secs(30);

/// Sends each evaluation to a service at this address, as `host-test/feel` is one: POST `{"expression", "variables"}`, answered by
/// `{"result", "warnings": ["…"]}`, `{"unparsable": "…"}` or `{"failed": "…"}`. Without such an answer, the evaluation fails.
pub fn evaluator_at(address: SocketAddr) -> impl Fn(&Evaluation) -> Evaluated + Send + Sync + 'static {
    move |evaluation| {
        forwarded(address, evaluation).unwrap_or_else(|error| {
            Evaluated::Failed(format!(
                "the FEEL service at {address} does not answer as it should: {error}"
            ))
        })
    }
}

fn forwarded(address: SocketAddr, evaluation: &Evaluation) -> std::io::Result<Evaluated> {
    let question = json!({ "expression": evaluation.expression, "variables": evaluation.variables }).to_string();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LONGEST))?;
    stream.set_nodelay(true)?;
    let length = question.len();
    let head = format!("POST / HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), question.as_bytes()].concat())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    // With `connection: close` and a content length, the body reaches to the end.
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    read(serde_json::from_str(body)?).ok_or_else(|| std::io::Error::other(format!("it says {body}")))
}

fn read(mut answer: Value) -> Option<Evaluated> {
    let text = |name| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    if let Some(why) = text("unparsable") {
        return Some(Evaluated::Unparsable(why));
    }
    if let Some(why) = text("failed") {
        return Some(Evaluated::Failed(why));
    }
    let warnings = answer.get("warnings")?.as_array()?.iter();
    let warnings = warnings
        .map(|text| text.as_str().map(str::to_owned))
        .collect::<Option<_>>()?;
    Some(Evaluated::Result(answer.get_mut("result")?.take(), warnings))
}
