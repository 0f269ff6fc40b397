use super::*;

const RETRIES: u32 = 3;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn task(on_unknown: OnUnknown) -> Task {
    Task {
        on_unknown,
        retry_back_off: seconds(30),
    }
}

fn fail(retries: u32, back_off: u64, state: OutcomeState) -> Settlement {
    Settlement::Fail {
        retries,
        back_off: seconds(back_off),
        state,
    }
}

const STARTED: CallOutcome<&str> = CallOutcome::Started {
    answer: "id",
    whole: true,
};
const CUT: CallOutcome<&str> = CallOutcome::Started {
    answer: "id",
    whole: false,
};
const BUSY: CallOutcome<&str> = CallOutcome::NotStarted {
    may_pass: true,
    retry_after: None,
};
const DENIED: CallOutcome<&str> = CallOutcome::NotStarted {
    may_pass: false,
    retry_after: None,
};
const UNKNOWN: CallOutcome<&str> = CallOutcome::Unknown;

fn job_error(retries: u32) -> Verdict {
    Verdict::JobError {
        retries,
        back_off: seconds(7),
    }
}

#[test]
fn every_row_of_the_table() {
    use OnUnknown::{BpmnError, Incident, Retry};
    use OutcomeState::{Answered, NotStarted, Reported, Retry as RetryState};
    let throw = |state| Settlement::Throw { state };
    let rows = [
        (&STARTED, Verdict::Default, Incident, Settlement::Complete),
        (&CUT, Verdict::Default, Incident, fail(0, 0, Answered)),
        (&CUT, Verdict::Default, Retry, fail(0, 0, Answered)),
        (&BUSY, Verdict::Default, Incident, fail(2, 30, NotStarted)),
        (&DENIED, Verdict::Default, Retry, fail(0, 0, NotStarted)),
        (&UNKNOWN, Verdict::Default, Incident, fail(0, 0, Reported)),
        (&UNKNOWN, Verdict::Default, Retry, fail(2, 30, RetryState)),
        (&UNKNOWN, Verdict::Default, BpmnError, throw(Reported)),
        (&STARTED, Verdict::Complete, Incident, Settlement::Complete),
        (&BUSY, Verdict::Complete, Incident, Settlement::Complete),
        (&UNKNOWN, Verdict::Complete, BpmnError, Settlement::Complete),
        (&STARTED, Verdict::BpmnError, Incident, throw(Answered)),
        (&DENIED, Verdict::BpmnError, Incident, throw(NotStarted)),
        (&UNKNOWN, Verdict::BpmnError, Retry, throw(Reported)),
        (&DENIED, job_error(1), Incident, fail(1, 7, NotStarted)),
        (&DENIED, job_error(9), Incident, fail(2, 7, NotStarted)),
        (&BUSY, job_error(0), Incident, fail(0, 7, NotStarted)),
        (&STARTED, job_error(2), Incident, fail(0, 0, Answered)),
        (&STARTED, job_error(2), Retry, fail(2, 7, RetryState)),
        (&STARTED, job_error(0), Retry, fail(0, 0, Answered)),
        (&UNKNOWN, job_error(2), Incident, fail(0, 0, Reported)),
        (&UNKNOWN, job_error(2), BpmnError, fail(0, 0, Reported)),
        (&UNKNOWN, job_error(9), Retry, fail(2, 7, RetryState)),
    ];
    for (call, verdict, on_unknown, expected) in rows {
        let settlement = settle(call, verdict, &task(on_unknown), RETRIES);
        assert_eq!(settlement, expected, "{call:?}, {verdict:?}, onUnknown={on_unknown:?}");
    }
}

