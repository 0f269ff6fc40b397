//! What of a call's input is a credential by its place, whether it came from a provider or was written there.

use crate::component::{Authentication, ClientCredentials, FlowConfig};
use crate::secrets::{Checked, Mask, Scalar};

/// What the names of headers and query parameters have in them that are credentials by their meaning, whoever set them: `authorization`,
/// `x-sn-apikey`, `access_token`.
const CREDENTIAL_NAMES: [&str; 8] = [
    "apikey",
    "api-key",
    "api_key",
    "authorization",
    "cookie",
    "password",
    "secret",
    "token",
];

/// The members of `authentication` that are credentials.
const CREDENTIALS: [&str; 4] = ["password", "token", "value", "clientSecret"];

/// Whose pairs are sent as `user:password`.
const PAIRS: [(&str, &str); 2] = [("username", "password"), ("clientId", "clientSecret")];

/// More is no input that anybody meant.
const MOST: usize = 100;

/// An input with more credentials than can be masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// A credential of the input by its place.
enum Credential {
    /// A member of `authentication`, and which.
    Own(&'static str),
    /// A header or a query parameter.
    Named,
}

fn credential(scalar: &Scalar) -> Option<Credential> {
    match &*scalar.field() {
        "authentication" => {
            let member = scalar.member()?;
            let names = CREDENTIALS.iter().chain(PAIRS.iter().map(|(user, _)| user));
            names.copied().find(|known| *known == member).map(Credential::Own)
        }
        "headers" | "queryParameters" => {
            // A list of values stands under its name as well.
            let name = scalar.nearest_member()?.to_ascii_lowercase();
            CREDENTIAL_NAMES
                .iter()
                .any(|known| name.contains(known))
                .then_some(Credential::Named)
        }
        _ => None,
    }
}

impl Mask {
    /// Masks the credentials in an input of the JSON door: those of `authentication`, and headers and query parameters that are credentials by
    /// their name.
    pub fn of_json(input: &str) -> Self {
        let checked = Checked::of(input).map(Self::of_checked);
        checked.and_then(Result::ok).unwrap_or_default()
    }

    /// The same, of a text that is known to be JSON.
    pub(crate) fn of_checked(input: Checked) -> Result<Self, TooMany> {
        let mut mask = Self::default();
        let found = input
            .scalars()
            .filter_map(|scalar| Some((credential(&scalar)?, scalar.text()?)));
        let found: Vec<_> = found.take(MOST + 1).collect();
        if found.len() > MOST {
            return Err(TooMany);
        }
        let own = |name: &'static str| {
            let mut own = found
                .iter()
                .filter(move |(credential, _)| matches!(credential, Credential::Own(known) if *known == name));
            // One that stands there twice is refused by the component.
            own.next_back().map(|(_, value)| value)
        };
        for (credential, value) in &found {
            match credential {
                Credential::Own(name) if !CREDENTIALS.contains(name) => {}
                Credential::Own(_) | Credential::Named => mask.add_with_scheme(value),
            }
        }
        for (user, password) in PAIRS {
            if let (Some(user), Some(password)) = (own(user), own(password)) {
                mask.add_pair(user, password);
            }
        }
        Ok(mask)
    }

    /// The same of the typed door's input.
    pub fn of_config(config: &FlowConfig) -> Self {
        let mut mask = Self::default();
        match &config.authentication {
            Authentication::None => {}
            Authentication::Basic(user) => {
                mask.add(&user.password);
                mask.add_pair(&user.username, &user.password);
            }
            Authentication::Bearer(token) => mask.add(token),
            Authentication::ApiKey(key) => mask.add_with_scheme(&key.value),
            Authentication::OauthClientCredentials(client) => mask.add_client(client),
        }
        for (name, value) in config.headers.iter().chain(&config.query) {
            mask.add_named(name, value);
        }
        mask
    }

    /// Masks a client's secret, as it is and as it is sent.
    fn add_client(&mut self, client: &ClientCredentials) {
        self.add(&client.client_secret);
        self.add_pair(&client.client_id, &client.client_secret);
    }

    /// Masks a header's or parameter's value where it is a credential by its name.
    fn add_named(&mut self, name: &str, value: &str) {
        let name = name.to_ascii_lowercase();
        if CREDENTIAL_NAMES.iter().any(|known| name.contains(known)) {
            self.add_with_scheme(value);
        }
    }

    /// The value, and what follows the scheme in it: `Bearer …`.
    fn add_with_scheme(&mut self, value: &str) {
        self.add(value);
        if let Some((_, credential)) = value.split_once(' ') {
            self.add(credential.trim());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::{Credentials, Method};

    fn of_json(json: &str) -> Mask {
        Mask::of_checked(Checked::of(json).unwrap()).unwrap()
    }

    #[test]
    fn credentials_are_known_by_their_place() {
        let mask = of_json(
            r#"{"authentication":{"type":"basic","username":"camunda","password":"p\u0061ss-one","token":123456},
                "headers":{"X-Api-Key":["key-one","key-two"],"Cookie":"session=cookie-one","authorization":"Bearer bearer-one","hello":"header"},
                "queryParameters":{"access_token":"query-one","hello":"query"},
                "body":{"password":"of the body"}}"#,
        );
        for hidden in [
            "pass-one",
            "123456",
            "key-one",
            "key-two",
            "session=cookie-one",
            "bearer-one",
            "query-one",
            "Y2FtdW5kYTpwYXNzLW9uZQ",
        ] {
            assert_eq!(mask.text(format!("<{hidden}>")), "<***>", "{hidden}");
        }
        for shown in ["camunda", "header", "of the body"] {
            assert!(mask.is_clean(shown), "{shown}");
        }
        let headers = |count: usize| {
            serde_json::json!({ "headers": { "a": vec![(); 5_000], "token": vec!["tok-one"; count] } }).to_string()
        };
        assert!(
            !of_json(&headers(MOST)).is_clean("tok-one"),
            "what is no credential does not count"
        );
        assert_eq!(Mask::of_checked(Checked::of(&headers(MOST + 1)).unwrap()), Err(TooMany));
    }

    #[test]
    fn both_doors_mask_the_same() {
        let mut config = FlowConfig::new(Method::Post, "acme", "/api/x/y");
        config.headers = vec![("Authorization".to_owned(), "Basic header-one".to_owned())];
        config.authentication = Authentication::Basic(Credentials {
            username: "camunda".to_owned(),
            password: "pass-one".to_owned(),
        });
        let mask = Mask::of_config(&config);
        for hidden in ["pass-one", "Basic header-one", "header-one", "Y2FtdW5kYTpwYXNzLW9uZQ"] {
            assert_eq!(mask.text(hidden.to_owned()), "***");
        }
    }
}
