//! The call's own credentials, and text without them.
//!
//! A server can echo what it was sent, in an error page or a header. Whatever leaves the component in a message, a header or an error's
//! answer goes through here first: each credential of four characters and more becomes `***`, in the forms in which it was given and sent.

use crate::json;
use crate::request::encode::{base64, form};
use crate::types::{Authentication, ClientCredentials, FlowConfig};

/// Shorter values would blot out ordinary words, and guard nothing.
const SHORTEST: usize = 4;

/// Request headers that are credentials by their meaning, whoever set them.
const CREDENTIAL_HEADERS: [&str; 4] = ["authorization", "cookie", "x-sn-apikey", "x-usertoken"];

/// The credentials of one call, in every form they can come back in.
#[derive(Default)]
pub struct Mask {
    needles: Vec<String>,
}

impl Mask {
    pub fn of_config(config: &FlowConfig) -> Self {
        let mut mask = Self::default();
        match &config.authentication {
            Authentication::None => {}
            Authentication::Basic(basic) => {
                mask.add(&basic.password);
                mask.add_pair(&basic.username, &basic.password);
            }
            Authentication::Bearer(token) => mask.add(token),
            Authentication::ApiKey(key) => mask.add(&key.value),
            Authentication::OauthClientCredentials(client) => mask.add_client(client),
        }
        for (name, value) in &config.headers {
            if CREDENTIAL_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
                mask.add(value);
                // `Basic …`, `Bearer …`: the part after the scheme is the secret.
                if let Some((_, credential)) = value.split_once(' ') {
                    mask.add(credential);
                }
            }
        }
        mask
    }

    pub fn of_client(client: &ClientCredentials) -> Self {
        let mut mask = Self::default();
        mask.add_client(client);
        mask
    }

    fn add_client(&mut self, client: &ClientCredentials) {
        self.add(&client.client_secret);
        self.add_pair(&client.client_id, &client.client_secret);
        self.add_pair(&form(&client.client_id), &form(&client.client_secret));
    }

    /// Masks `user:password` as basic authentication sends it.
    fn add_pair(&mut self, user: &str, password: &str) {
        if password.len() >= SHORTEST {
            let mut pair = String::with_capacity(user.len() + 1 + password.len());
            pair.push_str(user);
            pair.push(':');
            pair.push_str(password);
            self.needle(base64(pair.as_bytes()));
        }
    }

    /// Masks `secret` as given and as it is sent: form-encoded, percent-encoded, base64, JSON-escaped.
    pub fn add(&mut self, secret: &str) {
        if secret.chars().count() < SHORTEST {
            return;
        }
        let encoded = form(secret);
        self.needle(encoded.replace('+', "%20"));
        self.needle(encoded);
        self.needle(base64(secret.as_bytes()));
        self.needle(json::quote(secret).trim_matches('"').to_owned());
        self.needle(secret.to_owned());
    }

    fn needle(&mut self, needle: String) {
        if !self.needles.contains(&needle) {
            self.needles.push(needle);
        }
    }

    /// `text` with `***` in place of each credential; two that overlap become one.
    pub fn text(&self, text: &str) -> String {
        let mut spans: Vec<(usize, usize)> = self
            .needles
            .iter()
            .flat_map(|needle| overlapping(text, needle))
            .collect();
        spans.sort_unstable();
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for (start, end) in spans {
            if start >= done {
                out.push_str(text.get(done..start).unwrap_or_default());
                out.push_str("***");
            }
            done = done.max(end);
        }
        out.push_str(text.get(done..).unwrap_or_default());
        out
    }

    /// The same for text that was cut off somewhere: a credential that the cut went through is masked as well.
    pub fn cut_text(&self, text: &str) -> String {
        let longest = self
            .needles
            .iter()
            .flat_map(|needle| needle.char_indices().map(move |(at, _)| needle.get(..at).unwrap_or_default()))
            .filter(|head| head.len() >= SHORTEST && text.ends_with(head))
            .map(str::len)
            .max();
        match longest {
            None => self.text(text),
            Some(cut) => {
                let mut out = self.text(text.get(..text.len() - cut).unwrap_or_default());
                out.push_str("***");
                out
            }
        }
    }
}

/// Where `needle` stands in `text`, occurrences that overlap each other included.
fn overlapping<'t>(text: &'t str, needle: &'t str) -> impl Iterator<Item = (usize, usize)> + 't {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text.get(from..)?.find(needle)?;
        from = start + text.get(start..)?.chars().next().map_or(1, char::len_utf8);
        Some((start, start + needle.len()))
    })
}
