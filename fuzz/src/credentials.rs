//! Where a credential must not be. Written anew and not with the component's mask, which is what is under test.

use flow_starter_input::request::encode::{base64, form};
use serde_json::Value;

/// Shorter ones are not masked, by the contract.
const SHORTEST: usize = 4;

/// The request headers whose values are credentials.
const HEADERS: [&str; 6] = [
    "authorization",
    "cookie",
    "x-api-key",
    "x-auth-token",
    "x-sn-apikey",
    "x-usertoken",
];

/// A call's credentials, in every form in which they are given or sent.
#[derive(Default)]
pub struct Credentials(Vec<Form>);

/// A credential as it is given or sent, and how many characters of it surely stand for [`SHORTEST`] of the credential's own: one that is
/// shorter may stay before a cut.
struct Form(String, usize);

impl Credentials {
    /// All that stands where credentials do in an input of the JSON door.
    pub fn of_input(input: &Value) -> Self {
        let mut credentials = Self::default();
        for name in ["password", "token", "value", "clientSecret"] {
            credentials.add_value(&input["authentication"][name]);
        }
        if let Value::Object(headers) = &input["headers"] {
            for (name, value) in headers {
                credentials.add_headers(name, value);
            }
        }
        credentials
    }

    /// The credentials that a call of this input uses: those of its authentication's type, and of its headers.
    pub fn of_call(input: &Value) -> Self {
        let mut call = input.clone();
        let used: &[&str] = match input["authentication"]["type"].as_str() {
            Some("basic") => &["password"],
            Some("bearer") => &["token"],
            Some("apiKey") => &["value"],
            Some("oauth-client-credentials-flow") => &["clientSecret"],
            _ => &[],
        };
        if let Some(Value::Object(members)) = call.get_mut("authentication") {
            members.retain(|name, _| used.contains(&name.as_str()));
        }
        Self::of_input(&call)
    }

    fn add_headers(&mut self, name: &str, value: &Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.add_header(name, value)),
            value => self.add_header(name, value),
        }
    }

    fn add_header(&mut self, name: &str, value: &Value) {
        if HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            self.add_value(value);
            // A scheme and its credential, with any number of spaces between them (RFC 9110, section 11.4).
            if let Some((_, credential)) = value.as_str().and_then(|value| value.split_once(' ')) {
                self.add(credential.trim_start_matches(' '));
            }
        }
    }

    fn add_value(&mut self, value: &Value) {
        match value {
            Value::String(secret) => self.add(secret),
            Value::Number(digits) if digits.is_u64() => self.add(&digits.to_string()),
            _ => {}
        }
    }

    /// Adds a credential, where it is long enough to be one. One that holds the mask's own `*` could be made by masking another.
    pub fn add(&mut self, secret: &str) {
        if secret.chars().count() >= SHORTEST && !secret.contains('*') {
            let quoted = Value::from(secret).to_string();
            let form = form(secret);
            // `%41`, and up to four bytes for a character.
            self.0.push(Form(form.replace('+', "%20"), SHORTEST * 12));
            self.0.push(Form(form, SHORTEST * 12));
            self.0.push(Form(base64(secret.as_bytes()), SHORTEST * 6));
            // `\u0041`, twice for a character beyond 16 bits.
            self.0.push(Form(quoted[1..quoted.len() - 1].to_owned(), SHORTEST * 12));
            self.0.push(Form(secret.to_owned(), SHORTEST));
            // ISO-8859-1, in which a header's value is sent, read as UTF-8.
            if !secret.is_ascii() && secret.chars().all(|c| u32::from(c) <= 0xFF) {
                let sent: Vec<u8> = secret.chars().map(|c| u32::from(c) as u8).collect();
                let read = String::from_utf8_lossy(&sent);
                if read.chars().count() >= SHORTEST {
                    self.0.push(Form(read.into_owned(), SHORTEST * 2));
                }
            }
        }
    }

    /// Adds what basic authentication makes of a user and a password.
    pub fn add_pair(&mut self, user: &str, password: &str) {
        let pair = base64(format!("{user}:{password}").as_bytes());
        self.0.push(Form(pair, (user.len() + 1 + SHORTEST * 4) * 4 / 3 + 4));
    }

    /// Panics where one of them stands in `text`, whole or shortened by a `…`.
    pub fn assert_not_in(&self, text: &str, place: &str) {
        for Form(form, _) in &self.0 {
            assert!(!text.contains(form), "{place} holds the credential `{form}`: {text}");
        }
        for (at, _) in text.match_indices('…') {
            self.assert_not_at_the_end_of(&text[..at], place);
        }
    }

    /// Panics where `text`, which was cut, ends with the beginning of one of them.
    pub fn assert_not_at_the_end_of(&self, text: &str, place: &str) {
        for Form(form, shortest) in &self.0 {
            for (end, _) in form.char_indices().skip(*shortest) {
                assert!(
                    !text.ends_with(&form[..end]),
                    "{place} ends within the credential `{form}`: {text}"
                );
            }
        }
    }
}
