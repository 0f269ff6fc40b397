//! The token request that a JSON input means, and the input with the token in its place.
//!
//! The component alone decides whether an input is valid. What is odd in any way is no token request here: the component gets the input
//! as it is, and says what is wrong with it.

use std::ops::Range;

use zeroize::Zeroizing;

use crate::component::{CallLimits, ClientAuthentication, ClientCredentials, TokenRequest};
use crate::secrets::{Checked, Scalar, Secret, quoted, spliced};

const OAUTH: &str = "oauth-client-credentials-flow";

/// An input that asks for OAuth 2.0 client credentials.
pub(crate) struct OauthInput<'a> {
    json: &'a str,
    pub(crate) request: TokenRequest,
    kind: Range<usize>,
    client_secret: Range<usize>,
    /// A token that the form has left there from another kind of authentication.
    token: Option<Range<usize>>,
}

impl<'a> OauthInput<'a> {
    /// None where the input is not of that kind.
    pub(crate) fn of(json: Checked<'a>) -> Option<Self> {
        let input = Input::of(json)?;
        let kind = input.one("authentication", Some("type"))??;
        if kind.text()?.as_str() != OAUTH || input.is_nested("authentication") {
            return None;
        }
        let text = |member: &str| input.text("authentication", Some(member));
        let client_secret = input.one("authentication", Some("clientSecret"))??;
        let credentials = ClientCredentials {
            token_url: text("oauthTokenEndpoint")?,
            client_id: text("clientId")??,
            client_secret: text("clientSecret")??,
            audience: text("audience")?,
            scopes: text("scopes")?
                .unwrap_or_default()
                .split(' ')
                .filter(|scope| !scope.is_empty())
                .map(str::to_owned)
                .collect(),
            client_authentication: match text("clientAuthentication")?.as_deref() {
                None | Some("credentialsBody") => ClientAuthentication::RequestBody,
                Some("basicAuthHeader") => ClientAuthentication::BasicHeader,
                Some(_) => return None,
            },
        };
        let read = input.milliseconds("readTimeoutInSeconds")?;
        Some(Self {
            request: TokenRequest {
                instance: input.text("snInstance", None)?.unwrap_or_default(),
                domain: input.text("snDomain", None)?,
                endpoint: input.text("snEndpoint", None)?,
                credentials,
                limits: Some(CallLimits {
                    connect_timeout_ms: input.milliseconds("connectionTimeoutInSeconds")?,
                    first_byte_timeout_ms: read,
                    between_bytes_timeout_ms: read,
                    max_response_bytes: 0,
                }),
            },
            json: json.json(),
            kind: kind.range.clone(),
            client_secret: client_secret.range.clone(),
            token: input
                .one("authentication", Some("token"))?
                .map(|token| token.range.clone()),
        })
    }

    /// The same input with this token as a bearer's, and without the client's secret. Every other byte stays as it is.
    pub(crate) fn with_token(&self, token: &Secret) -> Zeroizing<String> {
        let token = quoted(token.expose());
        let room = token.len() + 32;
        let mut kind = Zeroizing::new(String::with_capacity(room));
        kind.push_str("\"bearer\"");
        let mut pieces = vec![(self.client_secret.clone(), Zeroizing::new("null".to_owned()))];
        match &self.token {
            Some(range) => pieces.push((range.clone(), token)),
            None => {
                kind.push_str(",\"token\":");
                kind.push_str(&token);
            }
        }
        pieces.push((self.kind.clone(), kind));
        pieces.sort_by_key(|(range, _)| range.start);
        spliced(self.json, &pieces)
    }
}

/// The members that a token request is made of.
struct Input<'a> {
    scalars: Vec<Scalar<'a>>,
}

const FIELDS: [&str; 6] = [
    "authentication",
    "snInstance",
    "snDomain",
    "snEndpoint",
    "connectionTimeoutInSeconds",
    "readTimeoutInSeconds",
];

/// Of `authentication`.
const READ: [&str; 8] = [
    "type",
    "oauthTokenEndpoint",
    "clientId",
    "clientSecret",
    "audience",
    "scopes",
    "clientAuthentication",
    "token",
];

/// More of them are odd.
const MOST: usize = 100;

impl<'a> Input<'a> {
    fn of(json: Checked<'a>) -> Option<Self> {
        let members = json.scalars().filter(|scalar| {
            // A member of `authentication` that is not read does not count; what is nested there does, since it is odd.
            FIELDS.contains(&&*scalar.field()) && scalar.member().is_none_or(|member| READ.contains(&&*member))
        });
        let scalars: Vec<_> = members.take(MOST + 1).collect();
        (scalars.len() <= MOST).then_some(Self { scalars })
    }

