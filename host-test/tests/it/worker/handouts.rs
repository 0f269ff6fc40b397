//! Workers that die, jobs that are handed out twice, activations that arrive in part: one start.

use std::time::Duration;

use camunda_test_cluster::{Call, Fault, JobState, Options, Times, Version};
use serde_json::json;
use servicenow_stand_in::Behaviour;

use super::harness::{Rig, job, state};

#[test]
fn a_worker_killed_during_a_call_leaves_an_incident_that_says_unknown() {
    for version in [Version::V8_8, Version::V8_10] {
        let rig = Rig::with(Options::new(version));
        rig.flow_once(Behaviour::Fault(servicenow_stand_in::Fault::Silence));
        let key = rig.create(job().header("onUnknown", "incident"));
        let first = rig.start();
        rig.started(1);
        rig.killed(first);
        let attempt = rig.cluster.job(key).unwrap().local["flowStarterAttempt"]["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let _second = rig.start();
        let incident = rig.incident(key);
        assert_eq!(
            (incident.state(), &incident.error()["code"]),
            ("reported", &json!("FLOW_UNKNOWN"))
        );
        assert!(
            incident.message.contains("unknown") && incident.message.contains(&attempt),
            "{}",
            incident.message
        );
        assert_eq!((rig.starts(), rig.stand_in().requests().len()), (1, 1));
        rig.resolve(key);
        rig.completed(key);
        assert_eq!(rig.starts(), 2);
    }
}

#[test]
fn a_worker_killed_before_its_report_leaves_one_start() {
    let rig = Rig::new();
    let key = rig.create(job());
    rig.cluster.fault(Call::Completion, Times::Once, Fault::hold());
    let first = rig.start();
    rig.asked(Call::Completion, 1);
    rig.killed(first);
    let _second = rig.start();
    assert_eq!(rig.incident(key).error()["code"], "FLOW_UNKNOWN");
    assert_eq!(rig.starts(), 1);
}

#[test]
fn a_worker_killed_after_its_mark_leaves_no_second_start() {
    let rig = Rig::new();
    let key = rig.create(job());
    rig.cluster.fault(Call::Variables, Times::Once, Fault::hold().after());
    let first = rig.start();
    rig.until(key, |job| job.local.contains_key("flowStarterAttempt"));
    rig.killed(first);
    let _second = rig.start();
    assert_eq!(rig.incident(key).error()["code"], "FLOW_UNKNOWN");
    assert_eq!(rig.starts(), 0);
}

#[test]
fn a_found_attempt_is_tried_again_where_the_author_says_retry() {
    let rig = Rig::new();
    rig.flow_once(Behaviour::Fault(servicenow_stand_in::Fault::Silence));
    let key = rig.create(job().header("onUnknown", "retry").retries(2));
    let first = rig.start();
    rig.started(1);
    rig.killed(first);
    let _second = rig.start();
    rig.completed(key);
    let failure = rig.failure(key, 1);
    assert_eq!(
        (failure.retries, rig.starts()),
        (1, 2),
        "the failure comes before the second start"
    );
}

#[test]
fn two_workers_start_each_flow_once() {
    let rig = Rig::new();
    let jobs: Vec<_> = (0..40).map(|_| rig.create(job())).collect();
    let _workers = [rig.start(), rig.worker().env("CAMUNDA_WORKER_NAME", "other").start()];
    for key in jobs {
        rig.completed(key);
    }
    assert_eq!(rig.starts(), 40);
}

#[test]
fn a_job_that_is_handed_out_twice_is_started_once() {
    let rig = Rig::new();
    let key = rig.create(job());
    let held = rig.cluster.fault(Call::Completion, Times::Once, Fault::hold());
    let _worker = rig.start();
    rig.asked(Call::Completion, 1);
    rig.cluster.hand_out_twice(key).unwrap();
    // The second holder finds the first one's attempt.
    let incident = rig.incident(key);
    assert_eq!(incident.error()["code"], "FLOW_UNKNOWN");
    held.release();
    rig.until(key, |job| state(job) == "answered");
    rig.resolve(key);
    assert_eq!(
        rig.completed(key)["result"]["executionId"],
        json!(rig.stand_in().starts()[0].id)
    );
    assert_eq!(rig.starts(), 1);
}

#[test]
fn a_late_completion_wins_over_the_next_holder() {
    let rig = Rig::new();
    let key = rig.create(job());
    let late = rig.cluster.fault(Call::Completion, Times::Once, Fault::late_and_cut());
    let worker = rig.start();
    rig.asked(Call::Completion, 1);
    worker.kill();
    assert_eq!(late.deliver(), [204]);
    assert_eq!(rig.cluster.job(key).unwrap().state, JobState::Completed);
    assert_eq!(rig.starts(), 1);
}

#[test]
fn half_an_activation_starts_nothing() {
    for fault in [Fault::half_then_close(), Fault::half_then_reset(), Fault::cut()] {
        let rig = Rig::new();
        let jobs = [rig.create(job()), rig.create(job())];
        rig.cluster.fault(Call::Activation, Times::Once, fault.after());
        let _worker = rig.start();
        rig.asked(Call::Activation, 2);
        assert_eq!((rig.starts(), rig.cluster.count(Call::Variables)), (0, 0));
        assert_eq!(rig.cluster.job(jobs[0]).unwrap().times_activated, 1);
        rig.cluster.advance(Duration::from_secs(3600));
        for key in jobs {
            rig.completed(key);
        }
        assert_eq!(rig.starts(), 2);
    }
}

#[test]
fn an_unanswered_mark_is_repeated_with_another_name() {
    let rig = Rig::new();
    let key = rig.create(job());
    rig.cluster.fault(Call::Variables, Times::N(2), Fault::reset().after());
    let _worker = rig.start();
    rig.completed(key);
    let marks = rig.cluster.requests_of(Call::Variables);
    let mut ids: Vec<_> = marks
        .iter()
        .map(|mark| mark.json["variables"]["flowStarterAttempt"]["id"].to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!((marks.len(), ids.len(), rig.starts()), (3, 3, 1));
}

#[test]
fn a_refused_mark_leaves_the_job_alone() {
    use camunda_test_cluster::Answer;
    for answer in [
        Answer::forbidden(),
        Answer::problem(404, "NOT_FOUND", "no such element instance"),
    ] {
        let rig = Rig::new();
        let key = rig.create(job());
        rig.cluster.fault(Call::Variables, Times::Once, Fault::answer(answer));
        let worker = rig.start();
        assert_eq!(worker.says("the job's hand-out is over")["outcome"], "refused");
        assert!(rig.place.was_left_alone());
        assert!(matches!(rig.cluster.job(key).unwrap().state, JobState::Active { .. }));
        rig.cluster.advance(Duration::from_secs(3600));
        rig.completed(key);
        assert_eq!(rig.starts(), 1);
    }
}

#[test]
fn clocks_that_disagree_change_nothing() {
    for skew in [600_000, -600_000] {
        let rig = Rig::with(Options::new(Version::V8_8).clock_skew_ms(skew));
        let key = rig.create(job());
        rig.once();
        rig.completed(key);
        assert_eq!(rig.starts(), 1);
        let marks = rig.cluster.count(Call::Variables);
        assert_eq!((marks, rig.cluster.count(Call::Failure)), (1, 0));
    }
}

#[test]
fn a_job_that_a_dead_workers_poll_took_is_started_once() {
    let rig = Rig::with(Options::new(Version::V8_8).dead_polls_take_jobs());
    let first = rig.start();
    rig.asked(Call::Activation, 1);
    first.kill();
    let key = rig.create(job());
    rig.until(key, |job| job.times_activated == 1);
    rig.cluster.drop_connections();
    let _second = rig.start();
    rig.cluster.advance(Duration::from_secs(3600));
    rig.completed(key);
    assert_eq!(rig.starts(), 1);
}
