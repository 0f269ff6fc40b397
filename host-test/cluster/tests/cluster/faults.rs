//! Faults: before a request is processed, or after; on the wire, or as an answer.

use std::io::{Read, Write};
use std::time::Duration;

use camunda_test_cluster::{Answer, Call, Cluster, Fault, JobKey, JobSpec, JobState, Times, Version};
use serde_json::json;

use crate::client::{Client, Ending, block, one, one_job, poll, start};

#[test]
fn an_answer_comes_in_place_of_the_clusters() {
    let (cluster, job, mut client) = one_job();
    let fault = cluster.fault(
        Call::Completion,
        Times::N(2),
        Fault::answer(Answer::resource_exhausted()),
    );
    let reply = client.call("POST", &format!("/jobs/{job}/completion"), &json!({}));
    assert_eq!((reply.status, reply.title()), (503, "RESOURCE_EXHAUSTED"));
    assert_eq!(reply.body["instance"], format!("/v2/jobs/{job}/completion"));
    assert_eq!(client.complete(job, json!({})), 503);
    assert_eq!(cluster.job(job).unwrap().state, JobState::Activatable);
    assert_eq!(client.complete(job, json!({})), 204);
    assert_eq!(fault.hits(), 2);
    let requests = cluster.requests_of(Call::Completion);
    let seen: Vec<_> = requests
        .iter()
        .map(|request| (request.answered, request.fault))
        .collect();
    assert_eq!(
        seen,
        [
            (Some(503), Some(fault.id())),
            (Some(503), Some(fault.id())),
            (Some(204), None)
        ]
    );
}

#[test]
fn an_answer_may_be_lost_after_the_request_was_processed() {
    for (fault, ending) in [(Fault::cut(), Ending::Closed), (Fault::reset(), Ending::Reset)] {
        let (cluster, job, mut client) = one_job();
        cluster.fault(Call::Completion, Times::Once, fault.after());
        client.send("POST", &format!("/jobs/{job}/completion"), &json!({}));
        assert_eq!(client.try_read(), Err((ending, Vec::new())));
        assert_eq!(cluster.job(job).unwrap().state, JobState::Completed);
        assert_eq!(cluster.requests()[0].answered, None);
    }
}

#[test]
fn a_cut_before_is_not_processed() {
    let (cluster, job, mut client) = one_job();
    cluster.fault(Call::Any, Times::Once, Fault::cut());
    client.send("POST", &format!("/jobs/{job}/completion"), &json!({}));
    assert_eq!(client.try_read(), Err((Ending::Closed, Vec::new())));
    assert_eq!(cluster.job(job).unwrap().state, JobState::Activatable);
}

/// A client whose activation got its job on the way, and half of its answer.
fn half_activation(fault: Fault) -> (Cluster, JobKey, Client) {
    let (cluster, job, mut client) = one_job();
    cluster.fault(Call::Activation, Times::Once, fault.after());
    client.send("POST", "/jobs/activation", &poll(-1, json!({})));
    (cluster, job, client)
}

#[test]
fn half_an_answer_may_end_in_a_close() {
    let (cluster, job, mut client) = half_activation(Fault::half_then_close());
    let (ended, bytes) = client.try_read().unwrap_err();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(ended, Ending::Closed);
    assert!(text.contains("\r\n\r\n{\"jobs\":[{") && !text.ends_with('}'), "{text}");
    // Handed out to nobody until its lock ends.
    assert!(matches!(cluster.job(job).unwrap().state, JobState::Active { .. }));
}

#[test]
fn half_an_answer_may_end_in_a_reset() {
    let (_cluster, _, mut client) = half_activation(Fault::half_then_reset());
    // A reset may overtake the bytes before it.
    assert_eq!(client.try_read().unwrap_err().0, Ending::Reset);
}

#[test]
fn half_an_answer_may_end_in_nothing() {
    let (_cluster, _, mut client) = half_activation(Fault::half_then_stall());
    let mut piece = [0; 4096];
    let count = client.stream.read(&mut piece).unwrap();
    assert!(piece[..count].starts_with(b"HTTP/1.1 200"));
    client.patience(Duration::from_millis(100));
    assert_eq!(client.try_read().unwrap_err().0, Ending::Silent);
}

