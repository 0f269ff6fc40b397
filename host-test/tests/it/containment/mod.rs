//! A component that keeps the contract's form and nothing else, under the host: whatever it does, its call ends with the name of the limit
//! and the flow state that the host's own record shows, and the host goes on serving others.

mod compiled;
mod composed;
mod given;
mod mutated;
mod sandbox;
mod tokens;

use std::time::{Duration, Instant};

use flow_starter_host::egress::Progress;
use flow_starter_host::input::Method;
use flow_starter_host::{Egress, ErrorKind, FlowConfig, FlowState, Limits, Policy};
use host_test::spellings::HOSTS;
use servicenow_stand_in::{Behaviour, DEMO_FLOW, Fault, Step};

use sandbox::{PUBLIC_FLOW, Sandbox, error, limits, patient};

#[tokio::test]
async fn each_limit_is_named_and_ends_the_call() {
    let (short, patient) = (Sandbox::open(limits()).await, Sandbox::open(patient(8)).await);
    for (attack, why) in [
        ("/loops", "exceeded the CPU limit of 0.5 s"),
        ("/allocates", "exceeded the memory limit of 64 MiB"),
        ("/hoards", "exceeded the limit of 256 host resources at a time"),
        ("/recurses", "exceeded the stack limit of 512 KiB"),
        ("/traps", "unreachable"),
        ("/fills-bodies", "exceeded the limit of 256 host resources at a time"),
        ("/polls-a-crowd", "handle limit exceeded"),
        ("/polls-nothing", "empty poll list"),
        ("/returns-a-lot", "too much data is being copied"),
        ("/repeats-itself", "too much data is being copied"),
    ] {
        let sandbox = if attack == "/loops" { &short } else { &patient };
        let error = error(sandbox.run(attack).await);
        assert_eq!(
            (error.kind, error.flow),
            (ErrorKind::Internal, FlowState::NotStarted),
            "{attack}: {error}"
        );
        assert!(error.message.contains(why), "{attack}: {error}");
        sandbox.assert_others_are_served().await;
    }
}

/// Waiting does not count as computing, so that the wall clock ends it.
#[tokio::test]
async fn an_endless_wait_is_ended_by_the_wall_clock() {
    let sandbox = Sandbox::open(Limits {
        wall_clock: Duration::from_secs(1),
        ..limits()
    })
    .await;
    for attack in ["/waits-for-ever", "/polls-for-ever"] {
        let error = error(sandbox.run(attack).await);
        assert_eq!(
            (error.kind, error.flow, error.retryable),
            (ErrorKind::Internal, FlowState::NotStarted, true),
            "{attack}: {error}"
        );
        assert!(
            error.message.contains("longer than the connector host allows (1 s)"),
            "{attack}: {error}"
        );
        sandbox.assert_others_are_served().await;
    }
}

/// Each byte wakes the component, which then computes for microseconds.
#[tokio::test]
async fn waiting_for_a_slow_answer_does_not_count_as_computing() {
    let sandbox = Sandbox::open(Limits {
        wall_clock: Duration::from_secs(60),
        ..limits()
    })
    .await;
    let slow = Step::Drip {
        bytes: format!("{{\"result\":{{\"executionId\":\"{}\"}}}}", "x".repeat(70)).into_bytes(),
        every: Duration::from_millis(15),
    };
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
    sandbox.stand_in.behave(
        DEMO_FLOW,
        Behaviour::script([Step::Bytes(head.to_vec()), slow, Step::Close]),
    );
    let outcome = sandbox
        .honest
        .execute(&sandbox.egress, host_test::conformance::BASE)
        .await;
    assert!(outcome.result.is_ok(), "{outcome:?}");
}

