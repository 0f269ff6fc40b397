//! Requests for jobs: every end of one is followed by the next, and an overloaded cluster is left in peace.

use std::time::{Duration, Instant};

use camunda_test_cluster::{Answer, Call, Fault, Options, Times, Version};
use serde_json::json;

use super::harness::{Rig, job, job_with};

/// Ends of a poll that give no jobs.
fn ends() -> Vec<Fault> {
    let answers = [
        Answer::html(200),
        Answer::html(302),
        Answer::html(400),
        Answer::html(404),
        Answer::html(429),
        Answer::html(500),
        Answer::html(502),
        Answer::html(503),
        Answer::html(504),
        Answer::new(204),
        Answer::new(500),
        Answer::garbage(),
        Answer::json(200, &json!({})),
        Answer::json(200, &json!({"jobs": null})),
        Answer::json(200, &json!({"jobs": [17]})),
        Answer::json(200, &json!([])),
        Answer::redirect("http://127.0.0.1:1/"),
        Answer::problem(400, "INVALID_ARGUMENT", "no"),
        Answer::problem(404, "NOT_FOUND", "no"),
        Answer::problem(409, "INVALID_STATE", "no"),
        Answer::problem(500, "INTERNAL", "Unexpected error"),
        Answer::unauthorized(),
        Answer::forbidden(),
        Answer::unavailable(),
        Answer::gateway_timeout(),
        Answer::too_many_requests(None),
        Answer::resource_exhausted(),
        Answer::resource_exhausted_500(),
    ];
    let answers = answers.into_iter().map(Fault::answer);
    let others = [
        Fault::cut(),
        Fault::reset(),
        Fault::half_then_close(),
        Fault::half_then_reset(),
        Fault::bytes("\0\u{1}\r\n\r\n"),
        Fault::bytes("HTTP/1.1 999999 Odd\r\n\r\n"),
    ];
    answers.chain(others).collect()
}

/// A third of the ends, each followed by a poll that ends well, so that pauses stay short.
fn job_after(third: usize) {
    let rig = Rig::new();
    let ends: Vec<_> = ends().into_iter().skip(third).step_by(3).collect();
    let count = ends.len();
    for (skip, end) in ends.into_iter().enumerate() {
        rig.cluster.fault(Call::Activation, Times::Once, end.skip(skip));
    }
    let program = rig.worker().args(&["--request-timeout", "100ms"]).start();
    rig.asked(Call::Activation, 2 * count);
    let key = rig.create(job());
    rig.completed(key);
    assert_eq!(rig.starts(), 1);
    assert_eq!(program.count("panicked"), 0);
}

#[test]
fn every_end_of_a_poll_is_followed_by_another_poll() {
    job_after(0);
}

#[test]
fn every_other_end_of_a_poll_is_followed_by_another_poll() {
    job_after(1);
}

#[test]
fn every_third_end_of_a_poll_is_followed_by_another_poll() {
    job_after(2);
}

#[test]
fn an_answer_later_than_asked_brings_its_job() {
    let rig = Rig::new();
    let key = rig.create(job());
    let held = rig.cluster.fault(Call::Activation, Times::Once, Fault::hold().after());
    let program = rig.worker().args(&["--request-timeout", "50ms"]).start();
    rig.asked(Call::Activation, 1);
    // This is how late the cluster is, and nothing waits for it to pass.
    std::thread::sleep(Duration::from_secs(2));
    held.release();
    rig.completed(key);
    assert_eq!((rig.starts(), rig.cluster.job(key).unwrap().times_activated), (1, 1));
    assert_eq!(program.count("cannot take jobs"), 0);
}

#[test]
fn an_overloaded_cluster_is_asked_ever_more_rarely() {
    for answer in [
        Answer::too_many_requests(None),
        Answer::resource_exhausted(),
        Answer::resource_exhausted_500(),
    ] {
        let rig = Rig::new();
        let status = answer.status;
        let key = rig.create(job());
        rig.cluster.fault(Call::Activation, Times::N(4), Fault::answer(answer));
        let program = rig.start();
        rig.completed(key);
        let at: Vec<Instant> = rig
            .cluster
            .requests_of(Call::Activation)
            .iter()
            .map(|request| request.at)
            .collect();
        // Half of 500 ms, doubled each time: jitter takes at most the other half away.
        for (place, expected) in [250, 500, 1000, 2000].into_iter().enumerate() {
            let gap = at[place + 1] - at[place];
            assert!(gap >= Duration::from_millis(expected), "{status}, {place}: {gap:?}");
        }
        assert!(program.count("cannot take jobs") >= 1, "{}", program.stderr());
    }
}

