//! The form and the JSON door: what the one can write, the other understands, and nothing that the other knows is out of the form's reach.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};

use flow_starter_input::{
    ApiKey, ApiKeyLocation, Authentication, ClientAuthentication, ClientCredentials, Credentials, FlowConfig, Limits,
    Method, request, template,
};
use flow_starter_templates::fields::{self, Binding, FIELDS, Field, Kind};
use serde_json::{Map, Value, json};

/// The form as somebody filled it in: each field's value as the model holds it.
type Form = BTreeMap<&'static str, Option<String>>;

/// Two values for each field that can be typed into, as the model holds them. A new field needs a line here.
fn samples(id: &str) -> [&'static str; 2] {
    match id {
        "snInstance" | "snInstanceOfUrl" => ["acme", "beta"],
        "snDomain" => ["service-now.example", "=\"sub.service-now.example\""],
        "snEndpoint" => ["https://flows.example.com", "http://127.0.0.1:8080"],
        "restApiTriggerPath" => ["/api/a/one", "=\"/api/b/two\""],
        "headers" => ["={\"name\": \"one\"}", "={\"name\": [\"two\", 3]}"],
        "queryParameters" => ["={\"name\": \"one\"}", "={\"other\": 2}"],
        "body" => ["={\"camId\": 1}", "text"],
        "authentication.username" => ["ada", "grace"],
        "authentication.password" => ["password-1", "password-2"],
        "authentication.oauthTokenEndpoint" => ["https://login.example/token", "https://other.example/"],
        "authentication.clientId" => ["client-1", "client-2"],
        "authentication.clientSecret" => ["client-secret-1", "client-secret-2"],
        "authentication.audience" => ["audience-1", "audience-2"],
        "authentication.scopes" => ["one two", "three"],
        "authentication.name" => ["x-sn-apikey", "x-key"],
        "authentication.value" => ["key-1", "key-2"],
        "authentication.token" => ["token-1", "token-2"],
        "connectionTimeoutInSeconds" => ["=3", "=0"],
        "readTimeoutInSeconds" => ["=4", "=0"],
        "maxResponseBytes" => ["=5000", "=6000"],
        other => panic!("{other} has no samples here"),
    }
}

/// Every combination of the choices that become inputs or select fields, with every shown field filled in.
fn forms() -> Vec<Form> {
    let mut forms = vec![Form::new()];
    for field in FIELDS {
        if let (Kind::Choice(choices), Binding::Input(_) | Binding::Property(_)) = (field.kind, field.binding) {
            forms = forms
                .iter()
                .flat_map(|form| {
                    choices.iter().map(|(value, _)| {
                        let mut form = form.clone();
                        form.insert(field.id, Some((*value).to_owned()));
                        form
                    })
                })
                .collect();
        }
    }
    let mut filled: BTreeSet<Form> = BTreeSet::new();
    for choices in forms {
        let mut form = Form::new();
        for field in FIELDS.iter().filter(|field| shown(field, &choices)) {
            let value = match (field.kind, field.binding) {
                (_, Binding::Header(_) | Binding::Retries | Binding::JobType) => continue,
                (Kind::Choice(_), _) => choices[field.id].clone(),
                (Kind::Hidden, _) => field.default.map(str::to_owned),
                _ => Some(samples(field.id)[0].to_owned()),
            };
            form.insert(field.id, value);
        }
        filled.insert(form);
    }
    filled.into_iter().collect()
}

fn shown(field: &Field, form: &Form) -> bool {
    field.shown(|id| form.get(id).and_then(|value| value.as_deref()))
}

/// Every input of the table.
fn inputs() -> BTreeSet<&'static str> {
    FIELDS.iter().filter_map(Field::input).collect()
}

/// The inputs of a form, as the engine makes a job's variables of them.
fn job(form: &Form) -> Value {
    let inputs = form
        .iter()
        .filter_map(|(id, value)| Some((fields::field(id)?.input()?, value.as_deref())));
    variables(inputs)
}

