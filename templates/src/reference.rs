//! The table as documentation.

use std::fmt::Write;

use crate::fields::{Binding, FIELDS, Feel, Field, GROUPS, JOB_TYPE, Kind, NOT_CHOSEN, UNUSED};

const BEGINNING: &str = "\
# Fields of the form

<!-- Written by `make templates` from the table in templates/src/fields.rs: change it there. -->

The groups and fields, in the form's order. An *input* becomes a variable of the job, a *header* a task header. Fields marked **+**
are not in Camunda's own template; all others have the same name there and keep their values. Fields marked `fx` accept a
FEEL expression (in the form: begin with `=`).
";

const ENDING: &str = "\
- The form always writes every input. An input whose field is not shown is null (`=null`), so that a process variable of the same name cannot
  take its place.
";

/// The file's text.
#[must_use]
pub fn markdown() -> String {
    let mut text = BEGINNING.to_owned();
    for (group, _, title) in GROUPS {
        // Writing to a String does not fail.
        let _ = write!(text, "\n## {title}\n\n| field | becomes | meaning |\n|---|---|---|\n");
        for field in FIELDS
            .iter()
            .filter(|field| field.group == group && field.kind != Kind::Hidden)
        {
            let _ = writeln!(
                text,
                "| **{}**{}{} | {} | {} |",
                field.label,
                if field.ours { " **+**" } else { "" },
                if matches!(field.feel, Feel::Optional | Feel::Required) {
                    " `fx`"
                } else {
                    ""
                },
                becomes(field.binding),
                enter(field)
            );
        }
    }
    let _ = write!(text, "\n## Hidden values\n\n- The job's type is `{JOB_TYPE}`.\n");
    for field in FIELDS {
        if let (Kind::Hidden, Binding::Input(name), Some(value)) = (field.kind, field.binding, field.default)
            && value != UNUSED
        {
            let _ = writeln!(
                text,
                "- Input `{name}` is `{value}` {}.",
                shown(field).unwrap_or_default()
            );
        }
    }
    text.push_str(ENDING);
    text
}

fn becomes(binding: Binding) -> String {
    match binding {
        Binding::Input(name) => format!("input `{name}`"),
        Binding::Header(key) => format!("header `{key}`"),
        Binding::Retries => "the job's retries".to_owned(),
        Binding::JobType => "the job's type".to_owned(),
        Binding::Property(_) => "nothing: it selects other fields".to_owned(),
    }
}

fn enter(field: &Field) -> String {
    let mut parts = vec![cell(field.hint)];
    if let Kind::Choice(choices) = field.kind {
        let list: Vec<_> = choices
            .iter()
            .map(|(value, name)| {
                if value == name {
                    format!("`{value}`")
                } else {
                    format!("{} (`{value}`)", cell(name))
                }
            })
            .collect();
        parts.push(format!("Choices: {}.", list.join(", ")));
    }
    if let Some(pattern) = field.pattern {
        let rule = pattern.message.strip_prefix("must ").unwrap_or(pattern.message);
        parts.push(format!("It must {}.", cell(rule)));
    }
    match (field.default, field.required) {
        (Some(value), _) => parts.push(format!("Default: `{}`.", value.strip_prefix('=').unwrap_or(value))),
        (None, true) => parts.push("Required.".to_owned()),
        (None, false) => parts.push("Optional.".to_owned()),
    }
    if let Some(placeholder) = field.placeholder {
        parts.push(format!("Example: `{placeholder}`."));
    }
    if let Some(when) = shown(field) {
        parts.push(format!("Shown {when}."));
    }
    parts.join(" ")
}

fn shown(field: &Field) -> Option<String> {
    let (id, values) = field.condition?;
    let chooser = crate::fields::field(id)?;
    let names: Vec<_> = values
        .iter()
        .filter(|value| **value != NOT_CHOSEN)
        .map(|value| match chooser.kind {
            Kind::Choice(choices) => choices
                .iter()
                .find(|(known, _)| known == value)
                .map_or(*value, |(_, name)| name),
            _ => value,
        })
        .collect();
    Some(format!("when *{}* is {}", chooser.label, names.join(" or ")))
}

/// A bar would end the cell; braces and the like are taken as they are.
fn cell(text: &str) -> String {
    text.replace('|', r"\|").replace('<', "&lt;")
}