#[test]
fn half_of_an_answer_without_a_body_is_half_a_head() {
    let (cluster, job, mut client) = one_job();
    cluster.fault(Call::Completion, Times::Once, Fault::half_then_close().after());
    client.send("POST", &format!("/jobs/{job}/completion"), &json!({}));
    let (ended, bytes) = client.try_read().unwrap_err();
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(ended, Ending::Closed);
    assert!(
        text.starts_with("HTTP/1.1 204") && !text.ends_with("\r\n\r\n"),
        "{text}"
    );
}

#[test]
fn bytes_can_come_in_place_of_http() {
    let (cluster, _, mut client) = one_job();
    cluster.fault(Call::Activation, Times::Once, Fault::bytes("SSH-2.0-OpenSSH_9.6\r\n"));
    client.send("POST", "/jobs/activation", &poll(-1, json!({})));
    let garbage = b"SSH-2.0-OpenSSH_9.6\r\n".to_vec();
    assert_eq!(client.try_read(), Err((Ending::Closed, garbage)));
}

#[test]
fn a_held_request_is_processed_when_it_is_released() {
    let (cluster, job, mut client) = one_job();
    let fault = cluster.fault(Call::Completion, Times::Once, Fault::hold());
    client.send("POST", &format!("/jobs/{job}/completion"), &json!({}));
    block(fault.wait_hits(1)).unwrap();
    client.expect_silence();
    assert_eq!(cluster.job(job).unwrap().state, JobState::Activatable);
    fault.release();
    assert_eq!(client.read().status, 204);
    assert_eq!(cluster.job(job).unwrap().state, JobState::Completed);
}

#[test]
fn a_held_answer_is_late_alone() {
    let (cluster, job, mut client) = one_job();
    let fault = cluster.fault(Call::Completion, Times::Once, Fault::hold().after());
    client.send("POST", &format!("/jobs/{job}/completion"), &json!({}));
    block(cluster.completed(job)).unwrap();
    client.expect_silence();
    fault.release();
    assert_eq!(client.read().status, 204);
}

#[test]
fn a_request_can_arrive_late() {
    for fault in [Fault::late(), Fault::late_and_cut()] {
        let (cluster, job, mut client) = one_job();
        client.take();
        let late = cluster.fault(Call::Failure, Times::Once, fault);
        client.send("POST", &format!("/jobs/{job}/failure"), &json!({ "retries": 2 }));
        block(late.wait_hits(1)).unwrap();
        drop(client);
        cluster.expire(job);
        Client::to(&cluster).take();
        assert_eq!(late.deliver(), [204]);
        assert_eq!(cluster.job(job).unwrap().state, JobState::Activatable);
        assert_eq!(cluster.job(job).unwrap().retries, 2);
        assert!(late.deliver().is_empty(), "a request arrives once");
    }
}

#[test]
fn a_request_can_be_repeated_later() {
    let (cluster, job, mut client) = one_job();
    let replay = cluster.fault(Call::Variables, Times::Once, Fault::replay());
    assert_eq!(client.mark(&cluster, job, json!({ "a": 1 })), 204);
    assert_eq!(client.mark(&cluster, job, json!({ "a": 2 })), 204);
    assert_eq!(replay.deliver(), [204]);
    assert_eq!(cluster.job(job).unwrap().local["a"], 1);
    client.complete(job, json!({}));
    assert_eq!(replay.deliver(), [404]);
}

#[test]
fn a_silent_connection_swallows_what_is_sent() {
    let (cluster, job, mut client) = one_job();
    let fault = cluster.fault(Call::Completion, Times::Once, Fault::silence());
    client.send("POST", &format!("/jobs/{job}/completion"), &json!({}));
    block(fault.wait_hits(1)).unwrap();
    client.expect_silence();
    client.send("POST", &format!("/jobs/{job}/completion"), &json!({}));
    client.stream.flush().unwrap();
    assert_eq!(Client::to(&cluster).complete(job, json!({})), 204);
    assert_eq!(cluster.count(Call::Completion), 2);
}