/// A text is itself, what begins with `=` is an expression (here: one that is JSON too), and a dot makes an object.
fn variables<'a>(inputs: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Value {
    let mut variables = Map::new();
    for (name, source) in inputs {
        let value = match source.map(|text| (text.strip_prefix('='), text)) {
            None => Value::Null,
            Some((Some(feel), _)) => serde_json::from_str(feel).unwrap(),
            Some((None, text)) => Value::from(text),
        };
        match name.split_once('.') {
            None => variables.insert(name.to_owned(), value),
            Some((object, member)) => {
                let object = variables.entry(object).or_insert_with(|| json!({}));
                object.as_object_mut().unwrap().insert(member.to_owned(), value)
            }
        };
    }
    Value::Object(variables)
}

fn read(job: &Value) -> FlowConfig {
    template::parse(&job.to_string()).unwrap_or_else(|invalid| panic!("{}: {job}", invalid.sentence))
}

/// What the component makes of it.
fn config(form: &Form) -> FlowConfig {
    read(&job(form))
}

fn cases() -> Value {
    serde_json::from_str(include_str!("../check/cases.json")).unwrap()
}

#[test]
fn every_form_that_can_be_filled_in_is_understood_and_can_be_sent() {
    let forms = forms();
    // 4 domains × 5 methods × (basic, bearer, none, 2 × API key, 2 × OAuth)
    assert_eq!(forms.len(), 4 * 5 * 7);
    for form in forms {
        request::check(&config(&form)).unwrap_or_else(|invalid| panic!("{}: {form:?}", invalid.sentence));
    }
}

#[test]
fn every_input_of_the_form_changes_what_the_component_does() {
    for field in FIELDS.iter().filter(|field| field.input().is_some()) {
        for form in forms().into_iter().filter(|form| form.contains_key(field.id)) {
            let mut other = form.clone();
            match field.kind {
                // Their choices are compared below. A hidden field holds no value of the person's: what it keeps out is tested below.
                Kind::Choice(_) | Kind::Hidden => continue,
                _ => other.insert(field.id, Some(samples(field.id)[1].to_owned())),
            };
            assert_ne!(config(&form), config(&other), "{}", field.id);
        }
    }
}

#[test]
fn no_two_choices_mean_the_same() {
    let forms = forms();
    let configs: Vec<_> = forms.iter().map(config).collect();
    for (at, one) in configs.iter().enumerate() {
        assert!(!configs[..at].contains(one), "{:?}", forms[at]);
    }
}

#[test]
fn every_choice_writes_every_input_once() {
    for form in forms() {
        let written: Vec<_> = form.keys().filter_map(|id| fields::field(id)?.input()).collect();
        let names: BTreeSet<_> = written.iter().copied().collect();
        assert_eq!(names, inputs(), "{form:?}");
        assert_eq!(written.len(), names.len(), "an input is written twice: {form:?}");
    }
}

/// The input crate's own list, so that an input the component reads and the form does not know is found here.
#[test]
fn no_input_is_inherited_from_a_process_variable() {
    let scope: Map<String, Value> = flow_starter_input::fields::INPUT
        .iter()
        .map(|name| ((*name).to_owned(), inherited(name)))
        .collect();
    for form in forms() {
        let mut whole = scope.clone();
        whole.extend(job(&form).as_object().unwrap().clone());
        assert_eq!(read(&Value::Object(whole)), config(&form), "{form:?}");
    }
}

/// What somebody would like the connector to take.
fn inherited(name: &str) -> Value {
    match name {
        "snTarget" => json!("url"),
        "snDomain" => json!("evil.example"),
        "snEndpoint" => json!("https://evil.service-now.com"),
        "authentication" => json!({
            "type": "oauth-client-credentials-flow",
            "oauthTokenEndpoint": "https://evil.service-now.com/oauth_token.do",
            "clientId": "evil",
            "clientSecret": "evil",
        }),
        _ => json!("evil"),
    }
}

