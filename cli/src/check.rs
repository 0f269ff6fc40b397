//! `flow-starter check`: tests the connection and the credentials step by step, without starting a flow.
//! | file | contents |
//! |---|---|
//! | `probe_report` | the connection's steps, and advice for one that fails |
//! | `answer` | the same for the one request: is the instance awake, are the credentials valid, do the clocks agree |
//!
//! An administrator elsewhere may read the output: it contains no credential, no header except the date, no body.

mod answer;
mod probe_report;

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use flow_starter_host::egress::Destinations;
use flow_starter_host::input::Mask;
use flow_starter_host::{Egress, FlowStarter};
use flow_starter_input::json::{self, NotJson};
use serde::Serialize;

use crate::exit::Exit;
use crate::input::Members;
use crate::terminal::{escaped, printable};

/// The default connect timeout of a call.
const STEP_LIMIT: Duration = Duration::from_secs(20);

/// A table that every instance has. A 403 comes only after the credentials are accepted.
const PATH: &str = "/api/now/table/sys_user";

/// The input fields that the check's request keeps: destination, credentials and timeouts.
const KEPT: [&str; 6] = [
    "snInstance",
    "snDomain",
    "snEndpoint",
    "authentication",
    "connectionTimeoutInSeconds",
    "readTimeoutInSeconds",
];

/// The step that fails if the input is invalid.
const INPUT: &str = "input";

/// One step of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Line {
    /// The tested origin, or the input.
    target: String,
    step: &'static str,
    /// `None` if skipped.
    ok: Option<bool>,
    detail: String,
    /// What to do, if it failed.
    fix: Option<String>,
}

/// A step's result, without its target.
type StepReport = (&'static str, Verdict);

/// The result of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Passed(String),
    /// The reason, and what to do.
    Failed(String, String),
    Skipped(String),
}

impl Verdict {
    fn not_reached() -> Self {
        Self::Skipped("not reached".to_owned())
    }
}

/// Reports on each step from the policy to the credentials; the worst one decides the exit code.
///
/// # Errors
/// If the report cannot be written.
pub(crate) async fn check(
    starter: &FlowStarter,
    egress: &Egress,
    input_json: &str,
    warnings: &[String],
    colours: bool,
    json: bool,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let mut report = Report {
        out,
        colours,
        json,
        mask: Mask::default(),
        lines: Vec::new(),
    };
    report.warn(warnings);
    let question = match members(input_json) {
        Ok(input) => question(input),
        Err(why) => {
            let fix = "Write an object with the template's fields: {\"snInstance\": \"acme\", …}.";
            report.add("the input", (INPUT, Verdict::Failed(why, fix.to_owned())))?;
            return report.end();
        }
    };
    let prepared = starter.prepare(&question).await;
    let named = match &prepared {
        Ok(call) => {
            // A name from a secret is masked.
            report.mask = call.mask().clone();
            call.destinations()
        }
        // The destination may be known, and reachable, even if a secret is missing.
        Err(_) => Destinations::of_json(&question),
    };
    let refused = |message| {
        let fix = "Fix this in the input, or in the secret that it uses.".to_owned();
        (INPUT, Verdict::Failed(message, fix))
    };
    let Some(flow) = named.flow() else {
        let why = prepared.err().map(|error| error.message);
        let why = why.unwrap_or_else(|| "it does not say which host to call".to_owned());
        report.add("the input", refused(why))?;
        return report.end();
    };
    let elsewhere = named.token().filter(|token| *token != flow);
    let mut open = true;
    if let Some(token) = elsewhere {
        let probe = egress.probe(token, STEP_LIMIT).await;
        open &= probe.passed();
        report.add_all(
            &token.to_string(),
            probe_report::steps(&probe, "authentication.oauthTokenEndpoint"),
        )?;
    }
    let probe = egress.probe(flow, STEP_LIMIT).await;
    open &= probe.passed();
    let target = flow.to_string();
    report.add_all(&target, probe_report::steps(&probe, "snInstance (or snEndpoint)"))?;

    let authentication = prepared.as_ref().ok().map(|call| &call.config().authentication);
    let asked = answer::Asked {
        credentials: authentication.map_or(answer::Credentials::None, answer::Credentials::of),
        oauth: named.token().is_some(),
        token_elsewhere: elsewhere.is_some(),
    };
    let call = match prepared {
        Ok(call) if open => call,
        prepared => {
            if let Err(error) = prepared {
                report.add(&target, refused(error.message))?;
            }
            report.add_all(&target, asked.not_reached())?;
            report.add(&target, not_tried())?;
            return report.end();
        }
    };
    let sent = SystemTime::now();
    let outcome = starter.start(call).await;
    report.add_all(&target, asked.steps(&outcome, sent, SystemTime::now()))?;
    report.add(&target, not_tried())?;
    report.end()
}

/// The step that a check omits: every request to a flow's path starts the flow.
fn not_tried() -> StepReport {
    let why =
        "not tested: a check starts no flow, so a wrong path, method or role shows only when you trigger the flow";
    ("flow", Verdict::Skipped(why.to_owned()))
}

fn members(input: &str) -> Result<Members, String> {
    match json::parse(input) {
        Ok(_) => Members::of(input).ok_or_else(|| "it is not a JSON object".to_owned()),
        Err(NotJson { line, column }) => Err(format!("it is not JSON (line {line}, column {column})")),
    }
}

/// Turns the input into a request that starts no flow.
fn question(mut input: Members) -> String {
    input.retain(&KEPT);
    for timeout in ["connectionTimeoutInSeconds", "readTimeoutInSeconds"] {
        if input.get(timeout).is_some_and(is_zero) {
            input.set(timeout, "null".to_owned());
        }
    }
    input.set("method", json::quote("GET"));
    input.set("restApiTriggerPath", json::quote(PATH));
    // Only the ID of a user's record.
    let query = "{\"sysparm_fields\":\"sys_id\",\"sysparm_limit\":\"1\"}";
    input.set("queryParameters", query.to_owned());
    input.to_json()
}

