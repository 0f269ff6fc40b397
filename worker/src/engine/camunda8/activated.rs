//! The jobs in an activation's answer. One that cannot be read costs no other.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::engine::{Job, Variables};

/// Why a job cannot be read: its key, where it has one, and the field. Values are not repeated.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("its field {field} is missing or not {expected}")]
pub(super) struct Unreadable {
    pub(super) key: Option<String>,
    field: &'static str,
    expected: &'static str,
}

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// All jobs, or `None` where the answer is no list of jobs.
pub(super) fn jobs(body: &[u8], job_type: &str) -> Option<Vec<Result<Job, Unreadable>>> {
    #[derive(Deserialize)]
    struct Activated<'a> {
        #[serde(borrow)]
        jobs: Vec<&'a RawValue>,
    }
    let Activated { jobs } = serde_json::from_slice(body).ok()?;
    Some(jobs.into_iter().map(|job| read(job, job_type)).collect())
}

fn read(job: &RawValue, job_type: &str) -> Result<Job, Unreadable> {
    let fields = serde_json::from_str::<Fields<'_>>(job.get()).map_err(|_| Unreadable {
        key: None,
        field: "(the job itself)",
        expected: "an object",
    })?;
    let job_key = key(&fields, "jobKey");
    let unreadable = |field: &'static str, expected: &'static str| Unreadable {
        key: job_key.clone(),
        field,
        expected,
    };
    let required = |field| key(&fields, field).ok_or_else(|| unreadable(field, "a key"));
    let text = |field| optional::<String>(&fields, field).map_err(|()| unreadable(field, "text"));
    let object = |field| {
        optional::<BTreeMap<String, Box<RawValue>>>(&fields, field)
            .map(Option::unwrap_or_default)
            .map_err(|()| unreadable(field, "an object"))
    };
    // First, so that its values are wiped whatever else is wrong.
    let variables = Variables::new(object("variables")?);
    Ok(Job {
        key: required("jobKey")?,
        job_type: text("type")?.unwrap_or_else(|| job_type.to_owned()),
        retries: optional(&fields, "retries").map_err(|()| unreadable("retries", "a whole number"))?,
        headers: object("customHeaders")?
            .into_iter()
            .map(|(name, value)| (name, header(&value)))
            .collect(),
        variables,
        process_instance_key: required("processInstanceKey")?,
        process_id: text("processDefinitionId")?.unwrap_or_default(),
        element_id: text("elementId")?.unwrap_or_default(),
        element_instance_key: required("elementInstanceKey")?,
        tenant: text("tenantId")?.filter(|tenant| !tenant.is_empty()),
        lease: text("jobLeaseToken")?.filter(|token| !token.is_empty()),
    })
}

/// Null is absent.
fn optional<'a, T: Deserialize<'a>>(fields: &Fields<'a>, field: &str) -> Result<Option<T>, ()> {
    fields
        .get(field)
        .map_or(Ok(None), |value| serde_json::from_str(value.get()).map_err(|_| ()))
}

/// Text, or a number as older clusters write it. What a URL's path cannot hold is none.
fn key(fields: &Fields<'_>, field: &str) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Key {
        Text(String),
        Number(i64),
    }
    let key = match serde_json::from_str(fields.get(field)?.get()).ok()? {
        Key::Text(text) => text,
        Key::Number(number) => number.to_string(),
    };
    (!matches!(key.as_str(), "" | "." | "..")).then_some(key)
}

fn header(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

/// Whether this is JSON, whole.
pub(super) fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(job: &str) -> Result<Job, Unreadable> {
        jobs(format!(r#"{{"jobs":[{job}]}}"#).as_bytes(), "asked")
            .unwrap()
            .remove(0)
    }

    const KEYS: &str = r#""jobKey":"1","processInstanceKey":"2","elementInstanceKey":"3""#;

    #[test]
    fn a_job_is_read_as_it_stands() {
        let job = one(
            r#"{"jobKey":2251799813685249,"type":"t","processInstanceKey":"2","elementInstanceKey":"3","elementId":"task",
               "processDefinitionId":"p","retries":3,"tenantId":"<default>","jobLeaseToken":"L","unknown":{"a":[1]},
               "customHeaders":{"a":"x","b":5,"c":{"d":1.50}},"variables":{"n":12345678901234567890.10,"s":"ü"}}"#,
        )
        .unwrap();
        assert_eq!((job.key.as_str(), job.job_type.as_str()), ("2251799813685249", "t"));
        assert_eq!((job.process_id.as_str(), job.element_id.as_str()), ("p", "task"));
        assert_eq!(
            (job.retries, job.tenant.as_deref(), job.lease.as_deref()),
            (Some(3), Some("<default>"), Some("L"))
        );
        assert_eq!(job.variables.get("n"), Some("12345678901234567890.10"));
        let headers: Vec<_> = job
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(headers, [("a", "x"), ("b", "5"), ("c", r#"{"d":1.50}"#)]);
    }

    #[test]
    fn what_may_be_missing_may_be_null() {
        let missing = one(&format!("{{{KEYS}}}")).unwrap();
        let null = one(&format!(
            r#"{{{KEYS},"retries":null,"type":null,"customHeaders":null,"variables":null,"tenantId":null,"jobLeaseToken":null}}"#
        ))
        .unwrap();
        for job in [missing, null] {
            assert_eq!((job.retries, job.job_type.as_str(), job.lease), (None, "asked", None));
            assert!(job.headers.is_empty() && job.variables.iter().next().is_none());
        }
        assert_eq!(one(&format!(r#"{{{KEYS},"jobLeaseToken":""}}"#)).unwrap().lease, None);
    }

    #[test]
    fn a_job_that_cannot_be_read_names_the_field_and_no_value() {
        for (job, words) in [
            ("5".to_owned(), "the job itself"),
            ("{}".to_owned(), "jobKey"),
            (
                r#"{"jobKey":"..","processInstanceKey":"2","elementInstanceKey":"3"}"#.to_owned(),
                "jobKey",
            ),
            (
                r#"{"jobKey":"1","processInstanceKey":"2"}"#.to_owned(),
                "elementInstanceKey",
            ),
            (format!(r#"{{{KEYS},"retries":"hunter2"}}"#), "retries"),
            (format!(r#"{{{KEYS},"retries":1.5}}"#), "retries"),
            (format!(r#"{{{KEYS},"variables":["hunter2"]}}"#), "variables"),
            (format!(r#"{{{KEYS},"customHeaders":"hunter2"}}"#), "customHeaders"),
            (format!(r#"{{{KEYS},"type":{{"hunter2":1}}}}"#), "type"),
        ] {
            let error = one(&job).unwrap_err();
            let text = format!("{error} {error:?}");
            assert!(text.contains(words) && !text.contains("hunter2"), "{text}");
        }
        assert_eq!(
            one(&format!(r#"{{{KEYS},"retries":"3"}}"#)).unwrap_err().key.as_deref(),
            Some("1")
        );
    }

    #[test]
    fn what_is_not_whole_is_no_list_of_jobs() {
        for body in [
            "",
            "{",
            r#"{"jobs":[{"jobKey":"1"}"#,
            r#"{"jobs":null}"#,
            r#"{"jobs":{}}"#,
            "{}",
            "[]",
            "<html>",
        ] {
            assert!(jobs(body.as_bytes(), "t").is_none(), "{body}");
        }
        assert!(jobs(br#"{"jobs":[]} "#, "t").unwrap().is_empty());
    }
}
