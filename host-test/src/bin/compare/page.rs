//! `docs/compared.md`: the numbers, the table, the reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::Compared;
use crate::facts::Facts;
use crate::reasons::Reasons;

/// Writes the page.
pub fn write(page: &Path, all: &[Compared], reasons: &Reasons) -> Result<()> {
    let text = [
        beginning(all),
        numbers(all),
        totals(all),
        table(all, reasons),
        differences(all, reasons),
    ]
    .join("\n");
    std::fs::write(page, text).with_context(|| page.display().to_string())
}

fn beginning(all: &[Compared]) -> String {
    format!(
        "# Side by side with Camunda's connector runtime\n\n\
        `make compare` writes this page. The same {} jobs go to Camunda's own connector runtime (8.8.7, as a job worker over REST) and to\n\
        `flow-starter worker`, each with a test cluster and a stand-in ServiceNow of its own. The jobs, and the reason for each difference, are\n\
        data in [host-test/compare](../host-test/compare/); a difference without a reason fails the run. `make compare-camunda` compares the\n\
        connector alone, with more inputs ([Coming from Camunda's own template](coming-from-camunda.md)).\n",
        all.len()
    )
}

/// What ours is for.
fn numbers(all: &[Compared]) -> String {
    let mut text = "## Flows started\n\nEach line is one job that asks for one flow, with three retries. Nobody resolves an incident.\n\n\
        | what happens | Camunda's runtime | `flow-starter worker` |\n|---|---|---|\n"
        .to_owned();
    for compared in all {
        if let Some(number) = &compared.case.number {
            let [theirs, own] = [&compared.camunda, &compared.ours].map(in_words);
            let _never_fails = writeln!(text, "| {number} | {theirs} | {own} |");
        }
    }
    text
}

fn in_words(facts: &Facts) -> String {
    let plural = if facts.flows == 1 { "" } else { "s" };
    let requests = facts.requests.len();
    let requests = format!("{requests} request{}", if requests == 1 { "" } else { "s" });
    format!("**{} flow{plural}**, {requests}, {}", facts.flows, facts.outcome)
}

fn totals(all: &[Compared]) -> String {
    let count = |fits: &dyn Fn(&Facts) -> bool| {
        let of = |side: for<'b> fn(&'b Compared<'_>) -> &'b Facts| all.iter().filter(|it| fits(side(it))).count();
        [of(|it| &it.camunda), of(|it| &it.ours)]
    };
    let flows: [usize; 2] = [
        all.iter().map(|it| it.camunda.flows).sum(),
        all.iter().map(|it| it.ours.flows).sum(),
    ];
    let mut text = "| in all jobs | Camunda's runtime | `flow-starter worker` |\n|---|---|---|\n".to_owned();
    // An author may ask to ignore an error.
    let as_if_started = |of: for<'b> fn(&'b Compared<'_>) -> &'b Facts| {
        let own = all.iter().filter(|it| !it.case.headers.contains_key("errorExpression"));
        own.filter(|it| of(it).flows == 0 && of(it).outcome == "completed")
            .count()
    };
    let lines = [
        ("flows started", flows),
        ("jobs whose flow was started more than once", count(&|it| it.flows > 1)),
        (
            "jobs completed as if a flow had been started",
            [as_if_started(|it| &it.camunda), as_if_started(|it| &it.ours)],
        ),
        ("jobs with an incident", count(&|it| it.outcome.starts_with("incident"))),
    ];
    for (what, [camunda, ours]) in lines {
        let _never_fails = writeln!(text, "| {what} | {camunda} | {ours} |");
    }
    let both: Vec<_> = all.iter().filter(|it| it.both_completed_one_flow()).collect();
    let same = both.iter().filter(|it| it.in_row("variables").is_empty()).count();
    let _never_fails = write!(
        text,
        "\nBoth completed {} jobs with one flow started. In {same} of these the variables are the same, apart from what holds\n\
        [in every job](#differences-in-every-job).",
        both.len()
    );
    let others: Vec<_> = both.iter().filter(|it| !it.in_row("variables").is_empty()).collect();
    if !others.is_empty() {
        let names: Vec<_> = others.iter().map(|it| format!("*{}*", it.case.name)).collect();
        let _never_fails = write!(text, " The others: {}.", names.join(", "));
    }
    text.push('\n');
    text
}

impl Compared<'_> {
    fn both_completed_one_flow(&self) -> bool {
        [&self.camunda, &self.ours]
            .iter()
            .all(|it| it.flows == 1 && it.outcome == "completed")
    }

    /// What differs below this aspect, for a reason that does not hold in every job.
    fn in_row(&self, aspect: &str) -> Vec<&str> {
        let below = format!("{aspect}.");
        let expected = self.case.expected.ids();
        let found = self.differences.iter().filter_map(|(difference, reason)| {
            let own = reason.as_ref().is_some_and(|reason| expected.contains(reason));
            let inside = difference.aspect.strip_prefix(&below);
            inside.or((difference.aspect == aspect).then_some("")).filter(|_| own)
        });
        found.collect()
    }
}

