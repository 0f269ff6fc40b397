//! The contract's table (`wit/flow-starter.wit`), walked: no kind of error without a case, and no case beside the table.

use std::collections::BTreeSet;
use std::path::Path;

use host_test::conformance::{self, Case};

/// Which of a call's requests a row of the contract's table speaks of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Request {
    Flow,
    Token,
}

/// What the contract's table pairs: a kind, what it says of the flow, and whether to try again.
#[derive(PartialEq, Eq, Debug)]
struct Pair {
    request: Request,
    kind: String,
    flow: String,
    retryable: bool,
}

/// The pairs that take a fault of TCP, TLS, names or the host itself, which no table can carry into every host: the request, its kinds, and
/// the test in `faults` that makes them.
const TESTED_ELSEWHERE: [(Request, &[&str], &str); 7] = [
    (
        Request::Flow,
        &["denied"],
        "a_request_that_the_host_denies_is_denied_and_nothing_leaves",
    ),
    (
        Request::Flow,
        &["tls"],
        "a_certificate_that_is_not_to_be_trusted_is_tls",
    ),
    (Request::Flow, &["dns"], "an_unknown_name_is_dns"),
    (Request::Flow, &["refused"], "a_closed_port_is_refused"),
    (
        Request::Flow,
        &["connect-timeout"],
        "a_handshake_that_never_ends_is_connect_timeout",
    ),
    (Request::Flow, &["internal"], "a_call_that_the_host_ends_is_internal"),
    (
        Request::Token,
        &["denied", "tls", "dns", "refused", "connect-timeout"],
        "an_unsent_token_request_starts_no_flow",
    ),
];

/// The kinds of the contract's `yes if lost, timed out, 408, 425, 429 or 5xx`, and those that pass by themselves for a flow as well.
const PASSING_FOR_A_TOKEN: [&str; 9] = [
    "dns",
    "refused",
    "connect-timeout",
    "connection-lost",
    "read-timeout",
    "rate-limited",
    "unavailable",
    "server-error",
    "unconfirmed",
];

#[test]
fn every_kind_of_error_has_its_row_in_the_contracts_table() {
    let table = contracts_table();
    for kind in contracts_kinds() {
        assert!(table.iter().any(|pair| pair.kind == kind), "{kind} is in no row");
    }
    for pair in &table {
        assert!(
            contracts_kinds().contains(&pair.kind),
            "{pair:?} is in the table and no kind"
        );
        assert!(
            ["not-started", "started", "unknown"].contains(&pair.flow.as_str()),
            "{pair:?}"
        );
        assert!(
            !pair.retryable || pair.flow == "not-started",
            "{pair:?}: only what did not start is safe to try again"
        );
    }
}

#[test]
fn every_pair_of_kind_and_flow_state_has_a_case() {
    let cases = pairs_of_the_cases();
    for pair in contracts_table() {
        let played = cases.iter().any(|(_, case)| *case == pair);
        let elsewhere = TESTED_ELSEWHERE
            .iter()
            .any(|(request, kinds, _)| *request == pair.request && kinds.contains(&pair.kind.as_str()));
        assert!(played || elsewhere, "no case for {pair:?}");
        assert!(
            !(played && elsewhere),
            "{pair:?} has a case: take it out of TESTED_ELSEWHERE"
        );
    }
}

#[test]
fn no_case_asks_for_what_is_not_in_the_contracts_table() {
    let table = contracts_table();
    for (name, case) in pairs_of_the_cases() {
        assert!(table.contains(&case), "{name}: {case:?} is not in the table");
    }
}

#[test]
fn every_test_that_is_said_to_be_elsewhere_is_there() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/faults");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok());
    let faults: Vec<String> = files.collect();
    for (request, kinds, test) in TESTED_ELSEWHERE {
        let there = faults.iter().any(|file| file.contains(&format!("fn {test}(")));
        assert!(there, "{request:?} {kinds:?}: there is no test {test} in faults");
    }
}

fn pairs_of_the_cases() -> Vec<(String, Pair)> {
    let files = conformance::FILES
        .iter()
        .flat_map(|(file, _)| conformance::cases(file, "127.0.0.1:8080").unwrap());
    let pair = |case: Case| {
        let request = if case.ends_with_the_token() {
            Request::Token
        } else {
            Request::Flow
        };
        let error = case.error?;
        Some((
            case.name,
            Pair {
                request,
                kind: error.kind,
                flow: error.flow,
                retryable: error.retryable,
            },
        ))
    };
    files.filter_map(pair).collect()
}

fn contract() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../wit/flow-starter.wit")).unwrap()
}

/// The members of `enum error-kind`.
fn contracts_kinds() -> Vec<String> {
    let contract = contract();
    let (_, members) = contract
        .split_once("enum error-kind {")
        .expect("the contract has its kinds");
    let (members, _) = members.split_once('}').unwrap();
    let code = members.lines().map(|line| line.split("//").next().unwrap());
    code.flat_map(|line| line.split(','))
        .map(|kind| kind.trim().to_owned())
        .filter(|kind| !kind.is_empty())
        .collect()
}

/// The rows of the table above `enum error-kind`, one for each kind that they name.
fn contracts_table() -> Vec<Pair> {
    let contract = contract();
    let rows = contract
        .lines()
        .filter_map(|line| line.trim().strip_prefix("/// |"))
        .skip(2);
    let mut table: Vec<Pair> = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, kinds, flow, retryable, ..] = cells[..] else {
            panic!("not a row: {row}")
        };
        if kinds == "as above; no usable token: protocol" {
            assert_eq!(
                (flow, retryable),
                ("not-started", "yes if lost, timed out, 408, 425, 429 or 5xx")
            );
            let above: BTreeSet<String> = table
                .iter()
                .map(|pair| pair.kind.clone())
                .filter(|kind| kind != "invalid-input")
                .collect();
            // 425 is the one of them that passes.
            table.push(Pair {
                request: Request::Token,
                kind: "rejected".to_owned(),
                flow: flow.to_owned(),
                retryable: true,
            });
            table.extend(above.into_iter().map(|kind| {
                let retryable = PASSING_FOR_A_TOKEN.contains(&kind.as_str());
                Pair {
                    request: Request::Token,
                    kind,
                    flow: flow.to_owned(),
                    retryable,
                }
            }));
            continue;
        }
        assert!(matches!(retryable, "yes" | "no"), "neither yes nor no: {row}");
        table.extend(kinds.split(" / ").map(|kind| Pair {
            request: Request::Flow,
            kind: kind.to_owned(),
            flow: flow.to_owned(),
            retryable: retryable == "yes",
        }));
    }
    assert!(table.len() > 40, "the table was not found");
    table
}
