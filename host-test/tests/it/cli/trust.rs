//! Whom the program trusts, and as whom it shows itself: the system's certificate authorities, and what is wrong with a certificate or a key.

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::json;

use super::workspace::{Ended, Run, Workspace};

/// The flow's call, with no authority named by a setting.
fn trigger(workspace: &Workspace, more: &[&str]) -> Run {
    workspace.flow(json!({}));
    let all: Vec<_> = ["trigger", "flow.json"].iter().chain(more).copied().collect();
    workspace.run(&all).without("FLOW_STARTER_TLS_CA_FILE")
}

fn warnings(ended: &Ended) -> Vec<String> {
    let warnings = ended.logs.iter().filter(|line| line["level"] == "WARN");
    warnings.map(ToString::to_string).collect()
}

#[test]
fn the_authorities_of_ssl_cert_file_and_dir_are_trusted() {
    let workspace = Workspace::new();
    workspace.file("authorities/stand-in.pem", workspace.stand_in.ca_pem());
    for (variable, value) in [("SSL_CERT_FILE", "stand-in.pem"), ("SSL_CERT_DIR", "authorities")] {
        let started = trigger(&workspace, &[]).env(variable, value).end();
        assert_eq!(started.code, 0, "{variable}: {started:?}");
        assert_eq!(warnings(&started), Vec::<String>::new());
        let checked = workspace
            .run(&["check", "flow.json"])
            .without("FLOW_STARTER_TLS_CA_FILE")
            .env(variable, value)
            .end();
        assert_eq!(checked.code, 0, "{variable}: {checked:?}");
    }
    assert_eq!(workspace.stand_in.starts().len(), 2);
}

#[test]
fn the_systems_authorities_can_be_left_out() {
    let workspace = Workspace::new();
    for run in [
        trigger(&workspace, &["--system-roots", "off"]),
        trigger(&workspace, &[]).env("FLOW_STARTER_TLS_SYSTEM_ROOTS", "off"),
    ] {
        let ended = run.env("SSL_CERT_FILE", "stand-in.pem").end();
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(ended.err.contains("was not issued by a trusted authority"), "{ended:?}");
        assert!(ended.err.contains("--ca-file FILE"), "{ended:?}");
    }
    assert!(workspace.stand_in.requests().is_empty());
}

#[test]
fn a_certificate_of_an_unknown_authority_names_the_setting() {
    let workspace = Workspace::new();
    // Of another authority, so that no machine's own store counts.
    let ended = trigger(&workspace, &["--output", "json"])
        .env("SSL_CERT_FILE", "stand-in.pem.missing")
        .end();
    assert_eq!(ended.code, 3, "{ended:?}");
    let error = &ended.json()["error"];
    assert_eq!(error["kind"], "tls");
    assert!(error["fix"].as_str().unwrap().contains("--ca-file FILE"), "{error}");
}

#[test]
fn a_store_that_cannot_be_read_is_a_warning_and_no_failure() {
    let workspace = Workspace::new();
    workspace.file("empty.pem", "nothing");
    for (value, words) in [
        ("missing.pem", "missing.pem"),
        ("empty.pem", "no certificate authority"),
    ] {
        let ended = trigger(&workspace, &["--ca-file", "stand-in.pem"])
            .env("SSL_CERT_FILE", value)
            .end();
        assert_eq!(ended.code, 0, "{ended:?}");
        let warnings = warnings(&ended);
        assert!(
            warnings
                .iter()
                .any(|line| line.contains("SSL_CERT_FILE") && line.contains(words)),
            "{warnings:?}"
        );
    }
}

#[test]
fn a_store_is_read_for_a_call_over_tls_alone() {
    let workspace = Workspace::new();
    let plain = format!("http://{}", workspace.stand_in.http_addr());
    workspace.file(
        "plain.json",
        super::workspace::flow(json!({ "snInstance": null, "snEndpoint": plain })).to_string(),
    );
    for arguments in [
        &["trigger", "plain.json", "--allow", &plain][..],
        &["trigger", "plain.json", "--dry-run", "--allow", &plain],
        &["config", "show"],
    ] {
        let ended = workspace.run(arguments).env("SSL_CERT_FILE", "missing.pem").end();
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(warnings(&ended), Vec::<String>::new(), "{arguments:?}");
    }
}

/// A client's certificate and its key.
fn client() -> (String, String) {
    let key = KeyPair::generate().unwrap();
    // Long enough for lengths of two bytes each.
    let names = ["a", "b", "c", "d"].map(|name| format!("{name}.a-rather-long-name-of-a-client.example.com"));
    let own = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    (own.pem(), key.serialize_pem())
}

