//! The steps of the way, and what a failed one advises.

use servicenow_stand_in::{PortFault, StandIn, TlsFault};

use super::{ACME, File, PASSWORD, basic, check, input, instance, run, stand_in};

/// Nothing is sent where the way is not open.
fn stops_at(stand_in: &StandIn, step: &str, words: &[&str]) {
    let ran = check(stand_in, &input(&basic("camunda", PASSWORD)));
    assert_eq!((ran.code, ran.mark(step)), (3, '✗'), "{}", ran.out);
    for words in words {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    assert_eq!(ran.marks(), ['–', '–', '–'], "{}", ran.out);
    assert!(stand_in.requests().is_empty());
}

#[test]
fn a_good_way_shows_the_certificate() {
    let ran = check(&stand_in(), &input(&basic("camunda", PASSWORD)));
    let (mark, words) = ran.step(ACME, "TLS");
    assert_eq!(mark, '✓');
    for found in [
        "TLS 1.3",
        "acme.service-now.com",
        "ServiceNow stand-in CA",
        "valid from",
    ] {
        assert!(words.contains(found), "{words}");
    }
}

#[test]
fn each_fault_of_tls_has_its_advice() {
    for (fault, words) in [
        (TlsFault::Expired, &["has expired", "valid from", "clock"][..]),
        (TlsFault::NotYetValid, &["not valid yet", "valid from", "clock"]),
        (TlsFault::WrongName, &["wrong-name.invalid", "Another server"]),
        (TlsFault::UnknownAuthority, &["--ca-file"]),
        (TlsFault::ClientCertificate12, &["--client-certificate"]),
        (TlsFault::ClientCertificate13, &["--client-certificate"]),
        (TlsFault::NotTls, &["does not speak TLS"]),
    ] {
        stops_at(
            &StandIn::start(instance().tls_fault("acme", fault)).unwrap(),
            "TLS",
            words,
        );
    }
}

#[test]
fn a_port_that_refuses_is_a_matter_of_the_firewall() {
    let stand_in = stand_in();
    let refusing = stand_in.open_port(PortFault::Refused).unwrap();
    let arguments = ["--connect-to", &format!("acme.service-now.com:443:{refusing}")];
    let ran = run(
        &input(&basic("camunda", PASSWORD)).to_string(),
        &arguments.map(str::to_owned),
    );
    assert_eq!((ran.code, ran.mark("TCP")), (3, '✗'), "{}", ran.out);
    assert!(
        ran.out.contains("firewall") && ran.out.contains("port 443"),
        "{}",
        ran.out
    );
}

#[test]
fn a_denied_destination_is_shown_with_the_flag_that_allows_it() {
    let stand_in = stand_in();
    let arguments = ["--allow", "other.service-now.com"].map(str::to_owned);
    let ran = run(&input(&basic("camunda", PASSWORD)).to_string(), &arguments);
    assert_eq!((ran.code, ran.mark("policy")), (3, '✗'), "{}", ran.out);
    assert!(ran.out.contains("--allow https://acme.service-now.com"), "{}", ran.out);
    assert_eq!(ran.step(ACME, "DNS"), ('–', "not reached"));
    assert_eq!(stand_in.connections(), 0);
}

#[test]
fn the_look_up_shows_where_the_name_leads() {
    let stand_in = stand_in();
    let ca = File::new(stand_in.ca_pem());
    let endpoint = format!("https://localhost:{}", stand_in.https_addr().port());
    let mut own = input(&basic("camunda", PASSWORD));
    own["snInstance"] = "".into();
    own["snEndpoint"] = endpoint.clone().into();
    let arguments = ["--allow", &endpoint, "--ca-file", ca.0.to_str().unwrap()].map(str::to_owned);
    let ran = run(&own.to_string(), &arguments);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.step(&endpoint, "DNS").1.contains("127.0.0.1"), "{}", ran.out);
    assert_eq!(ran.step(&endpoint, "address").0, '✓');
}

#[test]
fn a_proxy_is_shown_without_its_password() {
    let stand_in = stand_in();
    let refusing = stand_in.open_port(PortFault::Refused).unwrap();
    let arguments = ["--proxy", &format!("http://user:s3cret-body@{refusing}")].map(str::to_owned);
    let ran = run(&input(&basic("camunda", PASSWORD)).to_string(), &arguments);
    let (mark, words) = ran.step(ACME, "proxy");
    assert_eq!((ran.code, mark), (3, '✗'), "{}", ran.out);
    assert!(
        words.contains(&refusing.to_string()) && ran.out.contains("HTTPS_PROXY"),
        "{}",
        ran.out
    );
}