#[test]
fn no_row_keeps_or_raises_the_retries() {
    for call in [&STARTED, &CUT, &BUSY, &DENIED, &UNKNOWN] {
        for verdict in [
            Verdict::Default,
            Verdict::Complete,
            Verdict::BpmnError,
            job_error(0),
            job_error(99),
        ] {
            for on_unknown in [OnUnknown::Incident, OnUnknown::Retry, OnUnknown::BpmnError] {
                for came in [1, 2, 3] {
                    if let Settlement::Fail { retries, state, .. } = settle(call, verdict, &task(on_unknown), came) {
                        assert!(retries < came);
                        assert!(
                            retries > 0 || state != OutcomeState::Retry,
                            "an incident never says `retry`"
                        );
                        assert!(
                            state != OutcomeState::NotStarted || matches!(call, CallOutcome::NotStarted { .. }),
                            "only a call that started nothing says `not-started`"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_last_retry_of_an_unknown_call_is_an_incident() {
    let settlement = settle(&UNKNOWN, Verdict::Default, &task(OnUnknown::Retry), 1);
    assert_eq!(settlement, fail(0, 0, OutcomeState::Reported));
}

#[test]
fn the_longer_of_retry_after_and_back_off_counts_up_to_a_day() {
    for (retry_after, expected) in [(5, 30), (90, 90), (1_000_000, 86_400)] {
        let call: CallOutcome<&str> = CallOutcome::NotStarted {
            may_pass: true,
            retry_after: Some(seconds(retry_after)),
        };
        let settlement = settle(&call, Verdict::Default, &task(OnUnknown::Incident), RETRIES);
        assert_eq!(settlement, fail(2, expected, OutcomeState::NotStarted));
    }
}

#[test]
fn a_failed_expression_tells_the_truth_about_the_call() {
    for (call, state) in [
        (&STARTED, OutcomeState::Answered),
        (&CUT, OutcomeState::Answered),
        (&BUSY, OutcomeState::NotStarted),
        (&UNKNOWN, OutcomeState::Reported),
    ] {
        assert_eq!(settle_failed_evaluation(call), fail(0, 0, state));
    }
}

#[test]
fn no_retries_and_zero_are_one_try() {
    for (retries, expected) in [
        (None, 1),
        (Some(-4), 1),
        (Some(0), 1),
        (Some(1), 1),
        (Some(3), 3),
        (Some(i64::MAX), u32::MAX),
    ] {
        assert_eq!(tries(retries), expected, "{retries:?}");
    }
}

#[test]
fn states_and_on_unknown_are_read_back() {
    for state in OutcomeState::ALL {
        assert_eq!(OutcomeState::parse(state.as_str()), Some(state));
    }
    assert_eq!(OutcomeState::parse("done"), None);
    assert_eq!(OnUnknown::parse(" "), Some(OnUnknown::Incident));
    assert_eq!(OnUnknown::parse("retry"), Some(OnUnknown::Retry));
    assert_eq!(OnUnknown::parse("bpmnError"), Some(OnUnknown::BpmnError));
    assert_eq!(OnUnknown::parse("bpmn-error"), None);
}

#[test]
fn lengths_of_days_or_less_are_read() {
    for (text, milliseconds) in [
        ("PT30S", 30_000),
        (" PT5M ", 300_000),
        ("pt1h2m3s", 3_723_000),
        ("PT0.5S", 500),
        ("PT1,25S", 1_250),
        ("PT90M", 5_400_000),
        ("P0DT1S", 1_000),
        ("P1D", 86_400_000),
        ("P2D", 86_400_000),
        ("PT0S", 0),
        ("P99999999D", 86_400_000),
        ("PT99999999999999999999999999999999999999999999S", 86_400_000),
    ] {
        assert_eq!(
            retry_back_off(text),
            Ok(Some(Duration::from_millis(milliseconds))),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_length_is_refused() {
    use InvalidLength::{Calendar, Negative, Unreadable};
    for (text, why) in [
        ("P1Y", Calendar),
        ("P1M", Calendar),
        ("P1W", Calendar),
        ("P1Y2DT1S", Calendar),
        ("-PT5S", Negative),
        ("PT-5S", Negative),
        ("\u{2212}PT5S", Negative),
        ("5m", Unreadable),
        ("30", Unreadable),
        ("=PT5S", Unreadable),
        ("P", Unreadable),
        ("PT", Unreadable),
        ("P1DT", Unreadable),
        ("PTS", Unreadable),
        ("PT5", Unreadable),
        ("PT5S5S", Unreadable),
        ("PT5S1M", Unreadable),
        ("PT1.5H", Unreadable),
        ("PT1.0000000001S", Unreadable),
        ("PT.5S", Unreadable),
        ("P1H", Unreadable),
        ("PT1D", Unreadable),
        ("PT 5S", Unreadable),
        ("PT5Sé", Unreadable),
        ("PT\u{665}S", Unreadable),
    ] {
        assert_eq!(retry_back_off(text), Err(why), "{text}");
        assert_eq!(job_timeout(text), Err(why), "{text}");
    }
}

#[test]
fn blank_is_absent_and_only_the_back_off_may_be_zero() {
    for blank in ["", "  ", "\n"] {
        assert_eq!(retry_back_off(blank), Ok(None));
        assert_eq!(job_timeout(blank), Ok(None));
    }
    for zero in ["PT0S", "P0D", "PT0.000S"] {
        assert_eq!(retry_back_off(zero), Ok(Some(Duration::ZERO)));
        assert_eq!(job_timeout(zero), Err(InvalidLength::Zero));
    }
}

#[test]
fn a_message_is_cut_between_characters() {
    let short = "x".repeat(6_000);
    assert_eq!(cut(&short), short);
    assert_eq!(cut(&"x".repeat(6_001)), short);
    // U+1F600 takes two UTF-16 units and four bytes.
    assert_eq!(cut(&"\u{1F600}".repeat(3_001)).chars().count(), 3_000);
    assert_eq!(cut(&format!("x{}", "\u{1F600}".repeat(3_000))).chars().count(), 3_000);
    assert_eq!(cut(&"ü".repeat(7_000)).chars().count(), 6_000);
}
