//! OpenAPI 3.0 schemas → JSON Schema 2020-12, as a version had them.
//!
//! | OpenAPI | JSON Schema |
//! |---|---|
//! | `nullable: true` | `anyOf` with `null` |
//! | `format: int32`, `int64` | `minimum`, `maximum` |
//! | formats of Camunda's own (`JobKey`) | left out |
//! | `oneOf` with a discriminator, whose variants overlap | `if` the discriminator has this value, `then` this variant |
//! | `oneOf` without one | `anyOf`: its variants are the same pattern under two names |
//! | a property that was added after the version | left out |
//! | an object that says nothing of other properties | has none, apart from a problem document's |

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::document::Document;
use crate::version::Version;

const KEPT: &[&str] = &[
    "enum",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "required",
    "type",
    "uniqueItems",
];
const KEPT_FORMATS: &[&str] = &["date-time", "uri", "uri-reference"];

/// "There may be additional properties", says its description.
const OPEN: &[&str] = &["ProblemDetail"];

/// A schema that stands for itself: what it refers to is inside.
pub fn whole(document: &Document, schema: &Value, version: Version) -> Value {
    let mut definitions = Map::new();
    let mut missing: Vec<String> = references(schema).into_iter().collect();
    while let Some(name) = missing.pop() {
        if definitions.contains_key(&name) {
            continue;
        }
        let Some(found) = document.schema(&name) else { continue };
        missing.extend(references(found));
        let mut adapted = adapt(found, version);
        if let (Value::Object(own), true) = (&mut adapted, OPEN.contains(&name.as_str())) {
            own.remove("additionalProperties");
        }
        definitions.insert(name, adapted);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": definitions,
        "allOf": [adapt(schema, version)],
    })
}

fn references(schema: &Value) -> BTreeSet<String> {
    match schema {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match (name.as_str(), value) {
                ("$ref", Value::String(target)) => target.rsplit('/').next().map(str::to_owned).into_iter().collect(),
                _ => references(value),
            })
            .collect(),
        Value::Array(list) => list.iter().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

fn adapt(schema: &Value, version: Version) -> Value {
    let Some(own) = schema.as_object() else {
        return schema.clone();
    };
    let text = |name: &str| own.get(name).and_then(Value::as_str);
    if let Some(name) = text("$ref").and_then(|target| target.rsplit('/').next()) {
        return json!({ "$ref": format!("#/$defs/{name}") });
    }
    let mut adapted: Map<String, Value> = own
        .iter()
        .filter(|(name, _)| KEPT.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    match text("format") {
        Some("int32") => limit(&mut adapted, i64::from(i32::MIN), i64::from(i32::MAX)),
        Some("int64") => limit(&mut adapted, i64::MIN, i64::MAX),
        Some(format) if KEPT_FORMATS.contains(&format) => {
            adapted.insert("format".to_owned(), json!(format));
        }
        _ => {}
    }
    if let Some(items) = own.get("items") {
        adapted.insert("items".to_owned(), adapt(items, version));
    }
    for (name, becomes) in [("allOf", "allOf"), ("anyOf", "anyOf"), ("oneOf", "anyOf")] {
        if let (Some(list), None) = (own.get(name).and_then(Value::as_array), own.get("discriminator")) {
            let list: Vec<Value> = list.iter().map(|part| adapt(part, version)).collect();
            adapted.insert(becomes.to_owned(), json!(list));
        }
    }
    if let Some(discriminator) = own.get("discriminator") {
        adapted.insert("allOf".to_owned(), json!(discriminated(discriminator)));
    }
    if let Some(properties) = own.get("properties").and_then(Value::as_object) {
        let later = added_after(own, version);
        let properties: Map<String, Value> = properties
            .iter()
            .filter(|(name, _)| !later.contains(name.as_str()))
            .map(|(name, value)| (name.clone(), adapt(value, version)))
            .collect();
        adapted.insert("properties".to_owned(), Value::Object(properties));
        adapted.insert("additionalProperties".to_owned(), json!(false));
        if let Some(Value::Array(required)) = adapted.get_mut("required") {
            required.retain(|name| !name.as_str().is_some_and(|name| later.contains(name)));
        }
    }
    if let Some(additional) = own.get("additionalProperties") {
        adapted.insert("additionalProperties".to_owned(), adapt(additional, version));
    }
    match own.get("nullable") {
        Some(Value::Bool(true)) => json!({ "anyOf": [adapted, { "type": "null" }] }),
        _ => Value::Object(adapted),
    }
}

fn limit(schema: &mut Map<String, Value>, least: i64, most: i64) {
    schema.entry("minimum").or_insert(json!(least));
    schema.entry("maximum").or_insert(json!(most));
}

/// The names of the properties that the version did not have yet.
fn added_after(schema: &Map<String, Value>, version: Version) -> BTreeSet<&str> {
    let list = schema.get("x-properties-added-in-version").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|own| {
            let since = own
                .get("addedInVersionOverride")
                .or_else(|| own.get("addedInVersion"))?
                .as_str()?;
            let name = own.get("propertyName")?.as_str()?;
            (Version::read(since)? > version).then_some(name)
        })
        .collect()
}

fn discriminated(discriminator: &Value) -> Vec<Value> {
    let property = discriminator.get("propertyName").cloned().unwrap_or_default();
    let name = property.as_str().unwrap_or_default();
    let mapping = discriminator
        .get("mapping")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let values: Vec<&String> = mapping.keys().collect();
    let mut parts = vec![json!({ "required": [property], "properties": { name: { "enum": values } } })];
    for (value, target) in &mapping {
        let target = target
            .as_str()
            .and_then(|target| target.rsplit('/').next())
            .unwrap_or_default();
        parts.push(json!({
            "if": { "properties": { name: { "const": value } } },
            "then": { "$ref": format!("#/$defs/{target}") },
        }));
    }
    parts
}
