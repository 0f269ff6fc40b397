//! The response of a started flow, as the process gets it.

use std::fmt;

use flow_starter_host::FlowResponse;
use flow_starter_input::Mask;
use flow_starter_input::output;
use serde::Deserialize;
use serde_json::value::RawValue;

/// `{"status","reason","headers","body","executionId","sysId"}`, without secrets: what the result variable holds, and what is kept of a
/// started flow where the job cannot be completed.
pub struct Answer {
    json: Box<RawValue>,
    ids: Ids,
}

/// What a person needs to find the flow in ServiceNow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Ids {
    /// The HTTP status.
    pub status: Option<u16>,
    /// `result.executionId` of the body.
    pub execution_id: Option<String>,
    /// `result.sys_id` of the body.
    pub sys_id: Option<String>,
}

impl Answer {
    /// Of a success, whose body the host has not masked: a server may echo credentials. Takes time that grows with the body.
    pub fn of_success(response: FlowResponse, mask: &Mask) -> Self {
        let FlowResponse {
            status,
            headers,
            body,
            execution_id,
            sys_id,
        } = response;
        let masked = |text: String| mask.text(text);
        let [execution_id, sys_id] = [execution_id, sys_id].map(|id| id.map(masked));
        Self::of_parts(
            status,
            &headers,
            &masked(body),
            execution_id.as_deref(),
            sys_id.as_deref(),
        )
    }

    /// Of a failure, all of whose texts the host has masked.
    pub fn of_failure(response: &FlowResponse) -> Self {
        Self::of_parts(
            response.status,
            &response.headers,
            &response.body,
            response.execution_id.as_deref(),
            response.sys_id.as_deref(),
        )
    }

    /// Of a flow that was started, and of whose response nothing is known.
    pub fn nothing() -> Self {
        Self::of_json(NOTHING)
    }

    /// Of a flow that was started, and of whose response only the HTTP status is known.
    pub fn of_status(status: u16) -> Self {
        Self::of_parts(status, &[], "", None, None)
    }

    /// Of the variable in which an earlier attempt has kept it.
    pub fn of_variable(json: &str) -> Self {
        Self::of_json(json)
    }

    /// The same with `null` in the body's place.
    #[must_use]
    pub fn without_body(&self) -> Self {
        let mut members: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(self.json.get()).unwrap_or_default();
        if let Some(body) = members.get_mut("body") {
            *body = serde_json::Value::Null;
        }
        Self::of_json(&serde_json::Value::from(members).to_string())
    }

    /// A JSON object.
    pub fn json(&self) -> &RawValue {
        &self.json
    }

    /// How to find the flow.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    fn of_parts(
        status: u16,
        headers: &[(String, String)],
        body: &str,
        execution_id: Option<&str>,
        sys_id: Option<&str>,
    ) -> Self {
        Self::of_json(&output::json(output::Response {
            status,
            headers,
            body,
            execution_id,
            sys_id,
        }))
    }

    /// JSON that is none becomes [`Self::nothing`].
    fn of_json(json: &str) -> Self {
        let json = RawValue::from_string(without_nul(json));
        let ids = json
            .as_ref()
            .ok()
            .and_then(|json| serde_json::from_str(json.get()).ok());
        let nothing = || RawValue::from_string(NOTHING.to_owned()).unwrap_or_default();
        Self {
            ids: ids.unwrap_or_default(),
            json: json.unwrap_or_else(|_| nothing()),
        }
    }
}

const NOTHING: &str = r#"{"status":null,"reason":null,"headers":{},"body":null,"executionId":null,"sysId":null}"#;

/// JSON in which U+FFFD stands for each NUL: PostgreSQL, in which engines store variables, takes none.
pub fn without_nul(json: &str) -> String {
    if !json.contains("\\u0000") {
        return json.to_owned();
    }
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    let mut replaced = 0u32;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = escape.strip_prefix("\\u0000") {
            out.push_str("\\ufffd");
            replaced += 1;
            rest = after;
        } else {
            // Of a backslash and the character after it, which may be a backslash as well.
            let end = escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end);
            let (escape, after) = escape.split_at(end);
            out.push_str(escape);
            rest = after;
        }
    }
    out.push_str(rest);
    if replaced > 0 {
        tracing::warn!(
            characters = replaced,
            "U+FFFD stands for NUL characters in the response: engines cannot store them"
        );
    }
    out
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("ids", &self.ids)
            .field("bytes", &self.json.get().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(body: &str) -> FlowResponse {
        FlowResponse {
            status: 200,
            headers: vec![("x-a".to_owned(), "1".to_owned())],
            body: body.to_owned(),
            execution_id: Some("an-id".to_owned()),
            sys_id: None,
        }
    }

    #[test]
    fn a_success_keeps_its_shape_and_loses_its_secrets() {
        let mut mask = Mask::default();
        mask.add("demo-password");
        let answer = Answer::of_success(response(r#"{"n":1.10,"echo":"demo-password"}"#), &mask);
        assert_eq!(
            answer.json().get(),
            r#"{"status":200,"reason":"OK","headers":{"x-a":"1","X-A":"1"},"body":{"n":1.10,"echo":"***"},"executionId":"an-id","sysId":null}"#
        );
        assert_eq!(answer.ids().execution_id.as_deref(), Some("an-id"));
    }

    #[test]
    fn without_its_body_an_answer_keeps_status_and_ids() {
        let answer = Answer::of_failure(&response(r#"{"n":1}"#)).without_body();
        let json: serde_json::Value = serde_json::from_str(answer.json().get()).unwrap();
        assert_eq!(
            (&json["status"], &json["body"]),
            (&200.into(), &serde_json::Value::Null)
        );
        assert_eq!(json["executionId"], "an-id");
        assert_eq!(json["headers"]["x-a"], "1");
    }

    #[test]
    fn of_a_status_alone_the_phrase_is_known_too() {
        assert_eq!(
            Answer::of_status(200).json().get(),
            r#"{"status":200,"reason":"OK","headers":{},"body":null,"executionId":null,"sysId":null}"#
        );
    }

    #[test]
    fn an_answer_that_is_no_json_is_one_of_which_nothing_is_known() {
        for text in ["", "x", "{", "[1,"] {
            assert_eq!(Answer::of_variable(text).json().get(), NOTHING, "{text}");
        }
    }

    #[test]
    fn nul_becomes_the_replacement_character_and_nothing_else_changes() {
        for (json, expected) in [
            (r#"{"a":"x"}"#, r#"{"a":"x"}"#),
            (r#"{"a\u0000":"x\u0000y"}"#, r#"{"a\ufffd":"x\ufffdy"}"#),
            (r#"{"a":"\\u0000"}"#, r#"{"a":"\\u0000"}"#),
            (r#"{"a":"\\\u0000\n\u0001"}"#, r#"{"a":"\\\ufffd\n\u0001"}"#),
        ] {
            assert_eq!(without_nul(json), expected);
        }
    }
}
