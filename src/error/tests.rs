//! The table in the contract, walked.

use super::*;

/// The contract as it is read by those who embed the component.
const CONTRACT: &str = include_str!("../../wit/flow-starter.wit");

/// The rows of the contract's table: causes, kinds, flow state and retryable, as they stand there.
fn rows() -> Vec<[String; 4]> {
    let lines = CONTRACT.lines().filter_map(|line| line.trim().strip_prefix("/// |"));
    let cells = lines.map(|line| {
        line.trim_end_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect::<Vec<_>>()
    });
    cells.skip(2).map(|cells| cells.try_into().unwrap()).collect()
}

/// A cause's words in the table's first column.
fn words(cause: Cause) -> &'static str {
    match cause {
        Cause::InvalidInput => "bad input",
        Cause::Denied => "the host denies",
        Cause::Tls => "TLS fails",
        Cause::Dns => "DNS fails",
        Cause::Refused => "refused, unreachable",
        Cause::ConnectTimeout => "`connection-timeout` (some hosts report it after sending, too)",
        Cause::Html => "2xx with HTML (its content type, or a body that begins as HTML)",
        Cause::Redirected => "any other 3xx",
        Cause::SeeOther => "303 (RFC 9110: the request was processed)",
        Cause::Unauthorized => "401",
        Cause::Forbidden | Cause::Blocked => "403",
        Cause::NotFound => "404",
        Cause::Rejected => "any other 4xx",
        Cause::TooEarly => "425",
        Cause::RateLimited => "429",
        Cause::UnavailableSaid => "503 with `Retry-After` or ServiceNow's error envelope",
        Cause::Unavailable => "any other 503 (a gateway may send it after forwarding)",
        Cause::ServerError => "any other 5xx",
        Cause::Cancelled => "2xx with ServiceNow's failure: an `error` object and `\"status\":\"failure\"`",
        Cause::Accepted => "202 without a JSON object whose `result` is not null",
        Cause::Markup => "2xx labelled JSON or unlabelled, with other markup",
        Cause::RequestTimeout => "408 (ServiceNow sends it while the request still runs)",
        Cause::Lost => "cut",
        Cause::Silent => "timed out",
        Cause::Garbled => "garbled before the status line",
        Cause::AnswerLost => "2xx cut",
        Cause::AnswerSilent => "timed out",
        Cause::AnswerTooLarge => "too large",
        Cause::AnswerCompressed => "compressed",
        Cause::NoToken => "any failure of the token request",
        Cause::Host => "any other error code of the host, including `internal-error`",
    }
}

/// The kinds of a row, one for each of its causes; a row with one kind has it for all.
fn kind_of(row: &[String; 4], cause: Cause) -> Option<&str> {
    let kinds: Vec<&str> = row[1].split(" / ").collect();
    // "400 "does not represent any resource" / any other 4xx", "cut, timed out or garbled", "2xx cut, timed out, too large or compressed".
    let whole = row[0].as_str();
    if whole == words(cause) {
        return kinds.first().copied().filter(|_| kinds.len() == 1);
    }
    let spoken = whole
        .replace(" or garbled", ", garbled")
        .replace(" or compressed", ", compressed");
    let parts: Vec<&str> = match whole.contains(" / ") {
        true => whole.split(" / ").collect(),
        false => spoken.split(", ").collect(),
    };
    let at = parts.iter().position(|part| *part == words(cause))?;
    kinds.get(at).copied()
}

fn name(kind: ErrorKind) -> String {
    let name = format!("{kind:?}").replace("ErrorKind::", "");
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn state(flow: FlowState) -> &'static str {
    match flow {
        FlowState::NotStarted => "not-started",
        FlowState::Started => "started",
        FlowState::Unknown => "unknown",
    }
}

#[test]
fn each_cause_is_a_row_of_the_contracts_table() {
    let rows = rows();
    assert_eq!(
        rows.len(),
        19,
        "the table in the contract has another number of rows: {rows:#?}"
    );
    for cause in Cause::ALL {
        if cause == Cause::NoToken {
            continue;
        }
        let Verdict { kind, flow, retryable } = cause.verdict();
        let fits = |row: &&[String; 4]| {
            kind_of(row, cause) == Some(&name(kind))
                && row[2] == state(flow)
                && row[3] == if retryable { "yes" } else { "no" }
        };
        let found: Vec<_> = rows.iter().filter(fits).collect();
        assert_eq!(
            found.len(),
            1,
            "{cause:?} is {kind:?}, {flow:?}, {retryable}; the contract's rows for it: {found:#?}"
        );
    }
}

#[test]
fn each_part_of_the_contracts_table_has_its_cause() {
    for row in rows() {
        let kinds = row[1].split(" / ").count();
        let causes = Cause::ALL
            .iter()
            .filter(|cause| {
                kind_of(&row, **cause).is_some_and(|kind| kind == name(cause.verdict().kind))
                    && row[2] == state(cause.verdict().flow)
            })
            .count();
        match row[0].as_str() {
            // The token request has a table of its own, below.
            text if text.starts_with("any failure of the token") => {}
            // A 404 is the same cause, and a 403 has two.
            text if text.starts_with("any other 3xx") => assert_eq!((causes, kinds), (5, 4), "{row:?}"),
            text if text.starts_with("400 ") => assert_eq!((causes, kinds), (1, 2), "{row:?}"),
            _ => assert_eq!(causes, kinds, "{row:?}"),
        }
    }
}

