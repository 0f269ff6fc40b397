//! Request bodies: each field that a version knows, its type, and nothing else.

use serde_json::Value;

use crate::answer::Answer;
use crate::job::Variables;
use crate::options::Version;

/// A field's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// A text that is not empty.
    Name,
    /// A number as text.
    Key,
    Integer,
    /// An integer of 32 bits.
    Integer32,
    /// An integer above 0.
    Positive,
    Flag,
    Object,
    Texts,
    /// What a job for a user task or an ad-hoc sub-process results in: an object that says which.
    JobResult,
}

/// A field: its name, the first version that knows it, its type, and whether it must be there.
pub(crate) struct Field(&'static str, Version, Kind, bool);

use Kind::{Flag, Integer, Integer32, JobResult, Key, Name, Object, Positive, Text, Texts};
use Version::{V8_8, V8_9, V8_10};

pub(crate) const ACTIVATION: &[Field] = &[
    Field("type", V8_8, Text, true),
    Field("timeout", V8_8, Integer, true),
    Field("maxJobsToActivate", V8_8, Integer32, true),
    Field("worker", V8_8, Text, false),
    Field("fetchVariable", V8_8, Texts, false),
    Field("requestTimeout", V8_8, Integer, false),
    Field("tenantIds", V8_8, Texts, false),
    Field("tenantFilter", V8_9, Text, false),
    Field("withLease", V8_10, Flag, false),
];

pub(crate) const COMPLETION: &[Field] = &[
    Field("variables", V8_8, Object, false),
    Field("result", V8_8, JobResult, false),
    Field("businessId", V8_10, Name, false),
    Field("jobLeaseToken", V8_10, Text, false),
];

pub(crate) const FAILURE: &[Field] = &[
    Field("retries", V8_8, Integer, false),
    Field("errorMessage", V8_8, Text, false),
    Field("retryBackOff", V8_8, Integer, false),
    Field("variables", V8_8, Object, false),
    Field("jobLeaseToken", V8_10, Text, false),
];

pub(crate) const ERROR: &[Field] = &[
    Field("errorCode", V8_8, Text, true),
    Field("errorMessage", V8_8, Text, false),
    Field("variables", V8_8, Object, false),
    Field("jobLeaseToken", V8_10, Text, false),
];

pub(crate) const PATCH: &[Field] = &[
    Field("changeset", V8_8, Object, true),
    Field("operationReference", V8_8, Positive, false),
    Field("jobLeaseToken", V8_10, Text, false),
];

pub(crate) const CHANGESET: &[Field] = &[
    Field("retries", V8_8, Integer, false),
    Field("timeout", V8_8, Integer, false),
    Field("priority", V8_10, Integer32, false),
];

pub(crate) const VARIABLES: &[Field] = &[
    Field("variables", V8_8, Object, true),
    Field("local", V8_8, Flag, false),
    Field("operationReference", V8_8, Positive, false),
];

pub(crate) const EVALUATION: &[Field] = &[
    Field("expression", V8_9, Text, true),
    Field("tenantId", V8_9, Text, false),
    Field("variables", V8_9, Object, false),
    Field("scopeKey", V8_10, Key, false),
];

pub(crate) const PUBLICATION: &[Field] = &[
    Field("name", V8_8, Text, true),
    Field("correlationKey", V8_8, Text, false),
    Field("timeToLive", V8_8, Integer, false),
    Field("messageId", V8_8, Text, false),
    Field("variables", V8_8, Object, false),
    Field("tenantId", V8_8, Text, false),
    Field("businessId", V8_10, Name, false),
];

/// A body whose fields are all known, and of the right type.
#[derive(Debug, Default)]
pub(crate) struct Fields(Variables);

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Text | Name | Key => value.is_string(),
            Integer | Positive => value.as_i64().is_some(),
            Integer32 => value.as_i64().is_some_and(|value| i32::try_from(value).is_ok()),
            Flag => value.is_boolean(),
            Object => value.is_object(),
            Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            JobResult => {
                ["userTask", "adHocSubProcess"].contains(&value.get("type").and_then(Value::as_str).unwrap_or_default())
            }
        }
    }

    /// Whether a value of this type is in range.
    fn allows(self, value: &Value) -> bool {
        match self {
            Name => value != "",
            Key => value.as_str().is_some_and(|text| text.parse::<u64>().is_ok()),
            Positive => value.as_i64().is_some_and(|value| value > 0),
            _ => true,
        }
    }
}

impl Fields {
    /// Reads a body; an empty one has no fields.
    pub fn read(body: &[u8], known: &[Field], version: Version) -> Result<Self, Answer> {
        let object = match serde_json::from_slice(body) {
            _ if body.is_empty() => Variables::new(),
            Ok(Value::Object(object)) => object,
            _ => return Err(bad("The request body is not a JSON object")),
        };
        Self::check(object, known, version)
    }

    fn check(mut object: Variables, known: &[Field], version: Version) -> Result<Self, Answer> {
        // null is as good as absent.
        object.retain(|name, value| {
            let nullable = known.iter().any(|field| field.0 == name && field.1 <= version);
            !(nullable && value.is_null())
        });
        for (name, value) in &object {
            match known.iter().find(|field| field.0 == name && field.1 <= version) {
                None => return Err(bad(&format!("The request has a property that is not known: [{name}]"))),
                Some(field) if !field.2.fits(value) => {
                    return Err(bad(&format!("The value of [{name}] has the wrong type")));
                }
                Some(field) if !field.2.allows(value) => {
                    return Err(invalid(&format!("The value of {name} is out of range")));
                }
                Some(_) => {}
            }
        }
        match known.iter().find(|field| field.3 && !object.contains_key(field.0)) {
            Some(missing) => Err(invalid(&format!("No {} is given", missing.0))),
            None => Ok(Self(object)),
        }
    }

    /// The fields of an object inside.
    pub fn inner(&self, name: &str, known: &[Field], version: Version) -> Result<Self, Answer> {
        Self::check(self.object(name), known, version)
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    pub fn integer(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.as_i64()
    }

    pub fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    pub fn object(&self, name: &str) -> Variables {
        match self.0.get(name) {
            Some(Value::Object(object)) => object.clone(),
            _ => Variables::new(),
        }
    }

    pub fn texts(&self, name: &str) -> Vec<String> {
        let list = self.0.get(name).and_then(Value::as_array);
        list.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }
}

/// What the gateway's JSON reader refuses.
pub(crate) fn bad(detail: &str) -> Answer {
    Answer::problem(400, "Bad Request", detail)
}

/// What the gateway's validation refuses.
pub(crate) fn invalid(detail: &str) -> Answer {
    Answer::problem(400, "INVALID_ARGUMENT", detail)
}
