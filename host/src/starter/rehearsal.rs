//! What a call would send, and nothing of it left.

use super::{FlowStarter, masked, refusal, too_many_credentials};
use crate::component::{ErrorKind, TriggerError};
use crate::egress::{Destinations, Origin, Played, Purpose, Stage};
use crate::secrets::{Checked, Mask, Secret};
use crate::tokens::OauthInput;

/// What a call would send, and nothing of it left: for a person to look at. Secrets are masked in all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rehearsal {
    /// The requests, in order.
    pub requests: Vec<RehearsedRequest>,
    /// Why the flow's request would not be made: the input is not valid, or a secret is missing.
    pub refusal: Option<TriggerError>,
}

/// A request that was made and not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RehearsedRequest {
    /// What it is for.
    pub purpose: Purpose,
    /// The method.
    pub method: String,
    /// The whole URL, query included.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
    /// Whether the policy allows its destination, as far as the name tells.
    pub allowed: bool,
}

/// Stands for the token that nobody has asked for.
const TOKEN: &str = "token-that-is-asked-for-first";

impl FlowStarter {
    /// Makes the requests that [`Self::execute`] would make, and sends none, not so much as a look-up of a name.
    pub async fn rehearse(&self, input: &str) -> Rehearsal {
        if let Some(outcome) = self.connector.too_large::<()>(input.len()) {
            return Rehearsal {
                requests: Vec::new(),
                refusal: outcome.result.err(),
            };
        }
        let expanded = match self.expand(input).await {
            Ok(expanded) => expanded,
            Err(error) => {
                return Rehearsal {
                    requests: Vec::new(),
                    refusal: Some(refusal(&error)),
                };
            }
        };
        let checked = Checked::of(expanded.json());
        let Ok(mut mask) = checked.map_or(Ok(Mask::default()), Mask::of_checked) else {
            return Rehearsal {
                requests: Vec::new(),
                refusal: Some(too_many_credentials()),
            };
        };
        mask.add_all(expanded.mask());
        mask.add(TOKEN);
        let stage = Stage::default();
        let egress = self.egress.rehearsing(stage.clone());
        let result = match checked.and_then(OauthInput::of) {
            None => self.connector.execute(&egress, expanded.json()).await.result.map(drop),
            Some(oauth) => match self
                .connector
                .request_token(&egress, oauth.request.clone())
                .await
                .result
            {
                Err(error) if error.kind == ErrorKind::Denied => {
                    let input = oauth.with_token(&Secret::new(TOKEN));
                    self.connector.execute(&egress, &input).await.result.map(drop)
                }
                result => result.map(drop),
            },
        };
        let named = Destinations::of_json(expanded.json());
        let requests: Vec<_> = stage
            .take()
            .into_iter()
            .map(|played| self.shown(played, &named, &mask))
            .collect();
        Rehearsal {
            // The stage itself denies what was made.
            refusal: result
                .err()
                .filter(|error| {
                    error.kind != ErrorKind::Denied || !requests.iter().any(|it| it.purpose == Purpose::Flow)
                })
                .map(|error| masked::failure(error, &mask)),
            requests,
        }
    }

    fn shown(&self, played: Played, named: &Destinations, mask: &Mask) -> RehearsedRequest {
        let url = played.head.uri.to_string();
        let origin = Origin::split(&url).ok().map(|(origin, _)| origin);
        let headers = played.head.headers.iter().map(|(name, value)| {
            // UTF-8 where it is that, and else as Latin-1, which a header's bytes are by their standard.
            let bytes = value.as_bytes();
            let value = match std::str::from_utf8(bytes) {
                Ok(text) => text.to_owned(),
                Err(_) => bytes.iter().copied().map(char::from).collect(),
            };
            (name.to_string(), mask.text(value))
        });
        RehearsedRequest {
            purpose: played.purpose,
            method: played.head.method.to_string(),
            allowed: origin.as_ref().is_some_and(|origin| {
                self.egress.policy().allows(origin) && [named.flow(), named.token()].contains(&Some(origin))
            }),
            url: mask.text(url),
            headers: headers.collect(),
            body: mask.text(String::from_utf8_lossy(&played.body).into_owned()),
        }
    }
}
