//! The circle closed: what was typed into the form, as a request at the stand-in.
//!
//! `templates/check/cases.json` says for each way to fill in the form which inputs the modeler must write into the model, and which
//! request must come of them. The check in Camunda's modeler holds the form to the first half; this one holds the component to the second.

use std::collections::BTreeMap;

use host_test::rig::Rig;
use serde_json::{Map, Value, json};
use servicenow_stand_in::{Instance, Recorded};

/// Every host that a case of the form names.
fn rig() -> Rig {
    let hosts = [
        "acme",
        "acme.servicenowservices.com",
        "acme.service-now.example",
        "flows.example.com",
    ];
    Rig::start(Instance {
        hosts: hosts.map(str::to_owned).to_vec(),
        ..Instance::demo()
    })
    .unwrap()
}

fn cases() -> Value {
    serde_json::from_str(include_str!("../../../templates/check/cases.json")).unwrap()
}

/// Inputs as the engine makes a job's variables of them: text is itself, `=` begins an expression (these are JSON too), a dot makes an object.
fn variables(inputs: &Value) -> Map<String, Value> {
    let mut variables = Map::new();
    for (name, source) in inputs.as_object().unwrap() {
        let value = match source.as_str().map(|text| (text.strip_prefix('='), text)) {
            None => Value::Null,
            Some((Some(expression), _)) => serde_json::from_str(expression).unwrap(),
            Some((None, text)) => Value::from(text),
        };
        match name.split_once('.') {
            None => variables.insert(name.clone(), value),
            Some((object, member)) => {
                let object = variables.entry(object).or_insert_with(|| json!({}));
                object.as_object_mut().unwrap().insert(member.to_owned(), value)
            }
        };
    }
    variables
}

/// Starts the flow and compares what the stand-in received with what the case says.
fn play(rig: &Rig, name: &str, job: Map<String, Value>, expected: &Value) {
    rig.stand_in.clear();
    let outcome = rig.execute(&Value::Object(job).to_string());
    let answer: Value =
        serde_json::from_str(&outcome.result.unwrap_or_else(|error| panic!("{name}: {error}"))).unwrap();
    let starts = rig.stand_in.starts();
    assert_eq!(starts.len(), 1, "{name}");
    assert_eq!(answer["executionId"], starts[0].id.as_str(), "{name}");
    let (received, expected) = (rig.stand_in.requests(), expected.as_array().unwrap());
    assert_eq!(received.len(), expected.len(), "{name}");
    for (request, expected) in received.iter().zip(expected) {
        compare(name, request, expected);
    }
}

fn compare(name: &str, request: &Recorded, expected: &Value) {
    assert_eq!(expected["method"], request.method.as_str(), "{name}");
    assert_eq!(expected["target"], request.target.as_str(), "{name}");
    for (header, value) in expected["headers"].as_object().unwrap() {
        let found: Vec<_> = request.header(header).collect();
        assert_eq!(
            found,
            value.as_str().into_iter().collect::<Vec<_>>(),
            "{name}: {header}"
        );
    }
    let text = String::from_utf8(request.body.clone()).unwrap();
    if let Some(json) = expected.get("json") {
        assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), json, "{name}");
    } else if let Some(form) = expected.get("form") {
        let pairs: BTreeMap<_, _> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
        for (key, value) in form.as_object().unwrap() {
            assert_eq!(value, pairs.get(key).map_or("", String::as_str), "{name}: {key}");
        }
        assert_eq!(pairs.len(), form.as_object().unwrap().len(), "{name}: {pairs:?}");
    } else {
        assert_eq!(text, expected["text"].as_str().unwrap_or_default(), "{name}");
    }
}

#[test]
fn the_request_is_the_one_that_the_form_describes() {
    let rig = rig();
    let cases = cases();
    for case in cases["filled"].as_array().unwrap() {
        play(
            &rig,
            case["name"].as_str().unwrap(),
            variables(&case["job"]["inputs"]),
            &case["requests"],
        );
    }
}

#[test]
fn a_process_made_with_the_official_template_starts_the_same_flow() {
    let cases = cases();
    let official = &cases["official"];
    let mut inputs = official["inputs"].clone();
    let evaluated = official["evaluated"].as_object().unwrap();
    inputs
        .as_object_mut()
        .unwrap()
        .retain(|name, _| !evaluated.contains_key(name));

    // A job carries the process's own variables as well, and those of the official template's own.
    let mut job = official["scope"].as_object().unwrap().clone();
    job.extend(evaluated.clone());
    job.append(&mut variables(&inputs));
    play(&rig(), "official", job, &official["requests"]);
}
