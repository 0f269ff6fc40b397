//! What of a call's input is a credential by its place, whether it came from a provider or was written there.

use zeroize::Zeroizing;

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

/// More is no input that anybody meant, and no request can carry it.
const MOST: usize = 1_000;

/// Whose pairs are sent as `user:password`.
const PAIRS: [(&str, &str); 2] = [("username", "password"), ("clientId", "clientSecret")];

impl Mask {
    /// Masks the credentials in an input of the JSON door: those of `authentication`, and headers and query parameters that are credentials by their name.
    pub fn of_json(input: &str) -> Self {
        Checked::of(input).map_or_else(Self::default, Self::of_checked)
    }

    pub(crate) fn of_checked(input: Checked) -> Self {
        let mut mask = Self::default();
        let authentication: Vec<_> = input
            .scalars()
            .filter(|scalar| scalar.field() == "authentication" && scalar.member().is_some())
            .take(MOST)
            .collect();
        let values = |name: &str| -> Vec<Zeroizing<String>> {
            let named = authentication
                .iter()
                .filter(|scalar| scalar.member().as_deref() == Some(name));
            named.filter_map(Scalar::text).collect()
        };
        for name in CREDENTIALS {
            for value in values(name) {
                mask.add(&value);
            }
        }
        for (user, password) in PAIRS {
            for password in values(password) {
                for user in values(user) {
                    mask.add_pair(&user, &password);
                }
            }
        }
        let named = |scalar: &Scalar| ["headers", "queryParameters"].contains(&&*scalar.field());
        for scalar in input.scalars().filter(named).take(MOST) {
            // A list of values stands under its name as well.
            if let (Some(name), Some(value)) = (scalar.nearest_member(), scalar.text()) {
                mask.add_named(&name, &value);
            }
        }
        mask
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
            Authentication::ApiKey(key) => mask.add(&key.value),
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

    /// Masks a header's or parameter's value where it is a credential by its name, and what follows the scheme in it.
    fn add_named(&mut self, name: &str, value: &str) {
        let name = name.to_ascii_lowercase();
        if CREDENTIAL_NAMES.iter().any(|known| name.contains(known)) {
            self.add(value);
            if let Some((_, credential)) = value.split_once(' ') {
                self.add(credential);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::{Credentials, Method};

    #[test]
    fn credentials_are_known_by_their_place() {
        let mask = Mask::of_json(
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
        assert!(Mask::of_json("not JSON").is_clean("not JSON"));
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
