//! Variables: what a task sees, and what is left of what it writes.

use camunda_test_cluster::{Cluster, JobKey, JobSpec, Version};
use serde_json::{Value, json};

use crate::client::{Client, one};

fn spec() -> JobSpec {
    JobSpec::new("t").variable("a", 1).variable("b", 2).input("b", "mine")
}

fn seen(client: &mut Client, cluster: &Cluster, job: JobKey, more: Value) -> Value {
    cluster.expire(job);
    client.activate(more).job()["variables"].clone()
}

#[test]
fn the_nearest_scope_wins_and_names_can_be_chosen() {
    let (cluster, job, mut client) = one(Version::V8_8, spec());
    assert_eq!(
        seen(&mut client, &cluster, job, json!({})),
        json!({ "a": 1, "b": "mine" })
    );
    let none = json!({ "fetchVariable": [] });
    assert_eq!(seen(&mut client, &cluster, job, none), json!({ "a": 1, "b": "mine" }));
    let some = json!({ "fetchVariable": ["b", "absent"] });
    assert_eq!(seen(&mut client, &cluster, job, some), json!({ "b": "mine" }));
}

#[test]
fn local_variables_are_seen_at_the_next_activation() {
    let (cluster, job, mut client) = one(Version::V8_8, spec());
    client.take();
    assert_eq!(client.mark(&cluster, job, json!({ "a": "mark", "c": null })), 204);
    let job_now = cluster.job(job).unwrap();
    assert_eq!(job_now.process_variables["a"], 1);
    assert_eq!(
        seen(&mut client, &cluster, job, json!({})),
        json!({ "a": "mark", "b": "mine", "c": null })
    );
}

#[test]
fn variables_that_are_not_local_go_where_their_name_is() {
    let (cluster, job, mut client) = one(Version::V8_8, spec());
    let task = cluster.job(job).unwrap().element_instance;
    let body = json!({ "variables": { "b": "changed", "d": 4 } });
    let reply = client.call("PUT", &format!("/element-instances/{task}/variables"), &body);
    assert_eq!(reply.status, 204);
    let job = cluster.job(job).unwrap();
    assert_eq!(Value::from(job.local), json!({ "b": "changed" }));
    assert_eq!(Value::from(job.process_variables), json!({ "a": 1, "b": 2, "d": 4 }));
}

#[test]
fn variables_of_what_has_ended_are_404() {
    let (cluster, job, mut client) = one(Version::V8_8, spec());
    client.complete(job, json!({}));
    assert_eq!(client.mark(&cluster, job, json!({ "a": 1 })), 404);
    let body = json!({ "variables": {} });
    let reply = client.call("PUT", "/element-instances/1/variables", &body);
    assert_eq!((reply.status, reply.title()), (404, "NOT_FOUND"));
}

#[test]
fn a_failures_variables_stay_on_the_task() {
    let (cluster, job, mut client) = one(Version::V8_8, spec());
    client.take();
    client.fail(
        job,
        json!({ "retries": 1, "variables": { "error": "x", "a": "local" } }),
    );
    assert_eq!(cluster.job(job).unwrap().process_variables["a"], 1);
    assert_eq!(
        client.activate(json!({})).job()["variables"],
        json!({ "a": "local", "b": "mine", "error": "x" })
    );
}

#[test]
fn a_completion_variable_with_a_local_name_is_lost() {
    let (cluster, job, mut client) = one(Version::V8_8, spec());
    client.mark(&cluster, job, json!({ "result": null }));
    client.complete(
        job,
        json!({ "a": "changed", "b": "lost", "result": "lost", "new": true }),
    );
    let process = Value::from(cluster.job(job).unwrap().process_variables);
    assert_eq!(process, json!({ "a": "changed", "b": 2, "new": true }));
}

#[test]
fn with_output_mappings_only_what_is_mapped_goes_on() {
    let (cluster, job, mut client) = one(Version::V8_8, spec().output("b", "out").output("missing", "none"));
    client.complete(job, json!({ "b": "kept", "new": true }));
    let process = Value::from(cluster.job(job).unwrap().process_variables);
    assert_eq!(process, json!({ "a": 1, "b": 2, "out": "kept", "none": null }));
}

#[test]
fn jobs_of_one_instance_share_its_variables() {
    let (cluster, first, mut client) = one(Version::V8_8, spec());
    let instance = cluster.job(first).unwrap().instance;
    let second = cluster.create_job(JobSpec::new("t").in_instance(instance));
    client.complete(first, json!({ "new": true }));
    assert_eq!(
        seen(&mut client, &cluster, second, json!({})),
        json!({ "a": 1, "b": 2, "new": true })
    );
}
