//! A request → its answer, as the cluster gives it when nothing goes wrong.

use std::time::Duration;

use serde_json::{Value, json};

use crate::activation::{self, Wish};
use crate::answer::Answer;
use crate::auth;
use crate::call::{Call, Route};
use crate::core::Core;
use crate::evaluation::{Evaluated, Evaluation};
use crate::fields::{self, Fields, bad, invalid};
use crate::job::{Failure, Thrown};
use crate::keys::JobKey;
use crate::messages::Message;
use crate::options::{DEFAULT_TENANT, Version};
use crate::record::Request;
use crate::settle::{Changeset, Refusal};

/// `waiting`: an activation may wait for a job.
pub(crate) async fn process(core: &Core, request: &Request, waiting: bool) -> Answer {
    let answered = match request.route {
        Route::Call(Call::Token) => return auth::token(core, request),
        _ => answer(core, request, waiting).await,
    };
    answered.unwrap_or_else(|refused| refused).at(&request.path)
}

async fn answer(core: &Core, request: &Request, waiting: bool) -> Result<Answer, Answer> {
    auth::check(core, request)?;
    if request.body.len() > core.options.max_body_bytes {
        return Err(Answer::problem(
            413,
            "Payload Too Large",
            "The request body is too large",
        ));
    }
    let is_json = |kind: &str| kind.starts_with("application/json");
    if !request.body.is_empty() && !request.content_type.as_deref().is_some_and(is_json) {
        return Err(Answer::problem(415, "Unsupported Media Type", "Send application/json"));
    }
    match request.route {
        Route::Call(Call::Topology) => Ok(topology(core)),
        Route::Call(Call::Activation) => activate(core, request, waiting).await,
        Route::Call(Call::Evaluation) if core.options.version >= Version::V8_9 => evaluate(core, request).await,
        Route::Call(Call::Publication) => publish(core, request),
        Route::Keyed(Call::Variables, scope) => set_variables(core, request, scope),
        Route::Keyed(call, key) => settle(core, request, call, JobKey(key)),
        Route::BadKey(_) => Err(bad("The key in the path is not a number")),
        Route::WrongMethod => Err(Answer::problem(
            405,
            "Method Not Allowed",
            "The path has no such method",
        )),
        // As the gateway's web framework names it: not the cluster's NOT_FOUND.
        Route::Call(_) | Route::Unknown => Err(Answer::problem(404, "Not Found", "There is no such path")),
    }
}

fn topology(core: &Core) -> Answer {
    let version = core.options.version.gateway();
    let mut partition = json!({ "partitionId": 1, "role": "leader", "health": "healthy" });
    let mut broker = json!({ "nodeId": 0, "host": "127.0.0.1", "port": 26501, "version": version });
    let mut body = json!({
        "clusterSize": 1, "partitionsCount": 1, "replicationFactor": 1, "gatewayVersion": version,
        "lastCompletedChangeId": "-1",
    });
    let add = |to: &mut Value, since: Version, name: &str, value: Value| {
        if let (Value::Object(fields), true) = (to, core.options.version >= since) {
            fields.insert(name.to_owned(), value);
        }
    };
    add(&mut partition, Version::V8_10, "state", json!("active"));
    add(&mut broker, Version::V8_10, "brokerId", json!("0"));
    add(&mut broker, Version::V8_8, "partitions", json!([partition]));
    add(&mut body, Version::V8_9, "clusterId", json!("test-cluster"));
    add(&mut body, Version::V8_8, "brokers", json!([broker]));
    Answer::json(200, &body)
}

