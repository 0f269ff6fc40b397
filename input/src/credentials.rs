//! The credentials in an input, identified by their position.

use crate::fields::{CREDENTIAL_NAMES, CREDENTIALS, PAIRS};
use crate::json::{self, Json, Raw};
use crate::template::{as_text, items};
use crate::{Authentication, ClientCredentials, FlowConfig, Invalid, Mask, Sensitive, TokenRequest};
use std::borrow::Cow;

use base64ct::{Base64Unpadded, Encoding};
use zeroize::Zeroizing;

impl Mask {
    /// The credentials of a call.
    pub fn of_config(config: &FlowConfig) -> Self {
        let mut mask = Self::default();
        match &config.authentication {
            Authentication::None => {}
            Authentication::Basic(basic) => mask.add_user(&basic.username, &basic.password),
            Authentication::Bearer(token) => mask.add(token),
            Authentication::ApiKey(key) => mask.add_with_scheme(&key.value),
            Authentication::OauthClientCredentials(client) => mask.add_client(client),
        }
        for (name, value) in config.headers.iter().chain(&config.query) {
            mask.add_named(name, value);
        }
        mask.add_query(&config.path);
        mask
    }

    /// The credentials of a token request.
    pub fn of_token_request(request: &TokenRequest) -> Self {
        let mut mask = Self::default();
        mask.add_client(&request.credentials);
        mask
    }

    /// The credentials of a JSON input that [`parse`](crate::template::parse) refused: whatever stands where credentials do.
    pub fn of_json(input: &str) -> Self {
        let mut mask = Self::default();
        let Ok(root) = json::parse(input) else { return mask };
        for (field, raw) in members(root) {
            match &*field {
                "authentication" => mask.add_authentication(raw),
                "headers" | "queryParameters" => {
                    for (name, raw) in members(raw) {
                        for item in items(raw) {
                            mask.add_named(&name, &text_of(item));
                        }
                    }
                }
                "restApiTriggerPath" => mask.add_query(&text_of(raw)),
                _ => {}
            }
        }
        mask
    }

    /// Whether every credential is masked.
    ///
    /// # Errors
    /// The input has too many of them.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.is_full() {
            return Invalid::refuse(
                "",
                "The input has too many credentials (more than some hundreds) to mask them all: remove those that are not needed.",
            );
        }
        Ok(())
    }

    fn add_authentication(&mut self, raw: Raw) {
        let members: Vec<_> = members(raw)
            .into_iter()
            .map(|(name, raw)| (name, text_of(raw)))
            .collect();
        let named = |wanted: &'static str| members.iter().filter(move |(name, _)| name == wanted);
        for (_, value) in CREDENTIALS.iter().copied().flat_map(named) {
            self.add_with_scheme(value);
        }
        for (_, url) in named("oauthTokenEndpoint") {
            self.add_query(url);
        }
        for (user, password) in PAIRS {
            // One that stands there twice is refused.
            if let (Some((_, user)), Some((_, password))) = (named(user).next_back(), named(password).next_back()) {
                self.add_pair(user, password);
            }
        }
    }

    fn add_client(&mut self, client: &ClientCredentials) {
        self.add_user(&client.client_id, &client.client_secret);
        self.add_query(client.token_url.as_deref().unwrap_or_default());
    }

    fn add_user(&mut self, user: &str, password: &str) {
        self.add(password);
        self.add_pair(user, password);
    }

    /// The value of a header or query parameter, where its name says that it is a credential.
    fn add_named(&mut self, name: &str, value: &str) {
        if !is_credential(name) {
            return;
        }
        self.add_with_scheme(value);
        if contains(name, "cookie") {
            let values = value.split(';').filter_map(|cookie| cookie.split_once('='));
            values.for_each(|(_, value)| {
                self.add(value);
                self.add(value.trim().trim_matches('"'));
            });
        }
    }

    /// The value, and what follows the scheme in it: `Bearer …`, and the password of `Basic …`.
    fn add_with_scheme(&mut self, value: &str) {
        self.add(value);
        let Some((scheme, credential)) = value.split_once(' ') else {
            return;
        };
        let credential = credential.trim();
        self.add(credential);
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(bytes) = Base64Unpadded::decode_vec(credential.trim_end_matches('='))
            && let Ok(pair) = std::str::from_utf8(&Zeroizing::new(bytes))
            && let Some((user, password)) = pair.split_once(':')
        {
            self.add_user(user, password);
        }
    }

    /// The parameters of a URL's own query whose names say that they are credentials.
    fn add_query(&mut self, url: &str) {
        let query = url.split_once('?').map_or("", |(_, query)| query);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if is_credential(&name) {
                self.add_with_scheme(&Sensitive::from(value.into_owned()));
            }
        }
    }
}

fn is_credential(name: &str) -> bool {
    CREDENTIAL_NAMES.iter().any(|known| contains(name, known))
}

