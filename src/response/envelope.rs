//! ServiceNow's error envelope: `{"error":{"message":"…","detail":"…"},"status":"failure"}`.

use flow_starter_input::json::{self, Json};

/// What the envelope says. Other servers' errors of a like shape are read as well: what they say helps a person.
pub struct Envelope {
    message: String,
    detail: String,
    /// `"status":"failure"` beside the error: ServiceNow's own, so the answer is no gateway's.
    servicenows: bool,
}

impl Envelope {
    pub fn read(text: &str) -> Option<Self> {
        let object = Json::of(json::parse(text).ok()?)?;
        let error = object.member("error")?;
        let string = |value| match value {
            Some(Json::Text(text)) => text,
            _ => String::new(),
        };
        let (message, detail) = match error {
            // RFC 6749, section 5.2: a token endpoint's `error` is a text.
            Json::Text(code) => (code, string(object.member("error_description"))),
            error => (string(error.member("message")), string(error.member("detail"))),
        };
        if message.is_empty() && detail.is_empty() {
            return None;
        }
        let servicenows =
            !message.is_empty() && matches!(object.member("status"), Some(Json::Text(status)) if status == "failure");
        Some(Self {
            message,
            detail,
            servicenows,
        })
    }

    pub fn is_servicenows(&self) -> bool {
        self.servicenows
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