#[test]
fn a_retry_after_on_a_poll_is_kept() {
    let rig = Rig::new();
    let key = rig.create(job());
    rig.cluster.fault(
        Call::Activation,
        Times::Once,
        Fault::answer(Answer::too_many_requests(Some(2))),
    );
    let _program = rig.start();
    rig.completed(key);
    let at: Vec<Instant> = rig
        .cluster
        .requests_of(Call::Activation)
        .iter()
        .map(|request| request.at)
        .collect();
    assert!(at[1] - at[0] >= Duration::from_secs(2));
}

#[test]
fn an_empty_list_that_comes_at_once_is_no_hot_loop() {
    let rig = Rig::new();
    rig.cluster
        .fault(Call::Activation, Times::Always, Fault::answer(Answer::no_jobs()));
    let _program = rig.start();
    rig.asked(Call::Activation, 5);
    let at: Vec<Instant> = rig
        .cluster
        .requests_of(Call::Activation)
        .iter()
        .map(|request| request.at)
        .collect();
    for pair in at.windows(2).take(4) {
        assert!(
            pair[1] - pair[0] >= Duration::from_millis(99),
            "{:?}",
            pair[1] - pair[0]
        );
    }
}

#[test]
fn slow_calls_to_one_instance_do_not_stop_another() {
    use servicenow_stand_in::{Behaviour, Fault, Instance};
    let mut instance = Instance::demo();
    instance.hosts.push("quick".to_owned());
    let rig = Rig::of(Options::new(Version::V8_8), instance);
    rig.flow_always(Behaviour::Fault(Fault::Silence));
    let slow: Vec<_> = (0..16).map(|_| rig.create(job())).collect();
    let _program = rig.start();
    rig.started(16);
    let public = "/api/sn_cico/flow_starter/public_flow";
    let quick = rig.create(job_with(json!({"snInstance": "quick", "restApiTriggerPath": public})));
    rig.completed(quick);
    for key in slow {
        assert_eq!(rig.cluster.job(key).unwrap().state.name(), "active");
    }
}

#[test]
fn a_job_without_a_permit_is_given_back_with_its_retries() {
    use servicenow_stand_in::{Behaviour, Fault};
    for (retries, expected) in [(3, 3), (0, 1)] {
        let rig = Rig::new();
        rig.flow_once(Behaviour::Fault(Fault::Silence));
        rig.create(job());
        let _program = rig.worker().args(&["--max-jobs-per-instance", "1"]).start();
        rig.started(1);
        let key = rig.create(job().retries(retries));
        let failure = rig.failure(key, 1);
        assert_eq!(failure.retries, expected);
        assert!((1..=10).contains(&failure.back_off.as_secs()), "{:?}", failure.back_off);
        assert_eq!(failure.variables["flowStarterOutcome"]["state"], "not-started");
        assert_eq!(rig.starts(), 1);
    }
}

#[test]
fn a_give_back_is_sent_once_whatever_is_answered() {
    use servicenow_stand_in::{Behaviour, Fault as Slow};
    let rig = Rig::new();
    rig.flow_once(Behaviour::Fault(Slow::Silence));
    rig.create(job());
    let program = rig.worker().args(&["--max-jobs-per-instance", "1"]).start();
    rig.started(1);
    rig.cluster.fault(Call::Failure, Times::Once, Fault::reset());
    let key = rig.create(job());
    let text = key.to_string();
    let over = program.log(|line| line["jobKey"] == text.as_str() && line["message"] == "the job's hand-out is over");
    assert_eq!(
        (&over["outcome"], rig.cluster.count(Call::Failure)),
        (&json!("unanswered"), 1)
    );
}

#[test]
fn the_worker_takes_no_more_jobs_than_it_can_run() {
    use servicenow_stand_in::{Behaviour, Fault};
    let rig = Rig::new();
    rig.flow_always(Behaviour::Fault(Fault::Silence));
    for _ in 0..5 {
        rig.create(job());
    }
    let program = rig.worker().args(&["--max-jobs", "2"]).start();
    rig.started(2);
    assert_eq!(program.metric("flow_starter_jobs_in_flight "), 2.0);
    let taken: usize = rig.cluster.jobs().iter().map(|job| job.times_activated).sum();
    assert_eq!(taken, 2);
    assert_eq!(
        rig.cluster.requests_of(Call::Activation)[0].json["maxJobsToActivate"],
        2
    );
}

/// It takes as long as a request to the cluster may: a long poll and 10 s.
#[test]
fn a_connection_that_swallows_a_poll_is_given_up() {
    let rig = Rig::new();
    rig.cluster.fault(Call::Activation, Times::Once, Fault::silence());
    let key = rig.create(job());
    let _program = rig.worker().args(&["--request-timeout", "100ms"]).start();
    rig.completed(key);
    let polls = rig.cluster.requests_of(Call::Activation);
    assert_ne!(polls[0].connection, polls[1].connection);
    assert_eq!(rig.starts(), 1);
}