/// An expression may give null at run time, whatever the form insists on.
#[test]
fn a_choice_whose_value_is_null_falls_back_to_no_other_destination() {
    for id in ["snDomain", "snEndpoint", "snInstance"] {
        for mut form in forms().into_iter().filter(|form| form.contains_key(id)) {
            form.insert(fields::field(id).unwrap().id, None);
            let refused = template::parse(&job(&form).to_string()).is_err_and(|invalid| invalid.field == id);
            assert!(refused, "{id}: {form:?}");
        }
    }
}

/// Taken apart without `..`: an input that the component gains does not compile here until the form can reach it.
#[test]
fn every_input_of_the_component_can_be_reached_from_the_form() {
    let mut reached = BTreeSet::new();
    for form in forms() {
        let FlowConfig {
            instance,
            domain,
            endpoint,
            path,
            method,
            headers,
            query,
            body,
            authentication,
            limits,
        } = read(&job(&form));
        let mut reach = |what: &str, so: bool| {
            if so {
                reached.insert(what.to_owned());
            }
        };
        reach("instance", instance == "acme");
        reach("the commercial domain", domain.is_none() && endpoint.is_none());
        reach(
            "the government's domain",
            domain.as_deref() == Some("servicenowservices.com"),
        );
        reach("another domain", domain.as_deref() == Some("service-now.example"));
        reach("endpoint", endpoint.as_deref() == Some("https://flows.example.com"));
        reach("path", &*path == "/api/a/one");
        reach(
            match method {
                Method::Get => "GET",
                Method::Post => "POST",
                Method::Put => "PUT",
                Method::Patch => "PATCH",
                Method::Delete => "DELETE",
            },
            true,
        );
        reach("headers", headers == [("name".to_owned(), "one".into())]);
        reach("query", query == [("name".to_owned(), "one".into())]);
        reach("body", body.as_deref() == Some("{\"camId\":1}"));
        match authentication {
            Authentication::None => reach("no authentication", true),
            Authentication::Basic(Credentials { username, password }) => {
                reach("basic", &*username == "ada" && &*password == "password-1");
            }
            Authentication::Bearer(token) => reach("bearer", &*token == "token-1"),
            Authentication::ApiKey(ApiKey { location, name, value }) => reach(
                match location {
                    ApiKeyLocation::Header => "API key in a header",
                    ApiKeyLocation::Query => "API key in the query",
                },
                name == "x-sn-apikey" && &*value == "key-1",
            ),
            Authentication::OauthClientCredentials(ClientCredentials {
                token_url,
                client_id,
                client_secret,
                audience,
                scopes,
                client_authentication,
            }) => reach(
                match client_authentication {
                    ClientAuthentication::RequestBody => "OAuth in the body",
                    ClientAuthentication::BasicHeader => "OAuth in a header",
                },
                token_url.as_deref() == Some("https://login.example/token")
                    && &*client_id == "client-1"
                    && &*client_secret == "client-secret-1"
                    && audience.as_deref() == Some("audience-1")
                    && scopes == ["one", "two"],
            ),
        }
        let Limits {
            connect_timeout_ms,
            first_byte_timeout_ms,
            between_bytes_timeout_ms,
            max_response_bytes,
        } = limits.unwrap();
        reach("connection timeout", connect_timeout_ms == 3000);
        reach(
            "read timeout",
            first_byte_timeout_ms == 4000 && between_bytes_timeout_ms == 4000,
        );
        reach("response size", max_response_bytes == 5000);
    }
    let all = [
        "instance",
        "the commercial domain",
        "the government's domain",
        "another domain",
        "endpoint",
        "path",
        "GET",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "headers",
        "query",
        "body",
        "no authentication",
        "basic",
        "bearer",
        "API key in a header",
        "API key in the query",
        "OAuth in the body",
        "OAuth in a header",
        "connection timeout",
        "read timeout",
        "response size",
    ];
    assert_eq!(reached, all.into_iter().map(str::to_owned).collect());
}

