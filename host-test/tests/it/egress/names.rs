//! Names and the addresses that they lead to.

use std::time::Duration;

use flow_starter_host::egress::{AddressKind, Progress};
use flow_starter_host::{ErrorKind, FlowState, Policy};

use super::{Names, acme_at_port, by_name, rig, stand_in, to_endpoint};

const ACME: &str = "acme.service-now.com";

#[test]
fn an_address_that_is_not_public_is_denied_whatever_name_leads_to_it() {
    for address in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.1.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:db8::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "ff02::1",
        "fc00::5efe:808:808",
        "fd00::5efe:808:808",
        "fe80::200:5efe:808:808",
        "fec0::5efe:808:808",
        "ff02::5efe:808:808",
        "2001:db8::5efe:808:808",
        "2001::5efe:808:808",
        "64:ff9b:1::5efe:808:808",
        "100::200:5efe:808:808",
        "5f00::5efe:808:808",
        "4000::200:5efe:808:808",
        "2606:4700::5efe:127.0.0.1",
    ] {
        let stand_in = stand_in();
        let names = Names::answering(ACME, &[&[address]]);
        let endpoint = acme_at_port(&stand_in);
        let egress = by_name(&stand_in, names).policy(Policy::new([endpoint.parse().unwrap()]));
        let rig = rig(stand_in, egress);
        let outcome = rig.execute(&to_endpoint(&endpoint));
        assert_eq!(outcome.requests[0].progress, Progress::Unsent);
        let error = outcome.result.unwrap_err();
        assert_eq!(
            (error.kind, error.flow, error.retryable),
            (ErrorKind::Denied, FlowState::NotStarted, false),
            "{address}: {error}"
        );
        assert!(error.message.contains("It stopped at the address: "), "{error}");
        assert_eq!(rig.stand_in.connections(), 0);
    }
}

#[test]
fn one_denied_address_among_several_denies_the_call() {
    for answer in [&["127.0.0.1", "10.0.0.1"][..], &["10.0.0.1", "127.0.0.1"]] {
        let stand_in = stand_in();
        let endpoint = acme_at_port(&stand_in);
        let egress = by_name(&stand_in, Names::answering(ACME, &[answer]));
        let rig = rig(stand_in, egress);
        let error = rig.execute(&to_endpoint(&endpoint)).result.unwrap_err();
        assert_eq!((error.kind, error.flow), (ErrorKind::Denied, FlowState::NotStarted));
        assert!(error.message.contains("10.0.0.1 is private"), "{error}");
        assert_eq!(rig.stand_in.connections(), 0);
    }
}

/// The connection goes to the address that was checked: a name that changes its mind (DNS rebinding) is asked once for each connection.
#[test]
fn a_name_that_changes_its_mind_gains_nothing() {
    let stand_in = stand_in();
    let endpoint = acme_at_port(&stand_in);
    let names = Names::answering(ACME, &[&["127.0.0.1"], &["10.0.0.1"], &["169.254.169.254"]]);
    let egress = by_name(&stand_in, names.clone()).idle_timeout(Duration::ZERO);
    let rig = rig(stand_in, egress);
    assert!(rig.execute(&to_endpoint(&endpoint)).result.is_ok());
    assert_eq!(names.asked().len(), 1, "one look-up for one connection");
    for _ in 0..2 {
        let error = rig.execute(&to_endpoint(&endpoint)).result.unwrap_err();
        assert_eq!((error.kind, error.flow), (ErrorKind::Denied, FlowState::NotStarted));
    }
    assert_eq!(rig.stand_in.connections(), 1);
    assert_eq!(rig.stand_in.starts().len(), 1);
}

#[test]
fn allowed_address_kinds_are_reached() {
    let stand_in = stand_in();
    let endpoint = acme_at_port(&stand_in);
    let names = Names::answering(ACME, &[&["127.0.0.1"]]);
    let policy = Policy::new([endpoint.parse().unwrap()]);
    let egress = by_name(&stand_in, names).policy(policy.open(AddressKind::Loopback));
    let rig = rig(stand_in, egress);
    assert!(rig.execute(&to_endpoint(&endpoint)).result.is_ok());
}

/// This machine's own hosts file, by the resolver that is used when none is given.
#[test]
fn the_systems_resolver_knows_localhost() {
    let stand_in = stand_in();
    let endpoint = format!("http://localhost:{}", stand_in.http_addr().port());
    let egress = flow_starter_host::Egress::builder().policy(Policy::new([endpoint.parse().unwrap()]));
    let rig = rig(stand_in, egress);
    let outcome = rig.execute(&to_endpoint(&endpoint));
    assert!(outcome.result.is_ok(), "{outcome:?}");
    assert_eq!(rig.stand_in.starts().len(), 1);
}

/// Whatever else is opened, and by whatever address it is reached.
#[test]
fn the_metadata_addresses_stay_denied() {
    for address in [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "fd00::5efe:a9fe:a9fe",
    ] {
        let stand_in = stand_in();
        let endpoint = acme_at_port(&stand_in);
        let all = AddressKind::ALL
            .into_iter()
            .fold(Policy::new([endpoint.parse().unwrap()]), Policy::open);
        let egress = by_name(&stand_in, Names::answering(ACME, &[&[address]])).policy(all);
        let error = rig(stand_in, egress)
            .execute(&to_endpoint(&endpoint))
            .result
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied, "{error}");
        assert!(
            error.message.contains("is metadata, which the policy does not allow"),
            "{error}"
        );
    }
}