/// A timeout of zero means none, for slow flows. A check uses the default limits instead.
fn is_zero(value: &str) -> bool {
    value.trim_matches('"').parse() == Ok(0.0)
}

/// The indent of a step's text: the width of its mark and name.
const INDENT: &str = "               ";
/// A line width that mail does not break, without the indent.
const WIDTH: usize = 90;

/// Wraps text and indents each further line.
fn wrapped(text: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + length >= WIDTH {
            lines.push('\n');
            lines.push_str(INDENT);
            width = 0;
        } else if width > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += length;
    }
    lines
}

/// The report: lines as they come, or JSON at the end.
struct Report<'a> {
    out: &'a mut dyn Write,
    colours: bool,
    json: bool,
    /// What masks the input's secrets.
    mask: Mask,
    lines: Vec<Line>,
}

impl Report<'_> {
    /// For JSON output; people have seen them on standard error.
    fn warn(&mut self, warnings: &[String]) {
        if self.json {
            self.lines.extend(warnings.iter().map(|warning| Line {
                target: "the input".to_owned(),
                step: "warning",
                ok: None,
                detail: warning.clone(),
                fix: None,
            }));
        }
    }

    fn add_all(&mut self, target: &str, steps: Vec<StepReport>) -> io::Result<()> {
        steps.into_iter().try_for_each(|step| self.add(target, step))
    }

    fn add(&mut self, target: &str, (step, verdict): StepReport) -> io::Result<()> {
        let (ok, detail, fix) = match verdict {
            Verdict::Passed(detail) => (Some(true), detail, None),
            Verdict::Failed(why, fix) => (Some(false), why, Some(fix)),
            Verdict::Skipped(why) => (None, why, None),
        };
        let line = Line {
            target: self.mask.text(target.to_owned()),
            step,
            ok,
            detail: self.mask.text(detail),
            fix: fix.map(|fix| self.mask.text(fix)),
        };
        if !self.json {
            self.show(&line)?;
        }
        self.lines.push(line);
        Ok(())
    }

    fn show(&mut self, line: &Line) -> io::Result<()> {
        if self.lines.last().is_none_or(|last| last.target != line.target) {
            let gap = if self.lines.is_empty() { "" } else { "\n" };
            writeln!(self.out, "{gap}{}", line.target)?;
        }
        let (mark, colour) = match line.ok {
            Some(true) => ('✓', "32"),
            Some(false) => ('✗', "31"),
            None => ('–', "2"),
        };
        if self.colours {
            write!(self.out, "\x1b[{colour}m{mark}\x1b[0m")?;
        } else {
            write!(self.out, "{mark}")?;
        }
        writeln!(self.out, " {:<12} {}", line.step, wrapped(&printable(&line.detail)))?;
        if let Some(fix) = &line.fix {
            writeln!(self.out, "{INDENT}{}", wrapped(&printable(&format!("To do: {fix}"))))?;
        }
        // The next step may take long.
        self.out.flush()
    }

    fn end(self) -> anyhow::Result<Exit> {
        if self.json {
            writeln!(self.out, "{}", escaped(&serde_json::to_string_pretty(&self.lines)?))?;
        }
        let failed = || self.lines.iter().filter(|line| line.ok == Some(false));
        Ok(match failed().count() {
            0 => Exit::Success,
            _ if failed().any(|line| line.step == INPUT) => Exit::BadInput,
            _ => Exit::NotStarted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(input: &str) -> String {
        question(Members::of(input).unwrap())
    }

    #[test]
    fn a_check_never_waits_without_a_limit() {
        for none in ["0", "\"0\"", "0.0", "\"0.0\""] {
            let input =
                format!(r#"{{"snInstance":"acme","connectionTimeoutInSeconds":{none},"readTimeoutInSeconds":{none}}}"#);
            let question = asked(&input);
            assert!(
                question.contains(r#""connectionTimeoutInSeconds":null,"#)
                    && question.contains(r#""readTimeoutInSeconds":null,"#),
                "{question}"
            );
        }
    }

    #[test]
    fn a_long_line_is_wrapped_between_words() {
        let long = "a sentence for an administrator, ".repeat(9);
        let lines = wrapped(&long);
        assert!(lines.lines().count() > 2);
        assert!(lines.lines().all(|line| line.trim_start().len() <= WIDTH), "{lines}");
        assert_eq!(lines.replace(&format!("\n{INDENT}"), " "), long);
        assert_eq!(wrapped("short"), "short");
        let word = "x".repeat(200);
        assert_eq!(wrapped(&word), word);
    }

    #[test]
    fn the_check_keeps_destination_and_credentials_only() {
        let input = r#"{"snInstance":"acme","snDomain":"example.com","snEndpoint":null,"authentication":{"type":"basic"},
            "connectionTimeoutInSeconds":3,"readTimeoutInSeconds":"4","maxResponseBytes":1,"method":"POST",
            "restApiTriggerPath":"/api/x/my_flow","headers":{"x-a":"b"},"queryParameters":{"c":"d"},"body":{"e":1}}"#;
        assert_eq!(
            asked(input),
            r#"{"snInstance":"acme","snDomain":"example.com","snEndpoint":null,"authentication":{"type":"basic"},"connectionTimeoutInSeconds":3,"readTimeoutInSeconds":"4","method":"GET","restApiTriggerPath":"/api/now/table/sys_user","queryParameters":{"sysparm_fields":"sys_id","sysparm_limit":"1"}}"#
        );
    }
}
