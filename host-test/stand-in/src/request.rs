//! A whole request, as the routes read it.

use serde::de::IgnoredAny;

use crate::answer::Answer;
use crate::http1::Head;

/// A whole request.
#[derive(Clone, Copy)]
pub(crate) struct Request<'a> {
    pub number: usize,
    pub head: &'a Head,
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Names and values of the query, decoded.
    pub fn query(&self) -> impl Iterator<Item = (std::borrow::Cow<'a, str>, std::borrow::Cow<'a, str>)> {
        let query = self.head.target.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.as_bytes())
    }

    /// Whatever its parameters and letter case.
    pub fn has_media_type(&self, wanted: &str) -> bool {
        self.head.values("content-type").next().is_some_and(|value| {
            let essence = value.split(';').next().unwrap_or_default();
            essence.trim().eq_ignore_ascii_case(wanted)
        })
    }

    /// 415 and 400 for a body that is not JSON. A request without a body may come without a content type.
    pub fn refuse_body(&self) -> Option<Answer> {
        let carries_body = matches!(self.head.method.as_str(), "POST" | "PUT" | "PATCH");
        let nothing = self.body.is_empty() && self.head.values("content-type").next().is_none();
        if !carries_body || nothing {
            return None;
        }
        if !self.has_media_type("application/json") {
            return Some(Answer::failure(
                415,
                "Unsupported media type",
                Some("The Content-Type of the request is not application/json"),
            ));
        }
        let json = self.body.is_empty() || serde_json::from_slice::<IgnoredAny>(self.body).is_ok();
        (!json).then(|| {
            Answer::failure(
                400,
                "Exception while reading request",
                Some("The payload is not valid JSON"),
            )
        })
    }

    pub fn accepts_json(&self) -> bool {
        let mut ranges = self
            .head
            .values("accept")
            .flat_map(|value| value.split(','))
            .map(|range| range.split(';').next().unwrap_or_default().trim())
            .peekable();
        ranges.peek().is_none()
            || ranges.any(|range| {
                ["application/json", "application/*", "*/*"]
                    .iter()
                    .any(|known| range.eq_ignore_ascii_case(known))
            })
    }
}
