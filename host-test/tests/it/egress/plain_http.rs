//! Plain http stays on this machine: what counts is the address that is connected to, whoever names it.

use std::net::SocketAddr;
use std::time::Duration;

use flow_starter_host::egress::{AddressKind, ConnectTo, EgressBuilder, Progress, Step, StepOutcome};
use flow_starter_host::{Egress, ErrorKind, FlowState, Policy};
use host_test::rig::connector;

use super::{Names, stand_in, to_endpoint};

const LOCALHOST: &str = "http://localhost:80";

/// All that a policy can open.
fn open_to_localhost() -> EgressBuilder {
    let policy = AddressKind::ALL
        .into_iter()
        .fold(Policy::new([LOCALHOST.parse().unwrap()]), Policy::open);
    Egress::builder().policy(policy)
}

fn mapped_to(address: &str) -> EgressBuilder {
    let address: SocketAddr = format!("{address}:80").parse().unwrap();
    open_to_localhost().connect_to(ConnectTo::new(&LOCALHOST.parse().unwrap(), address))
}

fn resolved_to(addresses: &[&str]) -> EgressBuilder {
    open_to_localhost().resolver(Names::answering("localhost", &[addresses]))
}

#[tokio::test]
async fn plain_http_goes_to_loopback_addresses_alone() {
    for egress in [
        mapped_to("8.8.8.8"),
        mapped_to("10.0.0.1"),
        mapped_to("[2001:4860:4860::8888]"),
        mapped_to("[::ffff:8.8.8.8]"),
        mapped_to("0.0.0.0"),
        resolved_to(&["8.8.8.8"]),
        resolved_to(&["127.0.0.1", "10.0.0.1"]),
        resolved_to(&["::ffff:8.8.8.8"]),
        resolved_to(&["64:ff9b::7f00:1"]),
        resolved_to(&["::"]),
    ] {
        let egress = egress.build().unwrap();
        let call = connector()
            .await
            .unwrap()
            .execute(&egress, &to_endpoint(LOCALHOST))
            .await;
        assert_eq!(call.requests[0].progress, Progress::Unsent, "{call:?}");
        let error = call.result.unwrap_err();
        assert_eq!(
            (error.kind, error.flow),
            (ErrorKind::Denied, FlowState::NotStarted),
            "{error}"
        );
        let probe = egress.probe(&LOCALHOST.parse().unwrap(), Duration::from_secs(5)).await;
        let failed = probe
            .steps
            .iter()
            .find(|step| matches!(step.outcome, StepOutcome::Failed(_)));
        assert_eq!(failed.unwrap().step, Step::Address, "{probe:?}");
        let said = format!("{:?}", probe.steps);
        assert!(
            said.contains("is not a loopback address, and plain http is allowed only to loopback"),
            "{said}"
        );
        assert!(!said.contains("stays on this machine"), "{said}");
    }
}

#[tokio::test]
async fn plain_http_reaches_every_loopback_address() {
    let stand_in = stand_in();
    let port = stand_in.http_addr().port();
    let endpoint = format!("http://localhost:{port}");
    let policy = Policy::new([endpoint.parse().unwrap()]);
    for egress in [
        Egress::builder().connect_to(ConnectTo::new(&endpoint.parse().unwrap(), stand_in.http_addr())),
        Egress::builder().resolver(Names::answering("localhost", &[&["127.0.0.1"]])),
        Egress::builder().resolver(Names::answering("localhost", &[&["::ffff:127.0.0.1"]])),
    ] {
        let egress = egress.policy(policy.clone()).build().unwrap();
        let call = connector()
            .await
            .unwrap()
            .execute(&egress, &to_endpoint(&endpoint))
            .await;
        assert!(call.result.is_ok(), "{call:?}");
    }
}
