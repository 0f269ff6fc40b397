//! Runs every fault that the stand-in can produce; `docs/faults.md` is the table of outcomes.

use std::fmt::Write as _;
use std::path::Path;

use flow_starter_host::Outcome;
use flow_starter_host::egress::Proxy;
use host_test::rig::Rig;
use serde_json::json;
use servicenow_stand_in::{Behaviour, DEMO_FLOW, Fault, PortFault, TlsFault};

use super::super::egress::proxy::{Does, TestProxy};
use super::{at, honest, in_time, input, rig, stand_in, to_acme};

/// A fault and its outcome: a row of the table.
struct Row {
    fault: String,
    came: String,
    requests: usize,
    starts: usize,
}

/// Only these wait for a limit: it is short for them, and for no other, so that a slow machine changes nothing.
fn limits(waits: bool) -> serde_json::Value {
    match waits {
        true => json!({ "connectionTimeoutInSeconds": 2, "readTimeoutInSeconds": 0.3 }),
        false => json!({}),
    }
}

fn row(fault: String, rig: &Rig, waits: bool) -> Row {
    let outcome = in_time(|| rig.execute(&input(limits(waits))));
    honest(&outcome, &rig.stand_in).unwrap_or_else(|why| panic!("{fault}: {why}: {outcome:?}"));
    Row {
        came: came(&outcome),
        requests: rig.stand_in.requests().len(),
        starts: rig.stand_in.starts().len(),
        fault,
    }
}

fn came(outcome: &Outcome<String>) -> String {
    match &outcome.result {
        Ok(_) => "success".to_owned(),
        Err(error) if error.retryable => format!("{}, {}, retryable", error.kind, error.flow),
        Err(error) => format!("{}, {}", error.kind, error.flow),
    }
}

fn of_http(fault: Fault) -> Row {
    let stand_in = stand_in();
    stand_in.behave(DEMO_FLOW, Behaviour::Fault(fault));
    let egress = to_acme(&stand_in).connect_to(at(stand_in.https_addr()));
    let waits = matches!(
        fault,
        Fault::Deaf | Fault::Silence | Fault::StallWithinHead | Fault::StallAfterHead | Fault::StallWithinBody
    );
    row(format!("HTTP: {fault:?}"), &rig(stand_in, egress), waits)
}

fn of_status(status: u16) -> Row {
    let stand_in = stand_in();
    stand_in.behave(DEMO_FLOW, Behaviour::status(status));
    let egress = to_acme(&stand_in).connect_to(at(stand_in.https_addr()));
    row(format!("HTTP: status {status}"), &rig(stand_in, egress), false)
}

fn of_tls(fault: TlsFault) -> Row {
    let stand_in = stand_in();
    stand_in.tls_fault("acme", fault).unwrap();
    let egress = to_acme(&stand_in).connect_to(at(stand_in.https_addr()));
    let waits = matches!(fault, TlsFault::Silence | TlsFault::Stall);
    row(format!("TLS: {fault:?}"), &rig(stand_in, egress), waits)
}

fn of_port(fault: PortFault) -> Row {
    let stand_in = stand_in();
    let address = stand_in.open_port(fault).unwrap();
    let egress = to_acme(&stand_in).connect_to(at(address));
    let waits = matches!(fault, PortFault::Full | PortFault::Silent);
    row(format!("TCP: {fault:?}"), &rig(stand_in, egress), waits)
}

/// Those that mean something else than their first digit says, and one of each that does not.
const STATUSES: [u16; 14] = [202, 204, 302, 303, 400, 401, 403, 404, 408, 425, 429, 500, 503, 504];

/// How a process accepts what the table calls unknown.
const ACCEPTING_A_202: &str = "
## An API whose 202 is final

A 202 without a `result` is `unconfirmed`, since the server has accepted the request and may still drop it (RFC 9110, section 15.3.3). Where the
author of a Scripted REST API says that its 202 means a started flow, the task's error expression completes the job:

```
=if error.code = \"202\" and error.type = \"unconfirmed\" then ignoreError({accepted: true}) else null
```
";

fn of_proxy(fault: &str, answer: Option<&'static str>) -> Row {
    let stand_in = stand_in();
    let url = match answer {
        Some(answer) => TestProxy::start(Does::Answer(answer)).url(),
        None => format!("http://{}", stand_in.open_port(PortFault::Refused).unwrap()),
    };
    let egress = to_acme(&stand_in).proxy(Proxy::new(&url, "").unwrap());
    row(format!("proxy: {fault}"), &rig(stand_in, egress), false)
}

/// What is no tunnel, by the proxy's answer to CONNECT; none: nobody is there.
const PROXIES: [(&str, Option<&str>); 5] = [
    ("403", Some("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")),
    (
        "407",
        Some("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"),
    ),
    ("502", Some("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")),
    ("not HTTP", Some("garbage\r\n\r\n")),
    ("refused", None),
];

/// All at once: those that wait, wait together.
fn walk() -> Vec<Row> {
    std::thread::scope(|scope| {
        let http = Fault::ALL.map(|fault| scope.spawn(move || of_http(fault)));
        let statuses = STATUSES.map(|status| scope.spawn(move || of_status(status)));
        let tls = TlsFault::ALL.map(|fault| scope.spawn(move || of_tls(fault)));
        let ports = [
            PortFault::Refused,
            PortFault::Full,
            PortFault::Silent,
            PortFault::Close,
            PortFault::Reset,
        ];
        let ports = ports.map(|fault| scope.spawn(move || of_port(fault)));
        let proxies = PROXIES.map(|(fault, answer)| scope.spawn(move || of_proxy(fault, answer)));
        let walked = http.into_iter().chain(statuses).chain(tls).chain(ports).chain(proxies);
        walked.map(|row| row.join().unwrap()).collect()
    })
}

/// `make fault-table` writes the table, and a reviewer reads what changed in it.
#[test]
fn every_fault_comes_out_as_the_table_says() {
    let mut table = String::from(
        "# Failure modes and outcomes\n\n\
         `make fault-table` writes this page from a run of the built component under wasmtime against the stand-in, over real sockets; the tests\n\
         compare it with each run. *Requests* and *flows* are what the server received and started. Three rules hold for every row: the outcome is\n\
         never `not-started` if the whole request arrived and was not refused (by a status, by HTML, or by a TLS alert for the client certificate),\n\
         never `started` without a 2xx, and there are never two flows.\n\n\
         | fault | outcome | requests | flows |\n|---|---|---|---|\n",
    );
    for Row {
        fault,
        came,
        requests,
        starts,
    } in walk()
    {
        writeln!(table, "| {fault} | {came} | {requests} | {starts} |").unwrap();
    }
    table.push_str(ACCEPTING_A_202);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/faults.md");
    if std::env::var_os("WRITE_FAULT_TABLE").is_some() {
        std::fs::write(&file, &table).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(
        table, written,
        "docs/faults.md is not what this run shows; `make fault-table` writes it"
    );
}
