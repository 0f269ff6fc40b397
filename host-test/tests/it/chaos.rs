//! The judge of `make chaos` finds each broken promise, and nothing where all were kept.

use host_test::chaos::facts::{Claim, End, JobFacts, Report, Request};
use host_test::chaos::judge::{Broken, judge};
use host_test::chaos::plan::{Conduct, Happening, OnUnknown, Plan};
use servicenow_stand_in::Fault;

fn request(worker: &str, conduct: Conduct, started: Option<&str>) -> Request {
    Request {
        worker: worker.to_owned(),
        conduct,
        started: started.map(str::to_owned),
    }
}

fn report(attempt: &str, claim: Claim) -> Report {
    let message = match claim {
        Claim::NotStarted => "The flow was not started.",
        Claim::Started => "The flow was started, but …",
        Claim::Retry | Claim::Unknown | Claim::Error | Claim::Other => "It is unknown whether the flow was started.",
    };
    Report {
        attempt: Some(attempt.to_owned()),
        claim,
        message: message.to_owned(),
        incident: true,
        resolved: false,
        after_unknown: false,
    }
}

/// One attempt, one request, one flow, completed with it.
fn completed() -> JobFacts {
    JobFacts {
        number: 1,
        on_unknown: OnUnknown::Incident,
        end: End::Completed(r#"{"result":{"executionId":"FLOW"}}"#.to_owned()),
        requests: vec![request("a", Conduct::Normal, Some("FLOW"))],
        marks: vec![("a-1".to_owned(), "a".to_owned())],
        reports: Vec::new(),
        touched: false,
        resolves: 0,
    }
}

/// The first attempt is reported as unknown, though it started a flow; a second one completes the job.
fn started_twice() -> JobFacts {
    let mut job = completed();
    job.requests
        .insert(0, request("b", Conduct::Fault(Fault::Reset), Some("FIRST")));
    job.marks.insert(0, ("b-1".to_owned(), "b".to_owned()));
    job.reports.push(report("b-1", Claim::Unknown));
    job
}

#[test]
fn a_completed_job_breaks_no_promise() {
    assert_eq!(judge(&completed()), []);
}

#[test]
fn a_second_start_needs_a_decision() {
    let mut job = started_twice();
    assert_eq!(judge(&job), [Broken::SecondStart]);
    job.reports[0].resolved = true;
    assert_eq!(judge(&job), []);
    job.reports[0] = report("b-1", Claim::Retry);
    assert_eq!(judge(&job), []);
    job.reports[0] = Report {
        attempt: None,
        resolved: true,
        ..report("", Claim::Error)
    };
    assert_eq!(judge(&job), []);
}

#[test]
fn a_resolve_after_not_started_permits_no_second_flow() {
    let mut job = started_twice();
    job.reports[0] = Report {
        resolved: true,
        ..report("b-1", Claim::NotStarted)
    };
    assert_eq!(judge(&job), [Broken::SecondStart, Broken::FalseNotStarted]);
}

#[test]
fn a_job_that_nobody_ends_is_lost() {
    let job = JobFacts {
        end: End::Open("activatable"),
        ..completed()
    };
    assert_eq!(judge(&job), [Broken::Lost]);
}

#[test]
fn a_completion_needs_a_flow_of_the_jobs_own() {
    let mut job = completed();
    job.requests[0].started = Some("ANOTHER".to_owned());
    assert_eq!(judge(&job), [Broken::FalseCompletion]);
    job.requests[0].conduct = Conduct::Fault(Fault::CloseWithinBody);
    assert_eq!(judge(&job), [Broken::FalseCompletion]);
    job.end = End::Completed(r#"{"result":{"executionId":null}}"#.to_owned());
    assert_eq!(judge(&job), []);
    job.requests[0].conduct = Conduct::Normal;
    assert_eq!(judge(&job), [Broken::FalseCompletion]);
    job.touched = true;
    assert_eq!(judge(&job), []);
    job.requests[0].started = None;
    assert_eq!(judge(&job), [Broken::FalseCompletion]);
}

#[test]
fn an_incident_must_not_deny_a_flow() {
    let mut job = JobFacts {
        end: End::Incident,
        reports: vec![report("a-1", Claim::NotStarted)],
        ..completed()
    };
    assert_eq!(judge(&job), [Broken::FalseNotStarted]);
    job.requests[0].started = None;
    assert_eq!(judge(&job), []);
}

#[test]
fn an_incident_must_not_claim_a_flow() {
    let mut job = JobFacts {
        end: End::Incident,
        reports: vec![report("a-1", Claim::Started)],
        ..completed()
    };
    assert_eq!(judge(&job), []);
    job.requests[0].started = None;
    assert_eq!(judge(&job), [Broken::FalseStarted]);
}

#[test]
fn unknown_needs_a_cause() {
    let mut job = JobFacts {
        end: End::Incident,
        reports: vec![report("a-1", Claim::Unknown)],
        ..completed()
    };
    assert_eq!(judge(&job), [Broken::NeedlesslyUnknown]);
    let open = Conduct::Fault(Fault::Cancelled);
    job.requests[0].conduct = open;
    assert_eq!(judge(&job), []);
    job.requests[0].conduct = Conduct::Normal;
    job.touched = true;
    assert_eq!(judge(&job), []);
}

#[test]
fn the_words_must_say_what_the_state_says() {
    let mut job = started_twice();
    job.reports[0].resolved = true;
    job.reports[0].message = "The flow was not started.".to_owned();
    assert_eq!(judge(&job), [Broken::Words]);
}

#[test]
fn not_started_after_an_unknown_attempt_speaks_of_itself_alone() {
    let mut job = JobFacts {
        end: End::Incident,
        reports: vec![report("a-1", Claim::NotStarted)],
        ..completed()
    };
    job.requests[0].started = None;
    job.reports[0].after_unknown = true;
    assert_eq!(judge(&job), [Broken::Words]);
    job.reports[0].message = "This attempt did not start the flow; an earlier attempt may have started it.".to_owned();
    assert_eq!(judge(&job), []);
    job.reports[0].after_unknown = false;
    assert_eq!(judge(&job), [Broken::Words]);
}

#[test]
fn a_request_needs_a_mark() {
    let mut job = completed();
    job.marks.clear();
    assert_eq!(judge(&job), [Broken::Unmarked]);
}

#[test]
fn the_same_seed_makes_the_same_plan() {
    let plan = Plan::new(7, 500);
    assert_eq!(plan, Plan::new(7, 500));
    assert_ne!(plan, Plan::new(8, 500));
    // Another number of jobs changes the events, and none of the jobs.
    assert_eq!(plan.jobs[..400], Plan::new(7, 400).jobs);
    let has = |what: fn(&Happening) -> bool| plan.events.iter().any(|event| what(&event.what));
    assert!(has(|what| matches!(what, Happening::Kill(_))));
    assert!(has(|what| matches!(what, Happening::Terminate(_))));
    assert!(has(|what| matches!(what, Happening::Pause(..))));
    assert!(has(|what| matches!(what, Happening::Requests(..))));
}
