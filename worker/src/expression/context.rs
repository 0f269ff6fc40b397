//! The variables that an expression sees.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::Variables;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WithResponse<'a> {
    #[serde(flatten)]
    fields: Variables,
    response: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<Job>,
}

#[derive(Serialize)]
struct Job {
    retries: i64,
}

#[derive(Serialize)]
struct WithError<'a> {
    error: &'a RawValue,
    response: ErrorAlone<'a>,
    job: Job,
}

#[derive(Serialize)]
struct ErrorAlone<'a> {
    error: &'a RawValue,
}

/// For a response (a JSON object): its members, and the whole as `response`. An error expression also gets `job.retries`.
pub fn of_response(response: &RawValue, retries: Option<i64>) -> Box<RawValue> {
    let mut fields: Variables = serde_json::from_str(response.get()).unwrap_or_default();
    // As in Camunda's connector runtime, these come after the response's own members.
    fields.remove("response");
    if retries.is_some() {
        fields.remove("job");
    }
    json(&WithResponse {
        fields,
        response,
        job: retries.map(|retries| Job { retries }),
    })
}

/// For an error (a JSON object), which an error expression sees as `error` and as `response.error`.
pub fn of_error(error: &RawValue, retries: i64) -> Box<RawValue> {
    json(&WithError {
        error,
        response: ErrorAlone { error },
        job: Job { retries },
    })
}

/// None of these types can fail to become JSON.
fn json<T: Serialize>(value: &T) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_default()
}

/// The first integer in this JSON that 64 bits do not hold: the engine would change it without a word.
pub fn integer_beyond_64_bits(json: &RawValue) -> Option<&str> {
    let text = json.get();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let end = end_of_number(bytes, at);
                let number = text.get(at..end)?;
                if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') && number.parse::<i64>().is_err() {
                    return Some(number);
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    None
}

/// After the closing quotation mark.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(&byte) = bytes.get(at) {
        at += match byte {
            b'"' => return at + 1,
            b'\\' => 2,
            _ => 1,
        };
    }
    at
}

fn end_of_number(bytes: &[u8], start: usize) -> usize {
    let of_number = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
    start + bytes.iter().skip(start).take_while(of_number).count()
}
