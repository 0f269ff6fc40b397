//! Camunda's OpenAPI document: where it is, and what it says about an operation.
//!
//! It comes with a crate that Camunda publishes, and stays there: its licence is the vendor's own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

use crate::version::Version;

const CRATE: &str = "camunda-orchestration-sdk";
const FILE: &str = "external-spec/bundled/rest-api.bundle.json";

pub struct Document {
    root: Value,
}

/// An operation, and the path that led to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// `POST`
    pub method: String,
    /// `/jobs/{jobKey}/completion`
    pub template: String,
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}

impl Document {
    /// Asks cargo where the crate is; if it is not on this machine yet, cargo downloads it.
    pub fn find() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .args(["metadata", "--locked", "--format-version", "1", "--manifest-path"])
            .arg(&manifest)
            .output()
            .context("cannot run cargo metadata")?;
        if !output.status.success() {
            bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        }
        let metadata: Value = serde_json::from_slice(&output.stdout)?;
        let own = members(&metadata, "packages")
            .find(|package| package.get("name").and_then(Value::as_str) == Some(CRATE))
            .and_then(|package| package.get("manifest_path")?.as_str())
            .with_context(|| format!("cargo metadata does not know the crate {CRATE}"))?;
        let path = Path::new(own).with_file_name(FILE);
        let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let root = serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", path.display()))?;
        Ok(Self { root })
    }

    pub fn schema(&self, name: &str) -> Option<&Value> {
        self.root.get("components")?.get("schemas")?.get(name)
    }

    /// The operation of a request: an exact path comes before one with parameters.
    pub fn operation(&self, method: &str, path: &str, version: Version) -> Option<Operation> {
        let paths = self.root.get("paths")?.as_object()?;
        let mut fitting: Vec<&String> = paths.keys().filter(|template| fits(template, path)).collect();
        fitting.sort_by_key(|template| template.matches('{').count());
        let template = fitting.first()?;
        let operation = Operation {
            method: method.to_owned(),
            template: (*template).clone(),
        };
        let since = self.definition(&operation)?.get("x-added-in-version")?.as_str()?;
        (Version::read(since)? <= version).then_some(operation)
    }

    fn definition(&self, operation: &Operation) -> Option<&Map<String, Value>> {
        let path = self.root.get("paths")?.get(&operation.template)?;
        path.get(operation.method.to_lowercase())?.as_object()
    }

    /// The schema of the request's body, and whether there must be one. `None`: the operation has no body.
    pub fn request(&self, operation: &Operation) -> Option<(&Value, bool)> {
        let body = self.definition(operation)?.get("requestBody")?;
        let required = body.get("required").and_then(Value::as_bool).unwrap_or_default();
        Some((body.get("content")?.get("application/json")?.get("schema")?, required))
    }

    /// The schemas of the parameters in the path: name and schema.
    pub fn path_parameters(&self, operation: &Operation) -> Vec<(String, Value)> {
        let parameters = self.definition(operation).and_then(|own| own.get("parameters"));
        let list = parameters.and_then(Value::as_array).into_iter().flatten();
        list.filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("path"))
            .filter_map(|own| Some((own.get("name")?.as_str()?.to_owned(), own.get("schema")?.clone())))
            .collect()
    }

    /// The statuses that the operation declares.
    pub fn statuses(&self, operation: &Operation) -> Vec<u16> {
        let responses = self
            .definition(operation)
            .and_then(|own| own.get("responses")?.as_object());
        let names = responses.into_iter().flat_map(Map::keys);
        names.filter_map(|status| status.parse().ok()).collect()
    }

    /// The content types of a response, each with its schema; empty: it has no body. `None`: the status is not declared.
    pub fn response(&self, operation: &Operation, status: u16) -> Option<Vec<(String, Value)>> {
        let responses = self.definition(operation)?.get("responses")?;
        let content = responses
            .get(status.to_string())?
            .get("content")
            .and_then(Value::as_object);
        let pairs = content.into_iter().flatten();
        Some(
            pairs
                .filter_map(|(name, own)| Some((name.clone(), own.get("schema")?.clone())))
                .collect(),
        )
    }
}

fn members<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn fits(template: &str, path: &str) -> bool {
    let (mut own, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (own.next(), given.next()) {
            (None, None) => return true,
            (Some(own), Some(given)) if own == given || own.starts_with('{') => {}
            _ => return false,
        }
    }
}

/// The values of a template's parameters in a path.
pub fn parameter<'a>(template: &str, path: &'a str, name: &str) -> Option<&'a str> {
    let wanted = format!("{{{name}}}");
    let mut pairs = template.split('/').zip(path.split('/'));
    pairs.find(|(own, _)| *own == wanted).map(|(_, given)| given)
}