/// All on one thread, and nobody's end is waited for: the honest calls are through while every hostile one still goes on.
#[tokio::test]
async fn honest_calls_succeed_while_hostile_ones_run() {
    let sandbox = Sandbox::open(Limits {
        cpu_time: Duration::from_secs(120),
        wall_clock: Duration::from_secs(600),
        ..limits()
    })
    .await;
    let hostile = [
        "/loops",
        "/loops",
        "/waits-for-ever",
        "/polls-for-ever",
        "/wakes-for-ever",
    ]
    .map(|attack| Box::pin(sandbox.run(attack)));
    let quick = async {
        loop {
            for attack in ["/allocates", "/traps", "/recurses", "/hoards"] {
                assert!(sandbox.run(attack).await.result.is_err(), "{attack}");
            }
        }
    };
    let honest = async {
        for _ in 0..10 {
            sandbox.assert_others_are_served().await;
        }
    };
    tokio::select! {
        () = honest => {}
        () = quick => {}
        (outcome, index, _) = futures_util::future::select_all(hostile) => panic!("{index} ended first: {outcome:?}"),
    }
    assert_eq!(sandbox.stand_in.starts().len(), 10);
}

/// A guest that computes without end gives way to the others on the same thread.
#[tokio::test]
async fn a_loop_does_not_hold_up_others() {
    let sandbox = Sandbox::open(Limits {
        cpu_time: Duration::from_secs(3),
        ..limits()
    })
    .await;
    let attack = sandbox.run("/loops");
    let others = async {
        for _ in 0..5 {
            sandbox.assert_others_are_served().await;
        }
        Instant::now()
    };
    let (ended, served) = tokio::join!(async { (attack.await, Instant::now()) }, others);
    assert!(served < ended.1, "the others were served while it went on");
    assert!(ended.0.result.is_err());
}

#[tokio::test]
async fn one_call_makes_one_request_however_many_it_asks_for() {
    let sandbox = Sandbox::open(patient(8)).await;
    let outcome = sandbox.run("/opens-many").await;
    assert_eq!(error(outcome).message, "1 answered");
    assert_eq!(sandbox.stand_in.requests().len(), 1);
}

/// The host keeps a record of each, and its URL may be long.
#[tokio::test]
async fn requests_without_end_are_ended_and_few_are_recorded() {
    let sandbox = Sandbox::open(patient(8)).await;
    let outcome = sandbox.run("/starts-for-ever").await;
    assert_eq!(outcome.requests.len(), 128);
    let error = error(outcome);
    assert!(error.message.contains("exceeded the limit of 128 requests"), "{error}");
    sandbox.assert_others_are_served().await;
}

/// Of what a request is made of, the method alone has no length in the host's HTTP.
#[tokio::test]
async fn a_method_without_end_is_not_kept() {
    let sandbox = Sandbox::open(patient(8)).await;
    assert_eq!(error(sandbox.run("/names-a-method").await).message, "0 kept");
}

#[tokio::test]
async fn only_hosts_in_the_input_are_called() {
    let sandbox = Sandbox::open(patient(8)).await;
    let outcome = sandbox.run("/calls-elsewhere").await;
    assert_eq!(
        outcome.requests[0].to_string(),
        "POST https://elsewhere.example.com/api/sn_cico/flow_starter/public_flow denied"
    );
    assert_eq!(error(outcome).flow, FlowState::NotStarted, "the host's record is proof");
    assert_eq!(sandbox.stand_in.connections(), 0);
}

/// A guest that checks nothing: here the host's own reading of an address is all there is.
#[tokio::test]
async fn no_spelling_bypasses_the_policy() {
    let sandbox = Sandbox::open(patient(8)).await;
    let egress = Egress::builder()
        .extra_ca_pem(sandbox.stand_in.ca_pem())
        .build()
        .unwrap();
    let port = sandbox.stand_in.https_addr().port().to_string();
    let mut tried = 0;
    for host in HOSTS {
        for scheme in ["https", "http"] {
            let attack = format!("/calls {scheme}://{}", host.replace("PORT", &port));
            let config = FlowConfig::new(Method::Post, "acme", attack.as_str());
            let outcome = sandbox.hostile.trigger_flow(&egress, config).await;
            assert!(
                outcome
                    .requests
                    .iter()
                    .all(|request| request.progress == Progress::Denied),
                "{attack}: {outcome:?}"
            );
            tried += outcome.requests.len();
            let error = error(outcome);
            assert!(error.message.starts_with("not called"), "{attack}: {error}");
        }
    }
    assert_eq!(sandbox.stand_in.connections(), 0);
    assert!(tried > 40, "only {tried} of them came as far as the gate");
}

