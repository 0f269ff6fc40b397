//! OpenTelemetry traces: where they go, what is in them, and that they never cost a job.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use serde_json::json;
use servicenow_stand_in::{Behaviour, Fault};

use super::collector::{Collector, Manner, text};
use super::harness::{PASSWORD, Program, Rig, Worker, job, job_with};

fn traced(rig: &Rig, collector: &Collector) -> Worker {
    rig.worker()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())
        .args(&["--request-timeout", "200ms"])
}

/// Asks the program to end. Its exit code must be 0.
fn ends(program: Program) -> Vec<String> {
    program.signal("-TERM");
    let (code, lines) = program.ended();
    assert_eq!(code, Some(0), "{lines:#?}");
    lines
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[test]
fn a_job_is_a_span_and_its_call_a_span_in_it() {
    let (rig, collector) = (Rig::new(), Collector::start(Manner::Takes));
    let key = rig.create(job().element("a-process", "a-task"));
    let program = traced(&rig, &collector).start();
    rig.completed(key);
    ends(program);
    let all = collector.spans();
    assert_eq!(text(&all[0].0, "service.name"), "flow-starter-worker");
    let spans: Vec<Span> = all.into_iter().map(|(_, span)| span).collect();
    let (jobs, calls) = (named(&spans, "process job"), named(&spans, "start flow"));
    assert_eq!((jobs.len(), calls.len()), (1, 1), "{spans:#?}");
    let (of_job, of_call) = (jobs[0], calls[0]);
    let known = rig.cluster.job(key).unwrap();
    for (name, value) in [
        ("camunda.job.key", key.to_string()),
        ("camunda.process_instance.key", known.instance.to_string()),
        ("camunda.element.id", "a-task".to_owned()),
        ("flow_starter.outcome", "completed".to_owned()),
        ("flow_starter.flow", "started".to_owned()),
    ] {
        assert_eq!(text(&of_job.attributes, name), value, "{name}: {of_job:#?}");
    }
    let attempt = known.local["flowStarterAttempt"]["id"].as_str().unwrap();
    assert_eq!(text(&of_job.attributes, "flow_starter.attempt.id"), attempt);
    assert_eq!(text(&of_call.attributes, "flow_starter.flow"), "started");
    assert_eq!(text(&of_call.attributes, "flow_starter.call.id").len(), 16);
    assert_eq!(
        (of_job.kind, of_call.kind),
        (SpanKind::Consumer as i32, SpanKind::Client as i32)
    );
    assert!(of_job.parent_span_id.is_empty());
    assert_eq!(
        (&of_call.parent_span_id, &of_call.trace_id),
        (&of_job.span_id, &of_job.trace_id)
    );
    assert!(of_job.start_time_unix_nano <= of_call.start_time_unix_nano);
    assert!(of_call.end_time_unix_nano <= of_job.end_time_unix_nano);
}

#[test]
fn the_log_keeps_its_ids_with_and_without_traces() {
    let collector = Collector::start(Manner::Takes);
    for traces in [true, false] {
        let rig = Rig::new();
        let key = rig.create(job());
        let worker = if traces { traced(&rig, &collector) } else { rig.worker() };
        let program = worker.start();
        rig.completed(key);
        for message in ["certificate authorities of the system", "the flow has started"] {
            let line = program.says(message);
            assert_eq!(line["jobKey"], key.to_string().as_str(), "{line}");
            assert_eq!(line["call"].as_str().map(str::len), Some(16), "{line}");
        }
    }
}

#[test]
fn a_failed_call_is_an_error_with_its_type() {
    let (rig, collector) = (Rig::new(), Collector::start(Manner::Takes));
    rig.flow_once(Behaviour::status(403));
    let key = rig.create(job());
    let program = traced(&rig, &collector).env("OTEL_SERVICE_NAME", "eu-worker").start();
    rig.incident(key);
    ends(program);
    let all = collector.spans();
    assert_eq!(all.len(), 2, "{all:#?}");
    for (about, span) in &all {
        assert_eq!(text(about, "service.name"), "eu-worker");
        assert_eq!(text(&span.attributes, "error.type"), "forbidden", "{span:#?}");
        assert_eq!(text(&span.attributes, "flow_starter.flow"), "not-started");
        assert_eq!(span.status.as_ref().unwrap().code, StatusCode::Error as i32);
    }
}

#[test]
fn no_secret_is_in_a_trace_and_no_trace_in_a_request() {
    let (rig, collector) = (Rig::new(), Collector::start(Manner::Takes));
    // The server echoes the credentials, in a success and in an error.
    rig.flow_once(Behaviour::status(403));
    let failed = rig.create(job_with(
        json!({"headers": {"x-echo": PASSWORD}, "queryParameters": {"access_token": "se-cret-7"}}),
    ));
    let program = traced(&rig, &collector)
        .env(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20collector-key-1,x-scope=a",
        )
        .start();
    rig.incident(failed);
    let completed = rig.create(job());
    rig.completed(completed);
    let stderr = ends(program).join("\n");
    assert!(!stderr.contains("collector-key-1"), "{stderr}");
    let received = collector.received();
    assert!(!received.is_empty());
    for request in &received {
        assert!(
            request.head.starts_with("POST /v1/traces HTTP/1.1\r\n"),
            "{}",
            request.head
        );
        assert!(request.head.contains("Bearer collector-key-1"), "{}", request.head);
        let body = String::from_utf8_lossy(&request.body);
        for secret in [PASSWORD, "Y2FtdW5kYTpkZW1vLXBhc3N3b3Jk", "se-cret-7", "collector-key-1"] {
            assert!(!body.contains(secret), "{secret}");
        }
    }
    assert_eq!(collector.spans().len(), 4);
    // Exactly what the author configured goes to ServiceNow, and what its API asks for to the cluster.
    for request in rig.stand_in().requests() {
        for name in ["traceparent", "tracestate", "baggage"] {
            assert_eq!(request.header(name).count(), 0, "{name}");
        }
    }
    for request in rig.cluster.requests() {
        assert!(!format!("{:?}", request.headers).contains("traceparent"));
    }
}

#[test]
fn a_collector_that_is_away_or_refuses_costs_no_job() {
    let refusing = Collector::start(Manner::Refuses(401));
    for (url, why) in [
        // No server of a test ever gets this port.
        ("http://127.0.0.1:1".to_owned(), "there is no connection to it"),
        (refusing.url(), "it answered with status 401"),
    ] {
        let rig = Rig::new();
        let keys: Vec<_> = (0..10).map(|_| rig.create(job())).collect();
        let program = rig
            .worker()
            .args(&["--request-timeout", "200ms"])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &url)
            // Many deliveries, each of which fails.
            .env("OTEL_BSP_SCHEDULE_DELAY", "1")
            .start();
        for key in keys {
            rig.completed(key);
        }
        let line = program.says("traces are not delivered to");
        assert!(line["message"].as_str().unwrap().contains(why), "{line}");
        assert_eq!(line["level"], "WARN");
        let lines = ends(program);
        let said = lines
            .iter()
            .filter(|line| line.contains("traces are not delivered"))
            .count();
        assert_eq!(said, 1, "once a minute at most: {lines:#?}");
    }
}

