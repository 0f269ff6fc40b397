//! Activation: which jobs a poll gets, how each looks, and how long a poll waits for one.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::answer::Answer;
use crate::core::Core;
use crate::job::JobState;
use crate::journal::What;
use crate::keys::JobKey;
use crate::options::Version;
use crate::scopes;
use crate::state::State;

/// What an activation without a request timeout waits.
const DEFAULT_WAIT: Duration = Duration::from_secs(10);

/// What a poll asks for.
#[derive(Debug)]
pub(crate) struct Wish {
    pub job_type: String,
    pub worker: String,
    pub timeout: Duration,
    pub most: usize,
    pub variables: Vec<String>,
    pub tenants: Vec<String>,
    pub with_lease: bool,
}

/// How long a poll waits: 0 is the default, less than 0 is not at all.
pub(crate) fn wait(request_timeout_ms: i64) -> Option<Duration> {
    match u64::try_from(request_timeout_ms) {
        Ok(0) => Some(DEFAULT_WAIT),
        Ok(ms) => Some(Duration::from_millis(ms)),
        Err(_) => None,
    }
}

/// Waits for a job, and hands it out. The wait is real time, whatever the cluster's clock is moved by.
pub(crate) async fn activate(core: &Core, wish: &Wish, wait: Option<Duration>) -> Answer {
    let mut changes = core.changes();
    let end = wait.and_then(|wait| Instant::now().checked_add(wait));
    loop {
        changes.mark_unchanged();
        let jobs = core.with(|state| state.hand_out(core.options.version, wish));
        let done = || Answer::json(200, &json!({ "jobs": &jobs }));
        let Some(end) = end.filter(|_| jobs.is_empty()) else {
            return done();
        };
        if !matches!(tokio::time::timeout_at(end, changes.changed()).await, Ok(Ok(()))) {
            return done();
        }
    }
}

impl State {
    fn hand_out(&mut self, version: Version, wish: &Wish) -> Vec<Value> {
        let keys: Vec<JobKey> = self
            .live
            .iter()
            .filter(|key| self.is_for(**key, wish))
            .take(wish.most)
            .copied()
            .collect();
        keys.into_iter()
            .filter_map(|key| self.activate(version, key, wish))
            .collect()
    }

    fn is_for(&self, key: JobKey, wish: &Wish) -> bool {
        self.jobs.get(&key).is_some_and(|job| {
            let free = match job.state {
                JobState::Activatable => true,
                JobState::Active { .. } => job.extra_hand_outs > 0,
                _ => false,
            };
            free && job.spec.job_type == wish.job_type
                && wish.tenants.contains(&job.spec.tenant)
                && !self.is_suspended(job.instance)
                // Once leased, a job is for workers with leases only.
                && (wish.with_lease || job.lease.is_none())
        })
    }

    fn activate(&mut self, version: Version, key: JobKey, wish: &Wish) -> Option<Value> {
        let until = self.clock.now() + wish.timeout;
        let deadline = self.clock.wall_ms(until);
        let lease = (wish.with_lease && !self.null_leases).then(|| self.next_lease());
        let job = self.jobs.get_mut(&key)?;
        job.extra_hand_outs = job.extra_hand_outs.saturating_sub(1);
        if matches!(job.state, JobState::Activatable) {
            job.extra_hand_outs = 0;
        }
        job.state = JobState::Active {
            worker: wish.worker.clone(),
        };
        job.until = Some(until);
        job.times_activated += 1;
        job.lease = lease;
        let process = self.instances.get(&job.instance).map(|instance| &instance.variables);
        let empty = serde_json::Map::new();
        let variables = scopes::visible(process.unwrap_or(&empty), &job.local, &wish.variables);
        let spec = &job.spec;
        let mut activated = json!({
            "jobKey": key.to_string(),
            "type": spec.job_type,
            "processDefinitionId": spec.process,
            "processDefinitionVersion": spec.process_version,
            "processDefinitionKey": "2251799813685249",
            "processInstanceKey": job.instance.to_string(),
            "elementId": spec.element,
            "elementInstanceKey": job.element_instance.to_string(),
            "customHeaders": spec.headers,
            "worker": wish.worker,
            "retries": job.retries,
            "deadline": deadline,
            "variables": variables,
            "tenantId": spec.tenant,
            "kind": "BPMN_ELEMENT",
            "listenerEventType": "UNSPECIFIED",
            "userTask": null,
            "tags": [],
        });
        if let Value::Object(fields) = &mut activated {
            if version >= Version::V8_9 {
                fields.insert("rootProcessInstanceKey".to_owned(), json!(job.instance.to_string()));
            }
            if version >= Version::V8_10 {
                fields.insert("businessId".to_owned(), Value::Null);
                fields.insert("physicalTenantId".to_owned(), json!("default"));
                fields.insert("priority".to_owned(), json!(0));
                fields.insert("jobLeaseToken".to_owned(), json!(job.lease));
            }
        }
        let what = What::Activated {
            worker: wish.worker.clone(),
            times: job.times_activated,
        };
        self.note(key, what);
        Some(activated)
    }
}
