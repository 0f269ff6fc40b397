//! Where a variable is written, and which one a task sees: its own before the process instance's.

use std::collections::BTreeMap;

use crate::job::Variables;
use crate::journal::What;
use crate::keys::{JobKey, ProcessInstanceKey};
use crate::state::State;

/// What a task sees; `only` limits it to these names, empty to none.
pub(crate) fn visible(process: &Variables, local: &Variables, only: &[String]) -> Variables {
    let mut seen = process.clone();
    seen.extend(local.clone());
    if !only.is_empty() {
        seen.retain(|name, _| only.contains(name));
    }
    seen
}

/// A variable goes where its name exists already, to the task first, else to the process instance.
pub(crate) fn propagate(process: &mut Variables, local: &mut Variables, variables: Variables) {
    for (name, value) in variables {
        if local.contains_key(&name) {
            local.insert(name, value);
        } else {
            process.insert(name, value);
        }
    }
}

/// A completion's variables. With output mappings they stay on the task, and the mapped ones go on. Without, a variable whose
/// name exists on the task changes that one alone, and is lost with it.
pub(crate) fn complete(
    process: &mut Variables,
    local: &mut Variables,
    outputs: &BTreeMap<String, String>,
    variables: Variables,
) {
    if outputs.is_empty() {
        return propagate(process, local, variables);
    }
    local.extend(variables);
    let seen = visible(process, local, &[]);
    for (target, source) in outputs {
        let value = seen.get(source).cloned().unwrap_or_default();
        process.insert(target.clone(), value);
    }
}

impl State {
    /// Sets variables at the scope with this key: a task, or a process instance. False: there is none, or it has ended.
    pub fn set_variables(&mut self, scope: u64, variables: Variables, local: bool) -> bool {
        let task = self
            .live
            .iter()
            .find(|key| self.jobs.get(*key).is_some_and(|job| job.element_instance.0 == scope))
            .copied();
        match task {
            Some(key) => {
                self.set_task_variables(key, variables, local);
                true
            }
            None => self.set_process_variables(ProcessInstanceKey(scope), variables),
        }
    }

    fn set_task_variables(&mut self, key: JobKey, variables: Variables, local: bool) {
        let Some(job) = self.jobs.get_mut(&key) else { return };
        let process = &mut self.instances.entry(job.instance).or_default().variables;
        match local {
            true => job.local.extend(variables.clone()),
            false => propagate(process, &mut job.local, variables.clone()),
        }
        self.note(key, What::VariablesSet { variables, local });
    }

    fn set_process_variables(&mut self, instance: ProcessInstanceKey, variables: Variables) -> bool {
        if self.live_jobs_of(instance).is_empty() {
            return false;
        }
        self.instances.entry(instance).or_default().variables.extend(variables);
        self.revision += 1;
        true
    }
}