/// Whether `name` contains `part`, which is in lower case, in any letter case.
fn contains(name: &str, part: &str) -> bool {
    let mut windows = name.as_bytes().windows(part.len());
    windows.any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

fn members(raw: Raw<'_>) -> Vec<(Cow<'_, str>, Raw<'_>)> {
    let object = raw.get().starts_with('{').then(|| Json::of(raw));
    match object {
        Some(Some(Json::Object(members))) => members,
        _ => Vec::new(),
    }
}

fn text_of(raw: Raw) -> Sensitive {
    let text = Json::of(raw).and_then(|value| as_text(value, raw));
    text.unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Credentials, Method};

    const SHOWN: [&str; 3] = ["camunda", "header", "of the body"];

    fn hides(mask: &Mask, hidden: &[&str]) {
        for hidden in hidden {
            assert_eq!(mask.text(format!("<{hidden}>")), "<***>", "{hidden}");
        }
        for shown in SHOWN {
            assert!(mask.is_clean(shown), "{shown}");
        }
    }

    #[test]
    fn credentials_are_known_by_their_place() {
        let mask = Mask::of_json(
            r#"{"authentication":{"type":"basic","username":"camunda","password":"p\u0061ss-one","token":123456},
                "headers":{"X-Api-Key":["key-one","key-two"],"Cookie":"session=cookie-one","authorization":"Bearer bearer-one","hello":"header"},
                "queryParameters":{"access_token":"query-one","hello":"query"},
                "restApiTriggerPath":"/api/x?hello=path&api_key=path%2Done",
                "body":{"password":"of the body"}}"#,
        );
        hides(
            &mask,
            &[
                "pass-one",
                "123456",
                "key-one",
                "key-two",
                "session=cookie-one",
                "cookie-one",
                "bearer-one",
                "query-one",
                "path-one",
                "path%2Done",
                "Y2FtdW5kYTpwYXNzLW9uZQ",
            ],
        );
    }

    #[test]
    fn typed_and_json_input_have_the_same_credentials() {
        let mut config = FlowConfig::new(Method::Post, "acme", "/api/x/y?client_secret=path-one");
        config.headers = vec![
            ("Authorization".to_owned(), "Basic dXNlcjpoZWFkZXItb25l".into()),
            ("Cookie".to_owned(), "a=cookie-one; b=\"cookie-two\"".into()),
        ];
        config.query = vec![("access_token".to_owned(), "query-one".into())];
        config.authentication = Authentication::Basic(Credentials {
            username: "camunda".into(),
            password: "pass-one".into(),
        });
        let hidden = [
            "pass-one",
            "Basic dXNlcjpoZWFkZXItb25l",
            "dXNlcjpoZWFkZXItb25l",
            "header-one",
            "cookie-one",
            "cookie-two",
            "query-one",
            "path-one",
            "Y2FtdW5kYTpwYXNzLW9uZQ",
        ];
        hides(&Mask::of_config(&config), &hidden);
        hides(
            &Mask::of_json(
                r#"{"authentication":{"type":"basic","username":"camunda","password":"pass-one"},
                    "headers":{"Authorization":"Basic dXNlcjpoZWFkZXItb25l","Cookie":"a=cookie-one; b=cookie-two"},
                    "queryParameters":{"access_token":"query-one"},"restApiTriggerPath":"/api/x/y?client_secret=path-one"}"#,
            ),
            &hidden,
        );
    }

    #[test]
    fn an_input_with_more_credentials_than_can_be_masked_is_refused() {
        let with = |count: usize| {
            let mut config = FlowConfig::new(Method::Post, "acme", "/api/x/y");
            config.query = (0..count)
                .map(|at| ("token".to_owned(), format!("token-{at}").into()))
                .collect();
            Mask::of_config(&config).check()
        };
        assert_eq!(with(300), Ok(()));
        assert!(with(50_000).is_err());
    }

    #[test]
    fn a_client_secret_is_masked_with_its_id_and_in_the_token_endpoint() {
        let json = r#"{"authentication":{"type":"oauth-client-credentials-flow","clientId":"the-client","clientSecret":"s3cr3t/+",
            "oauthTokenEndpoint":"https://login.example/t?client_secret=url-one"},"snInstance":"acme","restApiTriggerPath":"/a","method":"GET"}"#;
        let config = crate::template::parse(json).unwrap();
        let hidden = [
            "s3cr3t/+",
            "s3cr3t%2F%2B",
            "dGhlLWNsaWVudDpzM2NyM3QlMkYlMkI=",
            "url-one",
        ];
        hides(&Mask::of_config(&config), &hidden);
        hides(&Mask::of_json(json), &hidden);
        hides(&Mask::of_token_request(&config.token_request().unwrap()), &hidden);
    }
}
