//! The table as Camunda's element template (schema: `@camunda/zeebe-element-templates-json-schema`).
//!
//! Inputs have no `optional`: it is deprecated, and since 8.8 an empty input is null, which the component reads as absent. `$schema` has no
//! version, because a modeler refuses one newer than its own. There is no `documentationRef`, because these pages have no public address.

use serde::Serialize;

use crate::fields::{
    Binding, Condition, ENGINES, FIELDS, Feel, Field, GROUPS, Group, ID, JOB_TYPE, Kind, NAME, VERSION,
};

const ICON: &str = include_str!("../icon.svg");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Template {
    #[serde(rename = "$schema")]
    schema: &'static str,
    name: &'static str,
    id: &'static str,
    version: u32,
    description: &'static str,
    keywords: [&'static str; 11],
    engines: Engines,
    category: Labelled,
    applies_to: [&'static str; 1],
    element_type: ElementType,
    groups: Vec<LabelledGroup>,
    properties: Vec<Property>,
    icon: Icon,
}

#[derive(Serialize)]
struct Engines {
    camunda: &'static str,
}

#[derive(Serialize)]
struct Labelled {
    id: &'static str,
    name: &'static str,
}

#[derive(Serialize)]
struct ElementType {
    value: &'static str,
}

#[derive(Serialize)]
struct LabelledGroup {
    id: &'static str,
    label: &'static str,
}

#[derive(Serialize)]
struct Icon {
    contents: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Property {
    id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tooltip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    placeholder: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feel: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<Constraints>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'static str>,
    binding: PropertyBinding,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<PropertyCondition>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<Choice>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Constraints {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    not_empty: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<PropertyPattern>,
}

#[derive(Serialize)]
struct PropertyPattern {
    value: String,
    message: &'static str,
}

#[derive(Default, Serialize)]
struct PropertyBinding {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    property: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PropertyCondition {
    #[serde(rename = "type")]
    kind: &'static str,
    property: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    equals: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    one_of: Option<&'static [&'static str]>,
}

#[derive(Serialize)]
struct Choice {
    name: &'static str,
    value: &'static str,
}

/// The file's text.
#[must_use]
pub fn json() -> String {
    let template = Template {
        schema: "https://unpkg.com/@camunda/zeebe-element-templates-json-schema/resources/schema.json",
        name: NAME,
        id: ID,
        version: VERSION,
        description: "Starts a ServiceNow flow at most once, and says whether it started",
        keywords: [
            "ServiceNow",
            "start flow",
            "trigger flow",
            "REST trigger",
            "Flow Designer",
            "Workflow Studio",
            "ITSM",
            "IT service management",
            "automation",
            "snow",
            JOB_TYPE,
        ],
        engines: Engines { camunda: ENGINES },
        category: Labelled {
            id: "connectors",
            name: "Connectors",
        },
        applies_to: ["bpmn:Task"],
        element_type: ElementType {
            value: "bpmn:ServiceTask",
        },
        groups: GROUPS
            .iter()
            .map(|(_, id, label)| LabelledGroup { id, label })
            .collect(),
        properties: FIELDS.iter().map(property).collect(),
        icon: Icon { contents: icon() },
    };
    // Strings, numbers and lists only: serialising them does not fail.
    serde_json::to_string_pretty(&template).unwrap_or_default() + "\n"
}

fn property(field: &Field) -> Property {
    let hidden = field.kind == Kind::Hidden;
    let pattern = field
        .regex()
        .zip(field.pattern)
        .map(|(value, pattern)| PropertyPattern {
            value,
            message: pattern.message,
        });
    let choices = match field.kind {
        Kind::Choice(choices) => choices.iter().map(|(value, name)| Choice { name, value }).collect(),
        _ => Vec::new(),
    };
    Property {
        id: field.id,
        label: (!hidden).then_some(field.label),
        description: field.note,
        tooltip: (!hidden).then(|| html(field.hint)),
        placeholder: field.placeholder,
        value: field.default,
        feel: match field.feel {
            Feel::No => None,
            Feel::Static => Some("static"),
            Feel::Optional => Some("optional"),
            Feel::Required => Some("required"),
        },
        constraints: (field.required || pattern.is_some()).then_some(Constraints {
            not_empty: field.required,
            pattern,
        }),
        group: (!hidden).then(|| group(field.group)),
        binding: binding(field.binding),
        condition: field.condition.map(condition),
        kind: match field.kind {
            Kind::Line => "String",
            Kind::Lines => "Text",
            Kind::Number => "Number",
            Kind::Choice(_) => "Dropdown",
            Kind::Hidden => "Hidden",
        },
        choices,
    }
}

fn group(group: Group) -> &'static str {
    GROUPS
        .iter()
        .find(|(known, ..)| *known == group)
        .map_or("", |(_, id, _)| id)
}

fn binding(binding: Binding) -> PropertyBinding {
    let none = PropertyBinding::default();
    match binding {
        Binding::Input(name) => PropertyBinding {
            kind: "zeebe:input",
            name: Some(name),
            ..none
        },
        Binding::Header(key) => PropertyBinding {
            kind: "zeebe:taskHeader",
            key: Some(key),
            ..none
        },
        Binding::Property(name) => PropertyBinding {
            kind: "zeebe:property",
            name: Some(name),
            ..none
        },
        Binding::Retries => PropertyBinding {
            kind: "zeebe:taskDefinition",
            property: Some("retries"),
            ..none
        },
        Binding::JobType => PropertyBinding {
            kind: "zeebe:taskDefinition",
            property: Some("type"),
            ..none
        },
    }
}

fn condition((property, values): Condition) -> PropertyCondition {
    PropertyCondition {
        kind: "simple",
        property,
        equals: match values {
            [value] => Some(value),
            _ => None,
        },
        one_of: (values.len() != 1).then_some(values),
    }
}

/// A tooltip is HTML.
fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A data URL, with what such a URL cannot hold percent-encoded.
fn icon() -> String {
    let svg = ICON.trim().replace('"', "'");
    let encoded: String = svg
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .map(|c| match c {
            '%' | '#' | '<' | '>' | '{' | '}' => format!("%{:02X}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    format!("data:image/svg+xml,{encoded}")
}
