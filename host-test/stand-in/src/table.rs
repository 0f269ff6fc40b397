//! As much of the Table API as a process around a flow uses: incidents, and the users that a probe asks for.

use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::instance::Instance;
use crate::instance_state::InstanceState;
use crate::random;
use crate::request::Request;

pub(crate) const PATH: &str = "/api/now/table/";

/// `rest` is the path after [`PATH`]; the caller is known to be a user with a role.
pub(crate) fn answer(instance: &Instance, current: &mut InstanceState, request: &Request<'_>, rest: &str) -> Answer {
    match rest.split('/').collect::<Vec<_>>().as_slice() {
        ["incident"] => match request.head.method.as_str() {
            "GET" => list(request, current.incidents.iter().cloned()),
            "POST" => create(current, request),
            _ => Answer::method_not_allowed("GET, POST"),
        },
        ["incident", id] => match request.head.method.as_str() {
            "GET" => current
                .incidents
                .iter()
                .find(|incident| incident.get("sys_id").and_then(Value::as_str) == Some(id))
                .map_or_else(no_record, |incident| Answer::json(200, &json!({ "result": incident }))),
            _ => Answer::method_not_allowed("GET"),
        },
        ["sys_user"] => match request.head.method.as_str() {
            "GET" => {
                let users = instance.users.iter().map(|user| {
                    let mut row = Map::new();
                    row.insert("user_name".to_owned(), json!(user.name));
                    row.insert("active".to_owned(), json!("true"));
                    row
                });
                list(request, users)
            }
            _ => Answer::method_not_allowed("GET"),
        },
        [table, ..] => Answer::failure(400, &format!("Invalid table {table}"), None),
        [] => no_record(),
    }
}

fn list(request: &Request<'_>, rows: impl Iterator<Item = Map<String, Value>>) -> Answer {
    let limit = request
        .query()
        .find(|(name, _)| name == "sysparm_limit")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(10_000);
    let rows = rows.take(limit).collect::<Vec<_>>();
    Answer::json(200, &json!({ "result": rows })).header("X-Total-Count", rows.len().to_string())
}

fn create(current: &mut InstanceState, request: &Request<'_>) -> Answer {
    if let Some(refusal) = request.refuse_body() {
        return refusal;
    }
    let Ok(mut record) = serde_json::from_slice::<Map<String, Value>>(request.body) else {
        return Answer::failure(
            400,
            "Exception while reading request",
            Some("The body is not a JSON object"),
        );
    };
    let id = random::hexadecimal();
    let number = format!("INC{:07}", 10_001 + current.incidents.len());
    for (name, value) in [("sys_id", id.as_str()), ("number", &number), ("state", "1")] {
        record.insert(name.to_owned(), json!(value));
    }
    current.incidents.push(record.clone());
    let host = request.head.values("host").next().unwrap_or("localhost");
    Answer::json(201, &json!({ "result": record })).header("Location", format!("https://{host}{PATH}incident/{id}"))
}

fn no_record() -> Answer {
    Answer::failure(
        404,
        "No Record found",
        Some("Record doesn't exist or ACL restricts the record retrieval"),
    )
}