fn table(all: &[Compared], reasons: &Reasons) -> String {
    let mut text = "## Every job\n\n\
        *request* is what arrives at ServiceNow first: the same, or what differs. Where one cell has two values, the first is that of Camunda's\n\
        runtime. *retries* are those that each failure leaves. Differences that are found [in every job](#differences-in-every-job) are left out.\n"
        .to_owned();
    let mut group = "";
    for compared in all {
        if compared.case.group != group {
            group = &compared.case.group;
            let _never_fails = write!(
                text,
                "\n### {group}\n\n\
                | job | requests | request | flows | end | retries | back-offs | `error.code` | variables | differences |\n\
                |---|---|---|---|---|---|---|---|---|---|\n"
            );
        }
        text.push_str(&row(compared, reasons));
    }
    text
}

fn row(compared: &Compared, reasons: &Reasons) -> String {
    let Compared {
        case, camunda, ours, ..
    } = compared;
    let mut ids: Vec<_> = compared
        .differences
        .iter()
        .filter_map(|(_, reason)| reason.as_deref())
        .collect();
    ids.retain(|id| case.expected.ids().iter().any(|own| own == id));
    ids.sort_unstable();
    ids.dedup();
    let links = ids
        .iter()
        .filter(|id| reasons.why(id).is_some())
        .map(|id| format!("[{id}](#{id})"));
    let cells = [
        case.name.clone(),
        pair(camunda, ours, |it| it.requests.len().to_string()),
        same_or(&compared.in_row("request"), "same"),
        pair(camunda, ours, |it| it.flows.to_string()),
        pair(camunda, ours, |it| it.outcome.clone()),
        pair(camunda, ours, |it| {
            it.retries.iter().map(i32::to_string).collect::<Vec<_>>().join(" ")
        }),
        pair(camunda, ours, backoffs),
        pair(camunda, ours, |it| it.error.get("code").map(plain).unwrap_or_default()),
        variables(compared),
        links.collect::<Vec<_>>().join(", "),
    ];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

/// One value where both have the same.
fn pair(camunda: &Facts, ours: &Facts, of: impl Fn(&Facts) -> String) -> String {
    let (theirs, own) = (of(camunda), of(ours));
    let shown = |text: String| if text.is_empty() { "–".to_owned() } else { text };
    match theirs == own {
        true => own,
        false => format!("{} / {}", shown(theirs), shown(own)),
    }
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Nothing where none of them has a length.
fn backoffs(facts: &Facts) -> String {
    let waits = facts.backoffs.iter().any(|length| length != "PT0S");
    if waits { facts.backoffs.join(" ") } else { String::new() }
}

fn same_or(differing: &[&str], same: &str) -> String {
    match differing {
        [] => same.to_owned(),
        names => names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// The names of the variables; or those that differ.
fn variables(compared: &Compared) -> String {
    let names = |facts: &Facts| -> BTreeSet<String> {
        let variables = facts.variables.as_object();
        let names = variables.into_iter().flat_map(|it| it.keys().cloned());
        names.filter(|name| name != "flowStarterOutcome").collect()
    };
    if compared.camunda.outcome != compared.ours.outcome {
        return pair(&compared.camunda, &compared.ours, |it| {
            names(it).into_iter().collect::<Vec<_>>().join(" ")
        });
    }
    let differing = compared.in_row("variables");
    match differing.is_empty() {
        true => names(&compared.ours).into_iter().collect::<Vec<_>>().join(" "),
        false => format!("differ: {}", same_or(&differing, "")),
    }
}

fn differences(all: &[Compared], reasons: &Reasons) -> String {
    let mut jobs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for compared in all {
        for (_, reason) in &compared.differences {
            if let Some(id) = reason {
                jobs.entry(id).or_default().insert(&compared.case.name);
            }
        }
    }
    let mut text = "## Differences\n\nEach with its reason, and the number of jobs that show it.\n\n".to_owned();
    let number = |id: &str| jobs.get(id).map_or(0, BTreeSet::len);
    for (id, why, everywhere) in reasons.all() {
        if !everywhere {
            let _never_fails = writeln!(text, "- <a id=\"{id}\"></a>**{id}** ({}): {why}", number(id));
        }
    }
    text.push_str("\n### Differences in every job\n\nWherever a request, a response or a failure shows them.\n\n");
    for (id, why, everywhere) in reasons.all() {
        if everywhere {
            let _never_fails = writeln!(text, "- <a id=\"{id}\"></a>**{id}**: {why}");
        }
    }
    text
}
