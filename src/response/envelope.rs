//! ServiceNow's error envelope: `{"error":{"message":"…","detail":"…"},"status":"failure"}`.

use flow_starter_input::json::{self, Json};

/// What the envelope says. Other servers' errors of a like shape are read as well: what they say helps a person.
pub struct Envelope {
    message: String,
    detail: String,
    /// `"status":"failure"` beside the error: ServiceNow's own, so the answer is no gateway's.
    servicenows: bool,
}

/// How many places of a text may look like the envelope's beginning. Its own texts do not: quotation marks are escaped in them.
const TRIED_MOST: usize = 8;

impl Envelope {
    pub fn read(text: &str) -> Option<Self> {
        let envelope = Self::of(&Json::of(json::parse(text).ok()?)?)?;
        let is_blank = envelope.message.is_empty() && envelope.detail.is_empty();
        (!is_blank).then_some(envelope)
    }

    /// ServiceNow's report that it gave up what it had accepted: at the top of the JSON, inside its `result`, or at the end of a text that is no
    /// whole JSON, where it follows what was sent before.
    pub fn of_failure(text: &str) -> Option<Self> {
        let failure = |json: &Json| Self::of(json).filter(|envelope| envelope.servicenows);
        if let Ok(raw) = json::parse(text) {
            let json = Json::of(raw)?;
            return failure(&json).or_else(|| failure(&json.member("result")?));
        }
        let mut before = text;
        let mut tried = 0;
        while let Some(at) = before.rfind('{')
            && tried < TRIED_MOST
        {
            let rest = text.get(at..).unwrap_or_default();
            let name = rest.get(1..).unwrap_or_default().trim_start();
            if name.starts_with("\"error\"") || name.starts_with("\"status\"") {
                tried += 1;
                if let Ok(raw) = json::parse(rest) {
                    return failure(&Json::of(raw)?);
                }
            }
            before = text.get(..at).unwrap_or_default();
        }
        None
    }

    fn of(object: &Json) -> Option<Self> {
        let error = object.member("error")?;
        let string = |value| match value {
            Some(Json::Text(text)) => text.into_owned(),
            _ => String::new(),
        };
        let is_object = matches!(error, Json::Object(_));
        let (message, detail) = match error {
            // RFC 6749, section 5.2: a token endpoint's `error` is a text.
            Json::Text(code) => (code.into_owned(), string(object.member("error_description"))),
            error => (string(error.member("message")), string(error.member("detail"))),
        };
        let servicenows =
            is_object && matches!(object.member("status"), Some(Json::Text(status)) if status == "failure");
        Some(Self {
            message,
            detail,
            servicenows,
        })
    }

    pub fn is_servicenows(&self) -> bool {
        self.servicenows && !self.message.is_empty()
    }

    /// ServiceNow answers 400 or 404 so where no REST resource has the path.
    pub fn is_unknown_resource(&self) -> bool {
        let phrase = b"does not represent any resource";
        let said = |text: &str| text.as_bytes().windows(phrase.len()).any(|window| window == phrase);
        said(&self.message) || said(&self.detail)
    }

    /// Message and detail as one text.
    pub fn sentence(&self) -> String {
        let mut text = self.message.clone();
        if !self.message.is_empty() && !self.detail.is_empty() && self.message != self.detail {
            text.push_str(": ");
        }
        if self.message != self.detail {
            text.push_str(&self.detail);
        }
        text
    }
}