/// The same without its version and with its lengths right: of version 1, which has no version (RFC 5280, section 4.1.2.1). Nobody looks at the
/// signature before the version.
fn of_version_1(pem: &str) -> String {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let mut der = STANDARD.decode(base64).unwrap();
    let version = [0xa0, 3, 2, 1, 2];
    let at = der.windows(5).position(|found| found == version).unwrap();
    // Both lengths before it, of the certificate and of what is signed of it.
    assert_eq!((at, der[1], der[5]), (8, 0x82, 0x82));
    for head in [2, 6] {
        let length = u16::from_be_bytes([der[head], der[head + 1]]) - 5;
        der[head..head + 2].copy_from_slice(&length.to_be_bytes());
    }
    der.drain(at..at + 5);
    let lines: Vec<_> = STANDARD
        .encode(der)
        .into_bytes()
        .chunks(64)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    )
}

#[test]
fn a_client_certificate_error_names_the_right_setting() {
    let workspace = Workspace::new();
    workspace.flow(json!({}));
    let (certificate, key) = client();
    let (_, other_key) = client();
    // PKCS #12 as DER begins: a sequence and its version, 3.
    let pkcs12: &[u8] = &[0x30, 0x82, 0x09, 0x5f, 2, 1, 3, 0x30, 0x82, 0x09, 0x25];
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFHDBOBgkq\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let traditional = "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0A\n\nMIIFHDBOBgkq\n-----END EC PRIVATE KEY-----\n";
    let version_1 = of_version_1(&certificate);
    for (certificate, key, setting, words) in [
        (version_1.as_bytes(), key.as_bytes(), "certificate", "X.509 version 3"),
        (pkcs12, key.as_bytes(), "certificate", "PKCS #12"),
        (certificate.as_bytes(), encrypted.as_bytes(), "key", "it is encrypted"),
        (certificate.as_bytes(), traditional.as_bytes(), "key", "it is encrypted"),
        (certificate.as_bytes(), pkcs12, "key", "PKCS #12"),
        (certificate.as_bytes(), certificate.as_bytes(), "key", "no private key"),
        (
            certificate.as_bytes(),
            other_key.as_bytes(),
            "key",
            "not the key of the client's certificate",
        ),
    ] {
        workspace.file("client.pem", certificate);
        workspace.file("client-key.pem", key);
        let ended = workspace
            .run(&[
                "trigger",
                "flow.json",
                "--client-certificate",
                "client.pem",
                "--client-key",
                "client-key.pem",
            ])
            .end();
        assert_eq!(ended.code, 2, "{ended:?}");
        let of = format!("tls.client-{setting} (flag --client-{setting}): the client's {setting} cannot be used: ");
        assert!(
            ended.err.contains(&of) && ended.err.contains(words),
            "{words}: {ended:?}"
        );
        for name in [
            "UnsupportedCertVersion",
            "KeyMismatch",
            "InconsistentKeys",
            "MIIFHDBOBgkq",
        ] {
            assert!(!ended.err.contains(name), "{ended:?}");
        }
    }
    assert!(workspace.was_left_alone());
}

/// A server whose certificate is an authority's own, as `openssl req -x509` makes it.
fn server_with_an_authoritys_certificate() -> (SocketAddr, String) {
    let mut params = CertificateParams::new(["acme.service-now.com".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let own = params.self_signed(&key).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![own.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        );
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let _the_client_refuses = StreamOwned::new(connection, stream.unwrap()).flush();
        }
    });
    (address, own.pem())
}

#[test]
fn an_authoritys_certificate_on_a_server_is_reported() {
    let workspace = Workspace::new();
    let (address, pem) = server_with_an_authoritys_certificate();
    workspace.file("own.pem", pem);
    workspace.flow(json!({}));
    let mapping = format!("acme.service-now.com:443:{address}");
    for command in ["trigger", "check"] {
        let ended = workspace
            .run(&[command, "flow.json", "--ca-file", "own.pem", "--connect-to", &mapping])
            .end();
        assert_eq!(ended.code, 3, "{ended:?}");
        let output = format!("{}{}", ended.out, ended.err)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        for words in [
            "is a certificate authority's (CA:TRUE)",
            "basicConstraints=critical,CA:FALSE",
        ] {
            assert!(output.contains(words), "{words}: {output}");
        }
        assert!(!output.contains("CaUsedAsEndEntity"), "{output}");
    }
}