#[test]
fn a_fault_may_be_for_one_job_and_leave_the_first_alone() {
    let (cluster, first, mut client) = one_job();
    let second = cluster.create_job(JobSpec::new("t"));
    cluster.fault(
        Call::Patch,
        Times::Always,
        Fault::answer(Answer::html(502)).for_job(second).skip(1),
    );
    let retries = json!({ "retries": 5 });
    assert_eq!(client.patch(first, retries.clone()), 204);
    assert_eq!(client.patch(second, retries.clone()), 204);
    assert_eq!(client.patch(first, retries.clone()), 204);
    assert_eq!(client.patch(second, retries.clone()), 502);
    assert_eq!(client.patch(second, retries.clone()), 502);
    cluster.clear_faults();
    assert_eq!(client.patch(second, retries), 204);
}

#[test]
fn a_removed_fault_is_met_no_more() {
    let cluster = start(Version::V8_8);
    let mut client = Client::to(&cluster);
    let fault = cluster.fault(Call::Activation, Times::Always, Fault::answer(Answer::garbage()));
    assert_eq!(client.activate(json!({})).body, json!(null));
    fault.remove();
    assert_eq!(client.activate(json!({})).jobs(), 0);
}

#[test]
fn any_call_but_the_token_endpoints_is_any() {
    let cluster = start(Version::V8_8);
    let mut client = Client::to(&cluster);
    cluster.fault(Call::Any, Times::Always, Fault::answer(Answer::unauthorized()));
    assert_eq!(client.call("GET", "/topology", &json!(null)).status, 401);
    assert_eq!(client.call("GET", "/nothing", &json!(null)).status, 401);
    let mut token = Client::to(&cluster).prefix("");
    token.send_as(
        "POST",
        "/oauth/token",
        "application/x-www-form-urlencoded",
        "grant_type=client_credentials",
    );
    assert_eq!(token.read().status, 200);
}

#[test]
fn the_answers_are_what_they_say() {
    let problem = |answer: &Answer| {
        let kind = answer.headers.iter().find(|(name, _)| name == "content-type");
        kind.is_some_and(|(_, value)| value == "application/problem+json")
    };
    let text = |answer: &Answer| String::from_utf8(answer.body.clone()).unwrap();
    let rejected = Answer::rejected("EXCEEDED_BATCH_RECORD_SIZE");
    assert!(text(&rejected).contains("rejected with code 'EXCEEDED_BATCH_RECORD_SIZE'"));
    let exhausted = Answer::resource_exhausted_500();
    assert!(exhausted.status == 500 && text(&exhausted).contains("RESOURCE_EXHAUSTED"));
    for answer in [
        rejected,
        exhausted,
        Answer::unavailable(),
        Answer::gateway_timeout(),
        Answer::unauthorized(),
        Answer::forbidden(),
    ] {
        assert!(problem(&answer), "{answer:?}");
    }
    for answer in [
        Answer::html(404),
        Answer::redirect("http://localhost/login"),
        Answer::garbage(),
    ] {
        assert!(!problem(&answer), "{answer:?}");
    }
    let limited = Answer::too_many_requests(Some(7));
    assert!(limited.headers.contains(&("retry-after".to_owned(), "7".to_owned())));
}

#[test]
fn a_lost_activation_leaves_its_jobs_locked() {
    let (cluster, job, mut client) = one(Version::V8_10, JobSpec::new("t"));
    cluster.fault(Call::Activation, Times::Once, Fault::cut().after());
    client.send("POST", "/jobs/activation", &poll(-1, json!({})));
    client.try_read().unwrap_err();
    let mut client = Client::to(&cluster);
    assert_eq!(client.activate(json!({})).jobs(), 0);
    cluster.advance(Duration::from_secs(3600));
    assert_eq!(client.take(), job);
}