#[test]
fn nothing_that_goes_wrong_in_the_token_request_has_started_the_flow() {
    for cause in Cause::ALL {
        let (flow, token) = (cause.verdict(), cause.verdict_for_token());
        assert_eq!(
            (token.kind, token.flow),
            (flow.kind, FlowState::NotStarted),
            "{cause:?}"
        );
    }
    assert_eq!(Cause::NoToken.verdict_for_token().kind, ErrorKind::Protocol);
}

#[test]
fn a_token_request_is_retryable_after_temporary_failures() {
    use Cause::*;
    let yes = [
        Dns,
        Refused,
        ConnectTimeout,
        Lost,
        Silent,
        TooEarly,
        RequestTimeout,
        RateLimited,
        UnavailableSaid,
        Unavailable,
        ServerError,
        AnswerLost,
        AnswerSilent,
    ];
    for cause in Cause::ALL {
        assert_eq!(cause.verdict_for_token().retryable, yes.contains(&cause), "{cause:?}");
    }
}

#[test]
fn only_what_has_not_started_is_retryable() {
    for cause in Cause::ALL {
        for Verdict { flow, retryable, .. } in [cause.verdict(), cause.verdict_for_token()] {
            assert!(!retryable || flow == FlowState::NotStarted, "{cause:?}");
        }
    }
}

#[test]
fn a_message_says_in_one_sentence_what_became_of_the_flow() {
    for cause in Cause::ALL {
        if cause == Cause::InvalidInput {
            continue;
        }
        for step in [Step::Flow, Step::Token] {
            let error = Failure::of(cause)
                .at(step, "acme.service-now.com")
                .into_error(&Mask::default());
            let expected = match error.flow {
                FlowState::Unknown => UNKNOWN,
                FlowState::Started => STARTED,
                FlowState::NotStarted => NOT_STARTED,
            };
            assert!(error.message.ends_with(expected), "{cause:?}: {}", error.message);
            let said = [UNKNOWN, STARTED, NOT_STARTED]
                .iter()
                .filter(|sentence| error.message.contains(**sentence))
                .count();
            assert_eq!(said, 1, "{cause:?}: {}", error.message);
            assert!(
                error.message.contains("request to acme.service-now.com "),
                "{cause:?}: {}",
                error.message
            );
        }
    }
}

#[test]
fn the_sentence_about_the_unknown_stays_as_hosts_know_it() {
    assert_eq!(
        UNKNOWN,
        "It is unknown whether the flow started: look for its execution in ServiceNow before you start it again."
    );
}

#[test]
fn a_message_reads_as_sentences() {
    let error = Failure::of(Cause::Unauthorized)
        .answered(
            401,
            Some("User Not Authenticated: Required to provide Auth information".to_owned()),
            None,
        )
        .at(Step::Flow, "acme.service-now.com")
        .into_error(&Mask::default());
    assert_eq!(
        error.message,
        "The request to acme.service-now.com was refused: the credentials are not accepted (status 401 Unauthorized). The server says: User Not \
         Authenticated: Required to provide Auth information. Check the credentials and the authentication type. The flow has not started."
    );
}

#[test]
fn server_text_is_masked_before_it_is_shortened() {
    let mut mask = Mask::default();
    mask.add("hunter22");
    let said = format!("{}hunter22", "a".repeat(SAID_MAX - 4));
    let error = Failure::of(Cause::Rejected)
        .answered(400, Some(said), None)
        .at(Step::Flow, "h")
        .into_error(&mask);
    assert!(!error.message.contains("hunt"), "{}", error.message);
    let detail = format!("{}hunter22", "a".repeat(DETAIL_MAX - 4));
    let error = Failure::of(Cause::Host)
        .with_detail(detail)
        .at(Step::Flow, "h")
        .into_error(&mask);
    assert!(!error.message.contains("hunt"), "{}", error.message);
}

#[test]
fn a_server_that_repeats_the_beginning_of_a_secret_does_not_hide_what_became_of_the_flow() {
    let mut mask = Mask::default();
    mask.add("tok.EN_0123456789");
    let failure = Failure::of(Cause::Redirected).with_detail("https://example.com/tok...".to_owned());
    let error = failure.at(Step::Flow, "acme.service-now.com").into_error(&mask);
    assert!(
        error.message.starts_with("The request to acme.service-now.com "),
        "{}",
        error.message
    );
    assert!(error.message.ends_with(NOT_STARTED), "{}", error.message);
    assert!(!error.message.contains("tok."), "{}", error.message);
}

#[test]
fn server_text_is_shortened_to_one_line() {
    let said = format!("a\r\nb{}", "ü".repeat(10_000));
    let error = Failure::of(Cause::Rejected)
        .answered(400, Some(said), None)
        .at(Step::Flow, "h")
        .into_error(&Mask::default());
    assert!(
        error.message.contains("says: a  bü") && error.message.contains("ü…"),
        "{}",
        error.message
    );
    assert!(
        error.message.chars().count() < 800 && !error.message.contains('\n'),
        "{}",
        error.message
    );
}

#[test]
fn a_token_requests_answer_never_appears() {
    let response = FlowResponse {
        status: 500,
        headers: Vec::new(),
        body: "x".to_owned(),
        execution_id: None,
        sys_id: None,
    };
    let failure = Failure::of(Cause::ServerError).with_response(response);
    assert!(
        failure
            .at(Step::Token, "h")
            .into_error(&Mask::default())
            .response
            .is_none()
    );
}
