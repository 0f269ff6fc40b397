//! A job as any engine gives it.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::value::RawValue;
use zeroize::Zeroize;

/// A job that was handed out.
#[derive(Debug)]
pub struct Job {
    /// The engine's key of the job.
    pub key: String,
    /// The job type.
    pub job_type: String,
    /// As the engine states them. See [`crate::outcome::tries`].
    pub retries: Option<i64>,
    /// The task headers. A value that is no text stands here as its JSON.
    pub headers: BTreeMap<String, String>,
    /// The variables that were fetched, by name.
    pub variables: Variables,
    /// The process instance.
    pub process_instance_key: String,
    /// The identifier of the process, as its author has named it.
    pub process_id: String,
    /// The identifier of the task, as its author has named it.
    pub element_id: String,
    /// The task's instance, whose local variables hold the attempt and its outcome.
    pub element_instance_key: String,
    /// The tenant, where the engine has tenants.
    pub tenant: Option<String>,
    /// The token of the job's lease, where it was leased.
    pub lease: Option<String>,
}

/// Variables as the engine wrote them, number for number. A cluster of 8.10 puts secrets among them as plain text: `Debug` shows the names
/// alone, and the values are overwritten when they are dropped.
#[derive(Default)]
pub struct Variables(BTreeMap<String, Box<RawValue>>);

impl Variables {
    /// Of a JSON object's members.
    pub fn new(members: BTreeMap<String, Box<RawValue>>) -> Self {
        Self(members)
    }

    /// The JSON of this variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.get())
    }

    /// Names and JSON values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.get()))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Drop for Variables {
    fn drop(&mut self) {
        for value in std::mem::take(&mut self.0).into_values() {
            String::from(Box::<str>::from(value)).zeroize();
        }
    }
}