/// The guest's own limits, for a component that leaves them to the host.
#[tokio::test]
async fn a_guests_time_limits_are_kept_by_the_host() {
    let sandbox = Sandbox::open(patient(8)).await;
    sandbox.stand_in.behave(PUBLIC_FLOW, Behaviour::Fault(Fault::Silence));
    let late = error(sandbox.run("/first-byte").await);
    assert_eq!(
        (late.message.as_str(), late.flow),
        ("ErrorCode::ConnectionReadTimeout", FlowState::Unknown)
    );
    sandbox
        .stand_in
        .behave(PUBLIC_FLOW, Behaviour::Fault(Fault::StallWithinBody));
    let stalled = error(sandbox.run("/between-bytes").await);
    assert_eq!(
        (stalled.message.as_str(), stalled.flow),
        ("the body broke off", FlowState::Started)
    );
}

#[tokio::test]
async fn a_body_without_end_ends_with_the_call() {
    let sandbox = Sandbox::open(limits()).await;
    sandbox.stand_in.behave(PUBLIC_FLOW, Behaviour::Fault(Fault::Deaf));
    let error = error(sandbox.run("/writes-for-ever").await);
    assert_eq!(
        (error.kind, error.flow),
        (ErrorKind::Internal, FlowState::Unknown),
        "{error}"
    );
    sandbox.stand_in.behave_well();
    sandbox.assert_others_are_served().await;
}

#[tokio::test]
async fn an_unread_response_does_no_harm() {
    let sandbox = Sandbox::open(patient(8)).await;
    for _ in 0..3 {
        assert!(
            sandbox.run("/never-reads").await.result.is_ok(),
            "it was answered with 200"
        );
    }
    sandbox.assert_others_are_served().await;
}

/// Whether the request was let go before it left or after, the guest's word is checked against what the host handed over.
#[tokio::test]
async fn leaving_before_the_response_does_not_prove_unsent() {
    let sandbox = Sandbox::open(patient(8)).await;
    for turn in 1..=20 {
        let before = sandbox.stand_in.starts().len();
        let outcome = sandbox.run("/leaves-at-once").await;
        let sent = outcome
            .requests
            .iter()
            .any(|request| request.progress == Progress::Sent);
        let state = if sent {
            FlowState::Unknown
        } else {
            FlowState::NotStarted
        };
        assert_eq!(error(outcome).flow, state, "{turn}");
        sandbox.assert_others_are_served().await;
        let started = sandbox.stand_in.starts().len() - before;
        assert!(
            started == 1 || sent,
            "{turn}: it said not-started, and {started} started"
        );
    }
}

#[tokio::test]
async fn a_false_result_is_detected() {
    let sandbox = Sandbox::open(patient(8)).await;
    for (attack, flow) in [
        ("/says-started", FlowState::NotStarted),
        ("/says-success", FlowState::NotStarted),
    ] {
        let error = error(sandbox.run(attack).await);
        assert_eq!(
            (error.kind, error.flow, error.retryable),
            (ErrorKind::Internal, flow, false),
            "{attack}: {error}"
        );
        assert!(error.message.contains("contradicts"), "{error}");
        assert!(!error.message.contains("believe me"), "{error}");
    }
    sandbox.stand_in.behave(PUBLIC_FLOW, Behaviour::Fault(Fault::Close));
    let error = error(sandbox.run("/says-not-started").await);
    assert_eq!(
        (error.kind, error.flow),
        (ErrorKind::Internal, FlowState::Unknown),
        "{error}"
    );
    assert_eq!(sandbox.stand_in.starts().len(), 1, "and so it was");
}

/// Whatever a call leaves in its memory, the next one in the same place finds none of it.
#[tokio::test]
async fn a_call_sees_nothing_of_another() {
    let sandbox = Sandbox::open(Limits {
        concurrent_calls: 1,
        cpu_time: Duration::from_secs(30),
        wall_clock: Duration::from_secs(60),
        ..limits()
    })
    .await;
    for _ in 0..3 {
        let message = error(sandbox.run("/leaves-marks").await).message;
        assert_eq!(message, "0 before, 0 marks found, 16777216 left");
    }
}