#[test]
fn a_default_of_the_form_is_the_components_own() {
    for field in FIELDS
        .iter()
        .filter(|field| field.input().is_some() && field.kind != Kind::Hidden)
    {
        let Some(default) = field.default else { continue };
        let with_default = forms().into_iter().find(|form| {
            form.contains_key(field.id) && {
                !matches!(field.kind, Kind::Choice(_)) || form[field.id].as_deref() == Some(default)
            }
        });
        let mut form = with_default.unwrap();
        form.insert(field.id, Some(default.to_owned()));
        let mut without = form.clone();
        without.remove(field.id);
        match template::parse(&job(&without).to_string()) {
            Ok(config) => assert_eq!(planned(config), planned(read(&job(&form))), "{}", field.id),
            // Where the component insists on a value there is no default to differ from.
            Err(invalid) => assert!(
                ["method", "authentication.type"].contains(&field.id),
                "{}: {}",
                field.id,
                invalid.sentence
            ),
        }
    }
}

/// Limits as they will hold: 0 bytes is the default's name in the contract.
fn planned(mut config: FlowConfig) -> FlowConfig {
    config.limits = Some(Limits::or_default(config.limits));
    config
}

#[test]
fn a_field_that_may_stay_empty_is_as_good_as_absent() {
    for form in forms() {
        let mut empty = form.clone();
        let mut absent = form;
        for field in FIELDS
            .iter()
            .filter(|field| !field.required && field.kind != Kind::Hidden && field.input().is_some())
        {
            if absent.remove(field.id).is_some() {
                empty.insert(field.id, None);
            }
        }
        assert_eq!(config(&empty), config(&absent));
    }
}

#[test]
fn a_required_field_is_one_that_the_component_needs_or_has_the_default_of() {
    for field in FIELDS
        .iter()
        .filter(|field| field.required && field.default.is_none() && field.input().is_some())
    {
        let mut form = forms().into_iter().find(|form| form.contains_key(field.id)).unwrap();
        form.insert(field.id, None);
        assert!(
            template::parse(&job(&form).to_string()).is_err(),
            "{} may be empty",
            field.id
        );
    }
}

#[test]
fn the_component_refuses_what_the_form_refuses() {
    for case in cases()["refused"].as_array().unwrap() {
        let Some(id) = case["input"].as_str() else { continue };
        let mut form = forms().into_iter().find(|form| form.contains_key(id)).unwrap();
        form.insert(fields::field(id).unwrap().id, case["typed"].as_str().map(str::to_owned));
        let is_taken = template::parse(&job(&form).to_string()).is_ok_and(|config| request::check(&config).is_ok());
        assert!(!is_taken, "{case}");
    }
}

/// `check/tests/template.test.mjs` compares the form's patterns with the same values.
#[test]
fn the_component_has_the_forms_rules_for_hosts_and_urls() {
    let cases = cases();
    let compare = |name: &str, is_taken: &dyn Fn(&str) -> bool| {
        for (list, taken) in [("taken", true), ("refused", false)] {
            for text in cases[name][list].as_array().unwrap() {
                assert_eq!(is_taken(text.as_str().unwrap()), taken, "{name}: {text}");
            }
        }
    };
    let base = || FlowConfig::new(Method::Post, "acme", "/api/a/flow");
    let is_right = |config: &FlowConfig| request::check(config).is_ok();
    compare("instances", &|text| {
        let alone = FlowConfig::new(Method::Post, text, "/api/a/flow");
        let mut with_url = alone.clone();
        with_url.endpoint = Some("https://flows.example.com".into());
        assert_eq!(is_right(&alone), is_right(&with_url), "{text}");
        is_right(&alone)
    });
    compare("domains", &|text| {
        let mut config = base();
        config.domain = Some(text.to_owned());
        is_right(&config)
    });
    let endpoint = |text: &str| {
        let mut config = base();
        config.endpoint = Some(text.into());
        is_right(&config)
    };
    let token_endpoint = |text: &str| {
        let mut config = base();
        config.authentication = Authentication::OauthClientCredentials(ClientCredentials {
            token_url: Some(text.into()),
            client_id: "client".into(),
            client_secret: "client-secret".into(),
            audience: None,
            scopes: Vec::new(),
            client_authentication: ClientAuthentication::RequestBody,
        });
        is_right(&config)
    };
    for end in ["", "/"] {
        compare("origins", &|text| endpoint(&format!("{text}{end}")));
    }
    for path in ["//", "/x", "?x", "#x"] {
        assert!(!endpoint(&format!("https://flows.example.com{path}")), "{path}");
    }
    for origin in cases["origins"]["taken"].as_array().unwrap() {
        let origin = origin.as_str().unwrap();
        compare("tokenPaths", &|path| token_endpoint(&format!("{origin}{path}")));
    }
}

