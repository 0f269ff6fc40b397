//! The request to the token endpoint (RFC 6749, sections 4.4.2 and 5).

use std::time::Duration;

use bytes::Bytes;
use reqwest::Client;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use url::form_urlencoded::Serializer;
use zeroize::{Zeroize, Zeroizing};

use super::TokenObserver;
use super::answer::{retry_after, shown};
use super::builder::{Limits, OAuth};
use super::connection::{body, why};

pub(super) struct Grant {
    pub(super) client: Client,
    pub(super) url: Url,
    pub(super) oauth: OAuth,
    pub(super) observer: Option<TokenObserver>,
    pub(super) limits: Limits,
}

#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) token: SecretString,
    /// As the answer states it.
    pub(super) life: Option<Duration>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The endpoint has decided so, and will again: a 4xx, or an answer that is none.
    pub(super) refused: bool,
    pub(super) retry_after: Option<Duration>,
    pub(super) detail: String,
}

impl Failure {
    pub(super) fn refused(detail: &str) -> Self {
        Self {
            refused: true,
            retry_after: None,
            detail: detail.to_owned(),
        }
    }
}

pub(super) async fn fetch(grant: &Grant) -> Result<Fetched, Failure> {
    let limit = grant.limits.call;
    let sent = grant
        .client
        .post(grant.url.clone())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from_owner(form(&grant.oauth)))
        .timeout(limit)
        .send()
        .await;
    if let Some(observer) = &grant.observer {
        observer(sent.as_ref().ok().map(|response| response.status().as_u16()));
    }
    let passing = |detail: String| Failure {
        refused: false,
        retry_after: None,
        detail: grant.shown(&format!("the token endpoint: {detail}")),
    };
    let response = sent.map_err(|error| passing(why(&error, limit)))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let answer = body(response, grant.limits.bytes).await;
    if status != 200 {
        let reason = answer
            .as_ref()
            .ok()
            .and_then(|answer| Refusal::words(answer))
            .unwrap_or_default();
        return Err(Failure {
            refused: status < 500,
            retry_after: retry_after(&headers),
            detail: grant.shown(&format!("the token endpoint answered {status}{reason}")),
        });
    }
    let answer = answer.map_err(passing)?;
    // What is wrong with it is not repeated: the error may quote the token.
    serde_json::from_slice::<Granted>(&answer)
        .ok()
        .and_then(Granted::fetched)
        .ok_or_else(|| Failure::refused("the token endpoint answered 200 without an access_token"))
}

impl Grant {
    fn shown(&self, text: &str) -> String {
        shown(text, &[self.oauth.client_secret.expose_secret()])
    }
}

fn form(oauth: &OAuth) -> Zeroizing<Vec<u8>> {
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials")
        .append_pair("client_id", &oauth.client_id)
        .append_pair("client_secret", oauth.client_secret.expose_secret());
    for (name, value) in [("audience", &oauth.audience), ("scope", &oauth.scope)] {
        if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
            form.append_pair(name, value);
        }
    }
    Zeroizing::new(form.finish().into_bytes())
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// A number by the standard; some servers write text.
    expires_in: Option<Value>,
}

impl Granted {
    fn fetched(mut self) -> Option<Fetched> {
        let life = self.expires_in.as_ref().and_then(seconds);
        let token = SecretString::from(self.access_token.as_str());
        self.access_token.zeroize();
        (!token.expose_secret().is_empty()).then_some(Fetched { token, life })
    }
}

fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// Section 5.2.
#[derive(Deserialize)]
struct Refusal {
    error: String,
    error_description: Option<String>,
}

impl Refusal {
    fn words(answer: &[u8]) -> Option<String> {
        let Self {
            error,
            error_description,
        } = serde_json::from_slice(answer).ok()?;
        Some(match error_description {
            None => format!(" ({error})"),
            Some(description) => format!(" ({error}: {description})"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_a_token_is_read_from_numbers_and_text() {
        for (json, life) in [
            ("300", Some(300)),
            ("\"300\"", Some(300)),
            ("0", Some(0)),
            ("-1", None),
            ("1e400", None),
            ("null", None),
            ("true", None),
        ] {
            let text = format!(r#"{{"access_token":"t","expires_in":{json}}}"#);
            let found = serde_json::from_str::<Granted>(&text).ok().and_then(Granted::fetched);
            assert_eq!(
                found.and_then(|found| found.life),
                life.map(Duration::from_secs),
                "{json}"
            );
        }
    }
}