async fn activate(core: &Core, request: &Request, waiting: bool) -> Result<Answer, Answer> {
    let fields = Fields::read(&request.body, fields::ACTIVATION, core.options.version)?;
    let positive = |name: &str| {
        let value = fields.integer(name).and_then(|value| u64::try_from(value).ok());
        value
            .filter(|value| *value > 0)
            .ok_or_else(|| invalid(&format!("The value of {name} must be greater than 0")))
    };
    let job_type = fields.text("type").unwrap_or_default();
    if job_type.trim().is_empty() {
        return Err(invalid("No type is given"));
    }
    let tenants = match fields.text("tenantFilter") {
        Some("ASSIGNED") => core.tenants().clone(),
        None | Some("PROVIDED") => named_tenants(core, fields.texts("tenantIds"))?,
        Some(_) => return Err(bad("The value of [tenantFilter] is not known")),
    };
    let wish = Wish {
        job_type: job_type.to_owned(),
        worker: fields.text("worker").unwrap_or_default().to_owned(),
        timeout: Duration::from_millis(positive("timeout")?),
        most: usize::try_from(positive("maxJobsToActivate")?).unwrap_or(usize::MAX),
        variables: fields.texts("fetchVariable"),
        tenants,
        with_lease: fields.flag("withLease"),
    };
    let wait = activation::wait(fields.integer("requestTimeout").unwrap_or_default());
    Ok(activation::activate(core, &wish, wait.filter(|_| waiting)).await)
}

fn named_tenants(core: &Core, named: Vec<String>) -> Result<Vec<String>, Answer> {
    let named = match named.is_empty() {
        true => vec![DEFAULT_TENANT.to_owned()],
        false => named,
    };
    if named.iter().any(String::is_empty) {
        return Err(invalid("A tenant has no name"));
    }
    let assigned = core.tenants();
    match named.iter().all(|tenant| assigned.contains(tenant)) {
        true => Ok(named),
        false => Err(Answer::tenant_not_assigned(&named)),
    }
}

fn milliseconds(fields: &Fields, name: &str) -> Result<Option<Duration>, Answer> {
    fields
        .integer(name)
        .map(|value| u64::try_from(value).map(Duration::from_millis))
        .transpose()
        .map_err(|_| invalid(&format!("The value of {name} must not be negative")))
}

fn int32(fields: &Fields, name: &str) -> Result<Option<i32>, Answer> {
    fields
        .integer(name)
        .map(i32::try_from)
        .transpose()
        .map_err(|_| bad(&format!("The value of [{name}] is out of range")))
}

fn settle(core: &Core, request: &Request, call: Call, key: JobKey) -> Result<Answer, Answer> {
    let version = core.options.version;
    let known = match call {
        Call::Completion => fields::COMPLETION,
        Call::Failure => fields::FAILURE,
        Call::Error => fields::ERROR,
        _ => fields::PATCH,
    };
    let fields = Fields::read(&request.body, known, version)?;
    let lease = fields.text("jobLeaseToken");
    let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
    let variables = fields.object("variables");
    // To a client that is not assigned to its tenant, a job does not exist.
    let tenants = core.tenants().clone();
    let foreign = |state: &crate::state::State| {
        let job = state.jobs.get(&key);
        job.is_some_and(|job| !tenants.contains(&job.spec.tenant))
    };
    if core.with(|state| foreign(state)) {
        return Err(refusal(call, key, &Refusal::NotFound));
    }
    let done = match call {
        Call::Completion => core.with(|state| state.complete(key, variables, lease)),
        Call::Failure => {
            let failure = Failure {
                retries: int32(&fields, "retries")?.unwrap_or_default(),
                message: text("errorMessage"),
                back_off: milliseconds(&fields, "retryBackOff")?.unwrap_or_default(),
                variables,
            };
            core.with(|state| state.fail(key, failure, lease))
        }
        Call::Error => {
            let thrown = Thrown {
                code: text("errorCode"),
                message: text("errorMessage"),
                variables,
            };
            if thrown.code.is_empty() {
                return Err(invalid("No errorCode is given"));
            }
            core.with(|state| state.throw(key, thrown, lease))
        }
        _ => {
            let inner = fields.inner("changeset", fields::CHANGESET, version)?;
            let changeset = Changeset {
                retries: int32(&inner, "retries")?,
                timeout: milliseconds(&inner, "timeout")?,
            };
            if changeset == Changeset::default() && inner.integer("priority").is_none() {
                return Err(invalid("The changeset is empty"));
            }
            core.with(|state| state.update(key, &changeset, lease))
        }
    };
    match done {
        Ok(()) => Ok(Answer::new(204)),
        Err(refused) => Err(refusal(call, key, &refused)),
    }
}