/// More calls than places: they wait their turn, and none is lost.
#[tokio::test]
async fn calls_beyond_the_permits_wait() {
    let sandbox = Sandbox::open(Limits {
        concurrent_calls: 2,
        wall_clock: Duration::from_secs(60),
        ..limits()
    })
    .await;
    let calls = (0..20).map(|_| sandbox.honest.execute(&sandbox.egress, host_test::conformance::BASE));
    for outcome in futures_util::future::join_all(calls).await {
        assert!(outcome.result.is_ok(), "{outcome:?}");
    }
    assert_eq!(sandbox.stand_in.starts().len(), 20);
}

/// ServiceNow's 10 MB pass by the default limits, and what cannot fit is refused by name before it is tried.
#[tokio::test]
async fn a_large_input_passes_and_a_larger_one_is_refused_by_name() {
    let sandbox = Sandbox::open(Limits {
        concurrent_calls: 2,
        cpu_time: Duration::from_secs(60),
        wall_clock: Duration::from_secs(120),
        ..Limits::default()
    })
    .await;
    let input = |bytes: usize| {
        let mut input: serde_json::Value = serde_json::from_str(host_test::conformance::BASE).unwrap();
        input["body"] = serde_json::json!({ "correlationValue": "x".repeat(bytes) });
        input.to_string()
    };
    sandbox.stand_in.behave(PUBLIC_FLOW, Behaviour::Normal);
    let outcome = sandbox.honest.execute(&sandbox.egress, &input(10_000_000)).await;
    assert!(outcome.result.is_ok(), "{outcome:?}");
    let outcome = sandbox.honest.execute(&sandbox.egress, &input(20_000_000)).await;
    let error = outcome.result.unwrap_err();
    assert_eq!(
        (error.kind, error.flow),
        (ErrorKind::InvalidInput, FlowState::NotStarted)
    );
    assert!(error.message.contains("memory limit allows 16777216"), "{error}");
    assert_eq!(sandbox.stand_in.requests().len(), 1);
}

/// The limit of the input's own is raised; the memory's default is enough.
#[tokio::test]
async fn an_answer_of_4_mib_passes_by_the_default_limits() {
    let sandbox = Sandbox::open(Limits {
        concurrent_calls: 2,
        cpu_time: Duration::from_secs(60),
        ..Limits::default()
    })
    .await;
    let value = "x".repeat(4 << 20);
    let answer = serde_json::json!({ "result": { "executionId": "e", "outputs": value } });
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let answer = answer.to_string();
    let bytes = format!("{head}Content-Length: {}\r\n\r\n{answer}", answer.len()).into_bytes();
    sandbox
        .stand_in
        .behave(DEMO_FLOW, Behaviour::script([Step::Bytes(bytes), Step::Close]));
    let mut input: serde_json::Value = serde_json::from_str(host_test::conformance::BASE).unwrap();
    let outcome = sandbox.honest.execute(&sandbox.egress, &input.to_string()).await;
    assert_eq!(outcome.result.unwrap_err().kind, ErrorKind::ResponseTooLarge);
    input["maxResponseBytes"] = (5 << 20).into();
    let outcome = sandbox.honest.execute(&sandbox.egress, &input.to_string()).await;
    let output: serde_json::Value = serde_json::from_str(&outcome.result.unwrap()).unwrap();
    assert_eq!(output["body"]["result"]["outputs"], value);
}

#[tokio::test]
async fn a_policy_that_denies_all_lets_nothing_out() {
    let sandbox = Sandbox::open(patient(8)).await;
    let egress = Egress::builder().policy(Policy::deny_all()).build().unwrap();
    let attack = FlowConfig::new(Method::Post, "acme", "/opens-many");
    let outcome = sandbox.hostile.trigger_flow(&egress, attack).await;
    assert!(
        outcome
            .requests
            .iter()
            .all(|request| request.to_string().ends_with("denied"))
    );
    assert_eq!(error(outcome).flow, FlowState::NotStarted);
}
