//! The log's spans of jobs and calls → OpenTelemetry spans.
//!
//! Only the fields of [`ATTRIBUTES`] leave the process, and never the text of an event: what is not in the table cannot be in a trace.

use std::fmt;

use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, Span};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context as LogContext;
use tracing_subscriber::registry::LookupSpan;

/// The log's field, and the attribute. `error.type` is OpenTelemetry's own; it has no names for jobs of process engines.
const ATTRIBUTES: [(&str, &str); 8] = [
    ("jobKey", "camunda.job.key"),
    ("processInstanceKey", "camunda.process_instance.key"),
    ("elementId", "camunda.element.id"),
    ("attempt", "flow_starter.attempt.id"),
    ("call", "flow_starter.call.id"),
    ("outcome", OUTCOME),
    ("flow", "flow_starter.flow"),
    ("kind", "error.type"),
];

const OUTCOME: &str = "flow_starter.outcome";

/// The log's target of these spans, its name, and how the span is shown. Names are few, as OpenTelemetry asks: what varies is an attribute.
const SPANS: [(&str, &str, SpanKind); 2] = [
    ("job", "process job", SpanKind::Consumer),
    ("call", "start flow", SpanKind::Client),
];
const TARGET: &str = "flow_starter_worker";

/// Makes spans. See the module `traces`.
#[derive(Debug)]
pub struct TraceLayer(SdkTracer);

impl TraceLayer {
    pub(super) const fn new(tracer: SdkTracer) -> Self {
        Self(tracer)
    }
}

/// The OpenTelemetry span beside one of the log's.
struct Live(Span);

impl Live {
    /// A value that comes again replaces the one before. A job's outcome is the last that is known of it: a worker whose end is forced leaves
    /// its call behind, and the log's span is then open for as long as the call.
    fn record(&mut self, Found(attributes): Found) {
        let is_over = attributes.iter().any(|attribute| attribute.key.as_str() == OUTCOME);
        for attribute in attributes {
            if attribute.key.as_str() == "error.type" {
                self.0.set_status(Status::error(attribute.value.to_string()));
            }
            self.0.set_attribute(attribute);
        }
        if is_over {
            self.0.end();
        }
    }
}

impl<S> Layer<S> for TraceLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: LogContext<'_, S>) {
        let (Some(span), Some((_, name, kind))) = (context.span(id), traced(attributes.metadata())) else {
            return;
        };
        let parent = span.scope().skip(1).find_map(|outer| {
            let extensions = outer.extensions();
            let Live(live) = extensions.get::<Live>()?;
            Some(live.span_context().clone())
        });
        let parent = parent.map_or_else(Context::new, |parent| Context::new().with_remote_span_context(parent));
        let mut found = Found::default();
        attributes.record(&mut found);
        let builder = self.0.span_builder(*name).with_kind(kind.clone());
        let mut live = Live(builder.start_with_context(&self.0, &parent));
        live.record(found);
        span.extensions_mut().insert(live);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: LogContext<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(live) = span.extensions_mut().get_mut::<Live>()
        {
            let mut found = Found::default();
            record.record(&mut found);
            live.record(found);
        }
    }

    /// An event says how its innermost job or call went on.
    fn on_event(&self, event: &Event<'_>, context: LogContext<'_, S>) {
        let mut found = Found::default();
        event.record(&mut found);
        if found.0.is_empty() {
            return;
        }
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(live) = span.extensions_mut().get_mut::<Live>() {
                live.record(found);
                return;
            }
        }
    }

    fn on_close(&self, id: Id, context: LogContext<'_, S>) {
        if let Some(span) = context.span(&id)
            && let Some(Live(mut live)) = span.extensions_mut().remove::<Live>()
        {
            live.end();
        }
    }
}

fn traced(metadata: &Metadata<'_>) -> Option<&'static (&'static str, &'static str, SpanKind)> {
    SPANS
        .iter()
        .find(|(name, ..)| metadata.target() == TARGET && metadata.name() == *name)
}

/// The fields that are in the table.
#[derive(Default)]
struct Found(Vec<KeyValue>);

impl Found {
    fn add(&mut self, field: &Field, value: impl Into<String>) {
        if let Some((_, name)) = ATTRIBUTES.iter().find(|(own, _)| *own == field.name()) {
            self.0.push(KeyValue::new(*name, value.into()));
        }
    }
}

impl Visit for Found {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }
}