fn refusal(call: Call, key: JobKey, refused: &Refusal) -> Answer {
    let (status, code) = match refused {
        Refusal::NotFound => (404, "NOT_FOUND"),
        Refusal::Conflict(_) => (409, "INVALID_STATE"),
        Refusal::Invalid(_) => (400, "INVALID_ARGUMENT"),
    };
    let command = match call {
        Call::Completion => "COMPLETE",
        Call::Failure => "FAIL",
        Call::Error => "THROW_ERROR",
        _ => "UPDATE",
    };
    let detail = format!("Command '{command}' rejected with code '{code}': job {key}: {refused}");
    Answer::problem(status, code, &detail)
}

fn set_variables(core: &Core, request: &Request, scope: u64) -> Result<Answer, Answer> {
    let fields = Fields::read(&request.body, fields::VARIABLES, core.options.version)?;
    let variables = fields.object("variables");
    match core.with(|state| state.set_variables(scope, variables, fields.flag("local"))) {
        true => Ok(Answer::new(204)),
        false => {
            let detail =
                format!("Command 'UPDATE' rejected with code 'NOT_FOUND': there is no element instance {scope}");
            Err(Answer::problem(404, "NOT_FOUND", &detail))
        }
    }
}

async fn evaluate(core: &Core, request: &Request) -> Result<Answer, Answer> {
    let fields = Fields::read(&request.body, fields::EVALUATION, core.options.version)?;
    let evaluation = Evaluation {
        expression: fields.text("expression").unwrap_or_default().to_owned(),
        variables: fields.object("variables"),
        tenant: fields.text("tenantId").map(str::to_owned),
        scope: fields.text("scopeKey").map(str::to_owned),
    };
    match &evaluation.tenant {
        Some(tenant) => drop(named_tenants(core, vec![tenant.clone()])?),
        // With multi-tenancy, as in Camunda's RequestMapper.
        None if *core.tenants() != [DEFAULT_TENANT] => {
            return Err(invalid(
                "Expected to handle request Expression Evaluation with tenant identifier, but no tenant identifier was provided.",
            ));
        }
        None => {}
    }
    let expression = evaluation.expression.clone();
    if let Some(evaluated) = core.known_expression(&expression) {
        return Ok(evaluated.answer(&expression, core.options.version));
    }
    let Some(evaluator) = core.evaluator() else {
        return Err(Answer::problem(404, "Not Found", "The test has set no evaluator"));
    };
    let evaluated = tokio::task::spawn_blocking(move || evaluator(&evaluation)).await;
    let evaluated = evaluated.unwrap_or_else(|_| Evaluated::Failed("the test's evaluator panicked".to_owned()));
    Ok(evaluated.answer(&expression, core.options.version))
}

fn publish(core: &Core, request: &Request) -> Result<Answer, Answer> {
    let fields = Fields::read(&request.body, fields::PUBLICATION, core.options.version)?;
    let text = |name| fields.text(name).unwrap_or_default().to_owned();
    let message = Message {
        name: text("name"),
        correlation_key: text("correlationKey"),
        id: text("messageId"),
        tenant: fields.text("tenantId").unwrap_or(DEFAULT_TENANT).to_owned(),
    };
    if message.name.is_empty() {
        return Err(invalid("No name is given"));
    }
    named_tenants(core, vec![message.tenant.clone()])?;
    let life = milliseconds(&fields, "timeToLive")?.unwrap_or_default();
    let tenant = message.tenant.clone();
    match core.with(|state| state.publish(message, life)) {
        Some(key) => Ok(Answer::json(
            200,
            &json!({ "messageKey": key.to_string(), "tenantId": tenant }),
        )),
        None => {
            let detail = "Command 'PUBLISH' rejected with code 'ALREADY_EXISTS': a message with this id is buffered";
            Err(Answer::problem(409, "ALREADY_EXISTS", detail))
        }
    }
}
