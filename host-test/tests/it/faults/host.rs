//! What the host itself refuses or ends.

use std::time::Duration;

use flow_starter_host::egress::Progress;
use flow_starter_host::{Engine, ErrorKind, FlowState, Limits, Policy};
use host_test::rig::component_file;
use serde_json::json;
use servicenow_stand_in::{Behaviour, DEMO_FLOW, Fault};

use super::{Names, at, failure, honest, in_time, input, rig, stand_in, to_acme};

#[test]
fn a_request_that_the_host_denies_is_denied_and_nothing_leaves() {
    let stand_in = stand_in();
    let names = Names::knowing("acme.service-now.com", &["127.0.0.1"]);
    let egress = to_acme(&stand_in)
        .policy(Policy::new(["other.service-now.com".parse().unwrap()]))
        .resolver(names.clone());
    let rig = rig(stand_in, egress);
    let outcome = in_time(|| rig.execute(&input(json!({}))));
    assert_eq!(outcome.requests[0].progress, Progress::Denied);
    let error = failure(outcome);
    assert_eq!(
        (error.kind, error.flow, error.retryable),
        (ErrorKind::Denied, FlowState::NotStarted, false)
    );
    assert!(names.asked().is_empty(), "the name alone is enough");
    assert_eq!(rig.stand_in.connections(), 0);
}

/// The component's own limits are off, and the server never ends: the host's clock does. What left decides what is said.
#[test]
fn a_call_that_the_host_ends_is_internal() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let limits = Limits {
        wall_clock: Duration::from_secs(2),
        concurrent_calls: 1,
        ..Limits::default()
    };
    let wasm = std::fs::read(component_file()).unwrap();
    let engine = Engine::new(limits).unwrap();
    let connector = runtime.block_on(engine.load(&wasm)).unwrap();
    for (fault, flow) in [
        (Fault::Silence, FlowState::Unknown),
        (Fault::StallAfterHead, FlowState::Started),
        (Fault::StallWithinBody, FlowState::Started),
    ] {
        let stand_in = stand_in();
        stand_in.behave(DEMO_FLOW, Behaviour::Fault(fault));
        let egress = to_acme(&stand_in)
            .connect_to(at(stand_in.https_addr()))
            .build()
            .unwrap();
        let unlimited = input(json!({ "connectionTimeoutInSeconds": 0, "readTimeoutInSeconds": 0 }));
        let outcome = in_time(|| runtime.block_on(connector.execute(&egress, &unlimited)));
        honest(&outcome, &stand_in).unwrap();
        let error = failure(outcome);
        assert_eq!(
            (error.kind, error.flow, error.retryable),
            (ErrorKind::Internal, flow, false),
            "{fault:?}: {error}"
        );
        assert!(
            error.message.contains("longer than the connector host allows (2 s)"),
            "{error}"
        );
    }
}
