//! Who is asking: basic, bearer (a fixed token or one of `/oauth_token.do`), API key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::instance::{Instance, User};
use crate::instance_state::InstanceState;
use crate::request::Request;

/// The header of an API key, unless the key says another.
const API_KEY_HEADER: &str = "x-sn-apikey";

impl Instance {
    /// The user of a request, if its credentials are right. An `Authorization` header decides alone when there is one.
    pub(crate) fn user_of(&self, current: &InstanceState, request: &Request<'_>) -> Option<&User> {
        match request.head.values("authorization").next() {
            Some(authorization) => self.user_by_authorization(current, authorization),
            None => self.user_by_api_key(request),
        }
    }

    fn user_by_authorization(&self, current: &InstanceState, authorization: &str) -> Option<&User> {
        if let Some((name, password)) = basic(authorization) {
            return self
                .users
                .iter()
                .find(|user| user.name == name && user.password == password);
        }
        let token = with_scheme(authorization, "bearer")?;
        match self.bearer_tokens.iter().find(|known| known.value == token) {
            Some(known) => self.user_named(&known.user),
            None => self.user_named(&current.owner_of(token)?),
        }
    }

    fn user_by_api_key(&self, request: &Request<'_>) -> Option<&User> {
        let known = self.api_keys.iter().find(|key| {
            let (header, query) = match (&key.header, &key.query) {
                (None, None) => (Some(API_KEY_HEADER), None),
                (header, query) => (header.as_deref(), query.as_deref()),
            };
            let in_header = header.is_some_and(|name| request.head.values(name).any(|value| value == key.value));
            let in_query =
                query.is_some_and(|name| request.query().any(|(own, value)| own == name && value == key.value));
            in_header || in_query
        })?;
        self.user_named(&known.user)
    }

    fn user_named(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|user| user.name == name)
    }
}

/// Name and password of a basic `Authorization` (RFC 7617).
pub(crate) fn basic(authorization: &str) -> Option<(String, String)> {
    let encoded = with_scheme(authorization, "basic")?;
    let pair = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, password) = pair.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// What follows the scheme, whose letter case does not matter (RFC 9110, section 11.1).
fn with_scheme<'a>(authorization: &'a str, scheme: &str) -> Option<&'a str> {
    let (own, rest) = authorization.split_once(' ')?;
    own.eq_ignore_ascii_case(scheme).then(|| rest.trim())
}
