//! What a call would send, without sending it.

use flow_starter_input::{Authentication, Mask, Sensitive};

use zeroize::Zeroizing;

use super::FlowStarter;
use super::input::{PreparedCall, checked, unavailable};
use crate::component::Failure;
use crate::contract::{ErrorKind, TriggerError};
use crate::egress::{CapturedRequest, Destinations, DryRunRecorder, Origin, Purpose};

/// What a call would send, for people to look at. All secrets are masked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DryRun {
    /// The requests, in order.
    pub requests: Vec<RecordedRequest>,
    /// Why there would be no flow request: the input is invalid, or a secret is missing.
    pub refusal: Option<TriggerError>,
}

/// A request that was recorded and not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// Its purpose.
    pub purpose: Purpose,
    /// The method.
    pub method: String,
    /// The whole URL, query included.
    pub url: String,
    /// Header names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
    /// Whether the policy allows its destination, by name.
    pub allowed: bool,
}

impl RecordedRequest {
    /// The request's destination; `None` if it comes from a secret and is masked.
    pub fn origin(&self) -> Option<Origin> {
        Origin::split(&self.url).ok().map(|(origin, _)| origin)
    }
}

/// A placeholder for the token that was not requested.
const TOKEN: &str = "token-that-is-asked-for-first";

impl FlowStarter {
    /// Records the requests that [`Self::execute`] would send, and sends none; not even a DNS look-up.
    pub async fn dry_run(&self, input: &str) -> DryRun {
        if let Some(too_large) = self.connector.too_large::<()>(input.len()) {
            return DryRun {
                requests: Vec::new(),
                refusal: too_large.into_outcome(Mask::default()).result.err(),
            };
        }
        let refused = |(failure, mask): (Failure, Mask)| DryRun {
            requests: Vec::new(),
            refusal: Some(failure.into_error(&mask)),
        };
        let read = tokio::select! {
            biased;
            expanded = self.expand(input) => match expanded {
                Ok(expanded) => checked(&expanded),
                Err(error) => Err((unavailable(&error), Mask::default())),
            },
            ended = self.ended::<PreparedCall>(self.deadline(), std::future::pending()) => {
                ended.result.map_err(|failure| (failure, Mask::default()))
            }
        };
        match read {
            Ok(call) => self.play(call).await,
            Err(why) => refused(why),
        }
    }

    async fn play(&self, call: PreparedCall) -> DryRun {
        let PreparedCall { mut config, mut mask } = call;
        mask.add(TOKEN);
        let named = Destinations::of_config(&config);
        let key = match &config.authentication {
            Authentication::ApiKey(key) => key.name().to_owned(),
            _ => String::new(),
        };
        let recorder = DryRunRecorder::default();
        let egress = self.egress.with_recorder(recorder.clone());
        let mut failure = None;
        if let Some(request) = config.token_request() {
            let judged = self.connector.ask_for_token(&egress, request).await;
            // The recorder denies every request.
            failure = judged.result.err().filter(|failure| failure.kind != ErrorKind::Denied);
            config.authentication = Authentication::Bearer(Sensitive::from(TOKEN));
        }
        if failure.is_none() {
            let (limit, never) = (self.connector.wall_clock(), std::future::pending());
            let judged = self.connector.trigger_flow_until(&egress, config, limit, never).await;
            failure = judged.result.err();
        }
        let requests: Vec<_> = recorder
            .take()
            .into_iter()
            .map(|captured| self.shown(captured, &named, &key, &mask))
            .collect();
        DryRun {
            refusal: failure
                .filter(|failure| {
                    failure.kind != ErrorKind::Denied || !requests.iter().any(|it| it.purpose == Purpose::Flow)
                })
                .map(|failure| failure.into_error(&mask)),
            requests,
        }
    }

    /// `key` is the API key's header name.
    fn shown(&self, captured: CapturedRequest, named: &Destinations, key: &str, mask: &Mask) -> RecordedRequest {
        let url = captured.head.uri.to_string();
        let origin = Origin::split(&url).ok().map(|(origin, _)| origin);
        let headers = captured.head.headers.iter().map(|(name, value)| {
            // In ISO-8859-1, as they are sent.
            let mut value: Zeroizing<String> =
                Zeroizing::new(value.as_bytes().iter().copied().map(char::from).collect());
            let shown = match name.as_str() {
                // Whatever the value, however short.
                "authorization" => match value.split_once(' ') {
                    Some((scheme @ ("Basic" | "Bearer"), _)) => format!("{scheme} ***"),
                    _ => "***".to_owned(),
                },
                name if name.eq_ignore_ascii_case(key) => "***".to_owned(),
                _ => mask.text(std::mem::take(&mut *value)),
            };
            // An API key's name may come from a secret.
            (mask.text(name.to_string()), shown)
        });
        RecordedRequest {
            purpose: captured.purpose,
            method: captured.head.method.to_string(),
            allowed: origin.as_ref().is_some_and(|origin| {
                self.egress.policy().allows(origin) && [named.flow(), named.token()].contains(&Some(origin))
            }),
            url: mask.text(url),
            headers: headers.collect(),
            body: mask.text(String::from_utf8_lossy(&captured.body).into_owned()),
        }
    }
}