#[test]
fn a_silent_collector_delays_neither_jobs_nor_the_end() {
    let (rig, collector) = (Rig::new(), Collector::start(Manner::Silent));
    let key = rig.create(job());
    let program = traced(&rig, &collector)
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "600000")
        .env("OTEL_BSP_SCHEDULE_DELAY", "1")
        .start();
    rig.completed(key);
    collector.wait(1);
    // While the first delivery hangs.
    let keys: Vec<_> = (0..20).map(|_| rig.create(job())).collect();
    for key in keys {
        rig.completed(key);
    }
    let asked = Instant::now();
    ends(program);
    // The flush takes 5 s at most; the delivery may take ten minutes.
    assert!(asked.elapsed() < Duration::from_secs(60), "{:?}", asked.elapsed());
}

#[test]
fn a_wrong_variable_turns_traces_off_and_nothing_else() {
    for (name, value, why) in [
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "grpc",
            "only `http/protobuf` is supported",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "collector:4317",
            "must be an http or https URL",
        ),
        ("OTEL_TRACES_SAMPLER", "sometimes", "must be one of"),
    ] {
        let (rig, collector) = (Rig::new(), Collector::start(Manner::Takes));
        let key = rig.create(job());
        let program = traced(&rig, &collector).env(name, value).start();
        rig.completed(key);
        let line = program.says("traces are off: ");
        let message = line["message"].as_str().unwrap();
        assert!(message.contains(name) && message.contains(why), "{message}");
        ends(program);
        assert!(collector.received().is_empty());
    }
}

#[test]
fn traces_can_be_turned_off_and_sampled() {
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ] {
        let (rig, collector) = (Rig::new(), Collector::start(Manner::Takes));
        let key = rig.create(job());
        let program = traced(&rig, &collector).env(name, value).start();
        rig.completed(key);
        ends(program);
        assert!(collector.received().is_empty(), "{name}");
    }
}

/// What was left behind is in the trace as well: the span of a job that was in hand ends with the worker.
#[test]
fn a_forced_end_delivers_its_spans() {
    let (rig, collector) = (Rig::new(), Collector::start(Manner::Takes));
    rig.flow_once(Behaviour::Fault(Fault::Silence));
    let key = rig.create(job());
    let program = traced(&rig, &collector).start();
    rig.started(1);
    program.signal("-TERM");
    program.says("shutting down");
    program.signal("-TERM");
    assert_eq!(program.ended().0, Some(1));
    let spans: Vec<Span> = collector.spans().into_iter().map(|(_, span)| span).collect();
    let jobs = named(&spans, "process job");
    assert_eq!(jobs.len(), 1, "{spans:#?}");
    assert_eq!(text(&jobs[0].attributes, "camunda.job.key"), key.to_string());
    assert_eq!(text(&jobs[0].attributes, "flow_starter.outcome"), "stopped");
}
