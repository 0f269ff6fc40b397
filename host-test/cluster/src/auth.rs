//! Who may call, and the token endpoint.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::core::Core;
use crate::options::Auth;
use crate::record::Request;

/// The tokens that were issued, and how the next ones will be.
pub(crate) struct Tokens {
    /// When each ends, by the cluster's clock.
    valid: BTreeMap<String, Duration>,
    issued: usize,
    pub life: Duration,
    /// The `expires_in` of the answer; `None`: the life in seconds. `Some(null)`: none.
    pub stated: Option<Value>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            valid: BTreeMap::new(),
            issued: 0,
            life: Duration::from_secs(300),
            stated: None,
        }
    }
}

impl Tokens {
    pub fn revoke(&mut self) {
        self.valid.clear();
    }

    fn issue(&mut self, now: Duration) -> Value {
        self.issued += 1;
        let token = format!("test-cluster-token-{}", self.issued);
        self.valid.insert(token.clone(), now + self.life);
        let expires_in = self.stated.clone().unwrap_or_else(|| json!(self.life.as_secs()));
        let mut answer = json!({ "access_token": token, "token_type": "Bearer", "expires_in": expires_in });
        if let (Value::Object(fields), true) = (&mut answer, expires_in.is_null()) {
            fields.remove("expires_in");
        }
        answer
    }
}

/// 401, unless the request's credentials are good.
pub(crate) fn check(core: &Core, request: &Request) -> Result<(), Answer> {
    let authorization = request.authorization.as_deref();
    let good = match &core.options.auth {
        Auth::None => true,
        Auth::Basic { username, password } => {
            let expected = STANDARD.encode(format!("{username}:{password}"));
            authorization.and_then(|text| text.strip_prefix("Basic ")) == Some(&expected)
        }
        Auth::Bearer { .. } => {
            let now = core.with(|state| state.clock.now());
            authorization
                .and_then(|text| text.strip_prefix("Bearer "))
                .and_then(|token| core.tokens().valid.get(token).copied())
                .is_some_and(|end| now < end)
        }
    };
    if good { Ok(()) } else { Err(Answer::unauthorized()) }
}

/// `POST /oauth/token`: client credentials in a form, in JSON, or in the header (RFC 6749, section 2.3.1).
pub(crate) fn token(core: &Core, request: &Request) -> Answer {
    let json = request
        .content_type
        .as_deref()
        .is_some_and(|kind| kind.starts_with("application/json"));
    let fields: BTreeMap<String, String> = if json {
        serde_json::from_slice(&request.body).unwrap_or_default()
    } else {
        form_urlencoded::parse(&request.body).into_owned().collect()
    };
    let field = |name: &str| fields.get(name).cloned();
    if field("grant_type").as_deref() != Some("client_credentials") {
        return refuse(400, "unsupported_grant_type");
    }
    let client = match request.authorization.as_deref().and_then(basic) {
        Some(client) => Some(client),
        None => field("client_id").zip(field("client_secret")),
    };
    if let Auth::Bearer {
        client_id,
        client_secret,
    } = &core.options.auth
        && client.as_ref() != Some(&(client_id.clone(), client_secret.clone()))
    {
        return refuse(401, "invalid_client");
    }
    let now = core.with(|state| state.clock.now());
    Answer::json(200, &core.tokens().issue(now)).header("cache-control", "no-store")
}

fn basic(authorization: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    // Id and secret are form-encoded first.
    let plain = |text: &str| {
        let pair = format!("x={text}");
        let decoded = form_urlencoded::parse(pair.as_bytes()).next();
        decoded.map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}

fn refuse(status: u16, error: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "error": error, "error_description": "The token request was refused" }),
    )
}