    /// The value under these names, if any; none of the outer kind where there are two.
    fn one(&self, field: &str, member: Option<&str>) -> Option<Option<&Scalar<'a>>> {
        let mut found = self.scalars.iter().filter(|scalar| {
            scalar.field() == field && scalar.member().as_deref() == member && scalar.is_member() == member.is_none()
        });
        let first = found.next();
        found.next().is_none().then_some(first)
    }

    /// Text that is not empty, or a number's digits; none of the outer kind where it is neither nor null.
    fn text(&self, field: &str, member: Option<&str>) -> Option<Option<String>> {
        let Some(scalar) = self.one(field, member)?.filter(|scalar| scalar.raw() != "null") else {
            return Some(None);
        };
        let mut text = scalar.text()?;
        Some(Some(std::mem::take(&mut *text)).filter(|text| !text.is_empty()))
    }

    /// Seconds, 20 where nothing is said.
    fn milliseconds(&self, field: &str) -> Option<u32> {
        let Some(text) = self.text(field, None)? else {
            return Some(DEFAULT_TIMEOUT_MS);
        };
        let ms = (text.parse::<f64>().ok()? * 1000.0).ceil();
        (0.0..=f64::from(u32::MAX)).contains(&ms).then_some(ms as u32)
    }

    fn is_nested(&self, field: &str) -> bool {
        let mut within = self.scalars.iter().filter(|scalar| scalar.field() == field);
        within.any(|scalar| scalar.member().is_none())
    }
}

const DEFAULT_TIMEOUT_MS: u32 = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: &str = r#"{"snInstance":"acme","authentication":{"type":"oauth-client-credentials-flow","clientId":"id","clientSecret":"s3cret"},"body":{"n":1.0,"clientSecret":"own"}}"#;

    fn of(json: &str) -> Option<OauthInput<'_>> {
        OauthInput::of(Checked::of(json)?)
    }

    #[test]
    fn the_token_takes_the_secrets_place_and_nothing_else_changes() {
        let input = of(INPUT).unwrap();
        let with_token = input.with_token(&Secret::new("to\"ken"));
        assert_eq!(
            with_token.as_str(),
            r#"{"snInstance":"acme","authentication":{"type":"bearer","token":"to\"ken","clientId":"id","clientSecret":null},"body":{"n":1.0,"clientSecret":"own"}}"#
        );
        let left = INPUT.replace(r#""clientId""#, r#""token":null,"clientId""#);
        let with_token = of(&left).unwrap().with_token(&Secret::new("t0ken"));
        assert!(
            with_token.contains(r#""type":"bearer","token":"t0ken","clientId":"id","clientSecret":null"#),
            "{}",
            *with_token
        );
    }

    #[test]
    fn members_that_are_not_read_do_not_count() {
        let nulls: String = (0..200).map(|number| format!(r#""n{number}":null,"#)).collect();
        let many = INPUT.replace(r#""clientId""#, &format!(r#"{nulls}"clientId""#));
        assert!(of(&many).is_some());
    }

    #[test]
    fn the_whole_token_request_is_read() {
        let json = r#"{"snEndpoint":"https://gateway.example","snDomain":null,"connectionTimeoutInSeconds":0.0015,"readTimeoutInSeconds":"5",
            "authentication":{"type":"oauth-client-credentials-flow","oauthTokenEndpoint":"https://login.example/t","clientId":123,
            "clientSecret":"s3cret","audience":"a","scopes":"one  two","clientAuthentication":"basicAuthHeader"}}"#;
        let request = of(json).unwrap().request;
        assert_eq!(
            (request.instance.as_str(), request.endpoint.as_deref()),
            ("", Some("https://gateway.example"))
        );
        assert_eq!(
            (
                request.credentials.client_id.as_str(),
                request.credentials.client_secret.as_str()
            ),
            ("123", "s3cret")
        );
        assert_eq!(
            request.credentials.token_url.as_deref(),
            Some("https://login.example/t")
        );
        assert_eq!(
            (
                request.credentials.scopes.join(","),
                request.credentials.audience.as_deref()
            ),
            ("one,two".to_owned(), Some("a"))
        );
        assert_eq!(
            request.credentials.client_authentication,
            ClientAuthentication::BasicHeader
        );
        let limits = request.limits.unwrap();
        assert_eq!(
            (
                limits.connect_timeout_ms,
                limits.first_byte_timeout_ms,
                limits.between_bytes_timeout_ms
            ),
            (2, 5000, 5000)
        );
    }

    #[test]
    fn what_is_odd_is_left_to_the_component() {
        for (from, to) in [
            (r#""type":"oauth-client-credentials-flow""#, r#""type":"basic""#),
            (r#""clientId":"id""#, r#""clientId":"""#),
            (r#""clientId":"id""#, r#""clientId":true"#),
            (r#""clientId":"id""#, r#""clientId":["id"]"#),
            (r#""clientId":"id""#, r#""clientId":"id","clientId":"other""#),
            (r#""clientSecret":"s3cret""#, r#""clientSecret":null"#),
            (
                r#""clientSecret":"s3cret""#,
                r#""clientSecret":"s3cret","clientAuthentication":"both""#,
            ),
            (
                r#""clientSecret":"s3cret""#,
                r#""clientSecret":"s3cret","audience":{"a":1}"#,
            ),
            (r#""snInstance":"acme""#, r#""snInstance":"acme","snInstance":"other""#),
            (
                r#""snInstance":"acme""#,
                r#""snInstance":"acme","readTimeoutInSeconds":"soon""#,
            ),
            (
                r#""snInstance":"acme""#,
                r#""snInstance":"acme","readTimeoutInSeconds":-1"#,
            ),
            (r#"{"snInstance""#, r#"{{"snInstance""#),
        ] {
            let odd = INPUT.replacen(from, to, 1);
            assert_ne!(odd, INPUT, "{from}");
            assert!(of(&odd).is_none(), "{odd}");
        }
    }
}
