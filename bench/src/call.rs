//! The call that every contender makes: its input, and the answer that it must get.

use anyhow::{Context, Result, ensure};

/// Path of the flow at the server.
pub const PATH: &str = "/api/sn_cico/flow_starter/bench";
/// User name for basic authentication.
pub const USERNAME: &str = "flow.starter";
/// Password for basic authentication.
pub const PASSWORD: &str = "correct horse battery staple";
/// Number of characters of a correlation value, and of an execution ID.
pub const ID_CHARACTERS: usize = 32;

/// The job's input as the engine passes it on, for any number of calls.
#[derive(Clone, Debug)]
pub struct Call {
    before: String,
    after: String,
}

impl Call {
    /// For the flow at this URL.
    ///
    /// # Errors
    /// If the URL has no path.
    pub fn new(url: &str, username: &str, password: &str) -> Result<Self> {
        let path = url
            .find("://")
            .and_then(|scheme| url.get(scheme + 3..)?.find('/').map(|slash| scheme + 3 + slash));
        let (origin, path) = path
            .and_then(|at| url.split_at_checked(at))
            .with_context(|| format!("the URL `{url}` has no path"))?;
        let text = |text: &str| serde_json::Value::from(text).to_string();
        Ok(Self {
            before: format!(
                r#"{{"snEndpoint":{},"restApiTriggerPath":{},"method":"POST","headers":{{"x-correlation-id":"order-4711","x-source":"bench"}},"queryParameters":{{"process":"order","tenant":"acme 1"}},"body":{{"correlationValue":""#,
                text(origin),
                text(path)
            ),
            after: format!(
                r#"","processInstance":2251799813685249,"message":"approved","amount":118.5}},"authentication":{{"type":"basic","username":{},"password":{}}}}}"#,
                text(username),
                text(password)
            ),
        })
    }

    /// The input of a call. The number makes its correlation value unique.
    pub fn input(&self, number: u64) -> String {
        let Self { before, after } = self;
        // Not `format!`: the preparation of a call should cost nothing beside the call.
        let mut input = String::with_capacity(before.len() + ID_CHARACTERS + after.len());
        input.push_str(before);
        push_id(&mut input, 'c', number);
        input.push_str(after);
        input
    }
}

/// The execution ID that the server gives to the call of this number.
pub fn execution_id(number: u64) -> String {
    let mut id = String::with_capacity(ID_CHARACTERS);
    push_id(&mut id, 'e', number);
    id
}

/// A letter and 31 digits.
fn push_id(out: &mut String, letter: char, number: u64) {
    out.push(letter);
    out.push_str("00000000000");
    let mut power = 10_u64.pow(19);
    while power > 0 {
        out.push(char::from(b'0' + (number / power % 10) as u8));
        power /= 10;
    }
}

/// The execution ID for a request body: its correlation value with another first letter.
pub fn execution_id_for(body: &[u8]) -> Option<String> {
    const BEFORE: &[u8] = b"\"correlationValue\":\"";
    let begin = body.windows(BEFORE.len()).position(|found| found == BEFORE)? + BEFORE.len();
    let value = std::str::from_utf8(body.get(begin..begin + ID_CHARACTERS)?).ok()?;
    Some(format!("e{}", value.strip_prefix('c')?))
}

/// Checks the output of a call thoroughly: once for each contender.
///
/// # Errors
/// If a member is missing or has another value.
pub fn check_output(output: &str, number: u64) -> Result<()> {
    let output: serde_json::Value = serde_json::from_str(output).context("the output is not JSON")?;
    let id = execution_id(number);
    let member = |pointer: &str| output.pointer(pointer).cloned().unwrap_or_default();
    for (pointer, expected) in [
        ("/status", 200.into()),
        ("/reason", "OK".into()),
        ("/executionId", id.clone().into()),
        ("/body/result/executionId", id.into()),
        ("/headers/content-type", "application/json;charset=UTF-8".into()),
        ("/headers/Content-Type", "application/json;charset=UTF-8".into()),
        ("/sysId", serde_json::Value::Null),
    ] {
        let found = member(pointer);
        ensure!(
            found == expected,
            "{pointer} of the output is {found} instead of {expected}"
        );
    }
    Ok(())
}

/// Whether the output of a call has its execution ID: quick, for every call.
pub fn is_answer(output: &str, number: u64) -> bool {
    output.contains(&execution_id(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_derives_the_id_from_the_body() {
        let call = Call::new("http://127.0.0.1:80/api/x", USERNAME, PASSWORD).unwrap();
        let input = call.input(42);
        let input: serde_json::Value = serde_json::from_str(&input).unwrap();
        let body = input["body"].to_string();
        assert_eq!(execution_id_for(body.as_bytes()), Some(execution_id(42)));
        assert_eq!(input["snEndpoint"], "http://127.0.0.1:80");
        assert_eq!(input["restApiTriggerPath"], "/api/x");
        assert_eq!(execution_id(u64::MAX), format!("e{:031}", u64::MAX));
        assert_eq!(execution_id_for(b"{}"), None);
    }
}
