//! The headers of a request: which ones a user may set, and checks against header injection.

use zeroize::Zeroize;

use super::encode::latin1;
use crate::Invalid;
use crate::message::cut;

/// wasmtime traps a guest whose headers take more than 128 KiB in its own representation, in which each header costs 72 bytes beside its
/// name and value. What the connector adds itself (a token above all) has the other half.
const TOTAL_MAX: usize = 64 * 1024;
const EACH: usize = 72;

const FIELD: &str = "headers";
const KEY_NAME: &str = "authentication.name";

/// Headers that belong to the connection or to the body's framing, which the host writes itself (RFC 9110, section 7.6.1), and `expect`,
/// which would hold the body back.
const NOT_THE_USERS: [&str; 13] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers of which a second one would leave it to the server which counts.
const SINGLE: [&str; 4] = ["accept-encoding", "authorization", "content-type", "user-agent"];

/// Checked headers, names in lower case, in the order they were added.
#[derive(Default)]
pub struct Headers(Vec<(String, Vec<u8>)>);

/// A value can be a credential.
impl Drop for Headers {
    fn drop(&mut self) {
        for (_, value) in &mut self.0 {
            value.zeroize();
        }
    }
}

impl Headers {
    /// Takes what a person wrote, once it is sure to be one header and theirs to set. A value is never quoted: it can be a credential.
    pub fn add_users(&mut self, name: &str, value: &str) -> Result<(), Invalid> {
        let name = header_name(name, FIELD)?;
        if NOT_THE_USERS.contains(&name.as_str()) {
            return Invalid::refuse(
                FIELD,
                format!("The header `{name}` cannot be set: the connector host sets it. Remove it."),
            );
        }
        if name == "accept-encoding" && !value.eq_ignore_ascii_case("identity") {
            return Invalid::refuse(
                FIELD,
                "The header `accept-encoding` can only be `identity`: a compressed response could not be read. Remove it.",
            );
        }
        if SINGLE.contains(&name.as_str()) && self.has(&name) {
            return Invalid::refuse(FIELD, format!("The header `{name}` is given twice: remove one."));
        }
        let source = ["The value of the header `", &name, "`"].concat();
        self.add_within_limit(name, header_value(value, &source, FIELD)?)
    }

    /// Adds a header that an authentication makes. `source` names the credential in a sentence, `field` in the input.
    pub fn add_credential(
        &mut self,
        name: &str,
        value: &str,
        source: &str,
        field: &'static str,
    ) -> Result<(), Invalid> {
        let name = header_name(name, KEY_NAME)?;
        if NOT_THE_USERS.contains(&name.as_str()) || name == "accept-encoding" {
            return Invalid::quoting(
                KEY_NAME,
                format!("The API key's header cannot be `{name}`: use, for example, `x-sn-apikey`."),
                "The API key's header (authentication.name) cannot be one that the connector host sets: use, for example, `x-sn-apikey`.",
            );
        }
        if self.has(&name) {
            return Invalid::quoting(
                KEY_NAME,
                format!(
                    "The headers already contain `{name}`, and the authentication would add a second one: remove one of the two."
                ),
                "The headers already contain the API key's header (authentication.name), and the authentication would add a second one: remove one of the two.",
            );
        }
        self.add_within_limit(name, header_value(value, source, field)?)
    }

    fn add_within_limit(&mut self, name: String, value: Vec<u8>) -> Result<(), Invalid> {
        self.0.push((name, value));
        let total: usize = self.0.iter().map(|(name, value)| name.len() + value.len() + EACH).sum();
        if total > TOTAL_MAX {
            return Invalid::refuse(
                FIELD,
                "The headers are larger than 64 KiB in total: put large values into the body.",
            );
        }
        Ok(())
    }

    /// Adds a header of our own, whose value is ASCII.
    pub fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.as_bytes().to_vec()));
    }

    /// Adds a header of our own, where there is none of that name.
    pub fn add_default(&mut self, name: &str, value: &str) {
        if !self.has(name) {
            self.add(name, value);
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_slice())
    }

    pub fn list(&self) -> &[(String, Vec<u8>)] {
        &self.0
    }
}

/// A token by RFC 9110, section 5.1, in lower case.
fn header_name(name: &str, field: &'static str) -> Result<String, Invalid> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let Some(end) = name.bytes().position(|b| !token(b)).or(name.is_empty().then_some(0)) else {
        return Ok(name.to_ascii_lowercase());
    };
    // A whole line (`authorization: Bearer …`) may stand where the name should: what follows is not repeated.
    let begin = cut(name.get(..end).unwrap_or_default(), 60);
    let sentence =
        format!("`{begin}…` is not a header name: use letters, digits and `-`, for example `x-correlation-id`.");
    if field == FIELD {
        // A header's own name is never a secret's value.
        return Invalid::refuse(field, sentence);
    }
    Invalid::quoting(
        field,
        sentence,
        "The API key's name (authentication.name) is not a header name: use letters, digits and `-`, for example `x-sn-apikey`.",
    )
}

/// A field value by RFC 9110, section 5.5, as it is sent: no control characters but the tab, and in ISO-8859-1, which servlet containers read.
fn header_value(value: &str, source: &str, field: &'static str) -> Result<Vec<u8>, Invalid> {
    // Most values are plain ASCII, and go out as they are.
    if value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')) {
        return Ok(value.as_bytes().to_vec());
    }
    if value.chars().any(|c| c != '\t' && c.is_control()) {
        return Invalid::refuse(
            field,
            [
                source,
                " contains a control character, such as a line break at its end.",
            ]
            .concat(),
        );
    }
    let Some(value) = latin1(value) else {
        return Invalid::refuse(
            field,
            [
                source,
                " contains a character that is not in ISO-8859-1, so a header cannot carry it: remove it, or percent-encode the value if the server decodes it.",
            ]
            .concat(),
        );
    };
    Ok(value)
}