#[test]
fn a_result_variable_has_no_name_of_an_input() {
    let pattern = fields::field("resultVariable").unwrap().pattern.unwrap();
    let names = flow_starter_input::fields::INPUT;
    for name in names
        .iter()
        .chain(&["flowStarterAttempt", "flowStarterOutcome", "error"])
    {
        assert!(
            pattern.literal.contains(&format!("|{name}|")) || pattern.literal.contains(&format!("({name}|")),
            "{name}"
        );
    }
}

/// The form's own pattern is tried on the same paths and characters in `check/tests/template.test.mjs`.
#[test]
fn the_component_takes_the_paths_that_the_form_takes_and_no_others() {
    let paths = &cases()["paths"];
    let is_taken = |path: &str| request::check(&FlowConfig::new(Method::Post, "acme", path)).is_ok();
    for (list, taken) in [("taken", true), ("refused", false)] {
        for path in paths[list].as_array().unwrap() {
            assert_eq!(is_taken(path.as_str().unwrap()), taken, "{path:?}");
        }
    }
    let in_ranges = |list: &str, c: char| {
        paths[list].as_array().unwrap().iter().any(|range| {
            let edge = |at: usize| range[at].as_u64().unwrap();
            (edge(0)..=edge(1)).contains(&u64::from(u32::from(c)))
        })
    };
    for c in '\0'..='\u{ffff}' {
        // Characters with a meaning of their own.
        if matches!(c, '%' | '.' | '/' | '?') {
            continue;
        }
        let anywhere = !in_ranges("refusedCharacters", c);
        assert_eq!(is_taken(&format!("/a{c}b")), anywhere, "{c:?}");
        assert_eq!(is_taken(&format!("/a?{c}b")), anywhere, "{c:?} in a query");
        let at_the_end = anywhere && !in_ranges("refusedAtTheEnd", c);
        assert_eq!(is_taken(&format!("/a{c}")), at_the_end, "{c:?} at the end");
        assert_eq!(is_taken(&format!("/a?{c}")), at_the_end, "{c:?} at a query's end");
    }
}

#[test]
fn a_process_made_with_the_official_template_is_understood_as_it_stands() {
    let official = &cases()["official"];
    let mut all = official["scope"].clone();
    let evaluated = official["evaluated"].as_object().unwrap();
    let inputs = official["inputs"].as_object().unwrap();
    let literal = inputs
        .iter()
        .filter(|(name, _)| !evaluated.contains_key(*name))
        .map(|(name, source)| (name.as_str(), source.as_str()));
    all.as_object_mut()
        .unwrap()
        .append(variables(literal).as_object_mut().unwrap());
    all.as_object_mut().unwrap().extend(evaluated.clone());

    // What the same fields give without the official one's own inputs and without the process's variables.
    let known = inputs
        .iter()
        .filter(|(name, _)| FIELDS.iter().any(|field| field.input() == Some(name)))
        .map(|(name, source)| (name.as_str(), source.as_str()));
    let ours = variables(known);
    assert_eq!(format!("{:?}", read(&all)), format!("{:?}", read(&ours)));
    assert_eq!(ours["body"], json!({"correlationValue": "cam-id-1"}));

    let gone: BTreeSet<_> = inputs
        .keys()
        .filter(|name| ours.pointer(&format!("/{}", name.replace('.', "/"))).is_none())
        .collect();
    let dropped = official["dropped"].as_array().unwrap();
    assert_eq!(
        gone,
        dropped
            .iter()
            .map(|name| inputs.keys().find(|key| *key == name).unwrap())
            .collect()
    );
}
