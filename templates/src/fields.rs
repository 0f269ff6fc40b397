//! The table. Names, bindings and defaults are those of Camunda's own *ServiceNow Flow Starter*, so that the values of an
//! existing process stay where they are; [`Field::ours`] marks what that one lacks.

/// The template's id, which stands in every model that uses it. It never changes.
pub const ID: &str = "connectors.servicenow-flow-starter.v1";

/// Counted up whenever a change would alter what the template writes into a model.
pub const VERSION: u32 = 2;

/// What the worker asks for.
pub const JOB_TYPE: &str = "servicenow-flow-starter:1";

/// Where to read on: the fields that both forms have are described there as well.
pub const DOCUMENTATION: &str =
    "https://docs.camunda.io/docs/components/camunda-integrations/servicenow/connectors/flow-starter/";

/// The worker's calls exist since this release, and an empty input is null since it.
pub const ENGINES: &str = "^8.8";

/// A part of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "`GROUPS` says it")]
pub enum Group {
    ServiceNow,
    Authentication,
    Timeout,
    Payload,
    Output,
    Error,
    Retries,
}

/// The groups in the form's order: id and title.
pub const GROUPS: [(Group, &str, &str); 7] = [
    (Group::ServiceNow, "sn", "ServiceNow"),
    (Group::Authentication, "authentication", "Authentication"),
    (Group::Timeout, "timeout", "Connection timeout"),
    (Group::Payload, "payload", "Payload"),
    (Group::Output, "output", "Output mapping"),
    (Group::Error, "error", "Error handling"),
    (Group::Retries, "retries", "Retries"),
];

/// Where a field's value goes in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// An input mapping: a variable of the job. A dot in the name makes an object.
    Input(&'static str),
    /// A task header: never a FEEL expression of the engine, never a secret.
    Header(&'static str),
    /// The job's number of tries.
    Retries,
    /// The job's type.
    JobType,
    /// Stays in the model and says what else the form shows; no job carries it.
    Property(&'static str),
}

/// How a field is filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One line.
    Line,
    /// Several lines.
    Lines,
    /// Digits.
    Number,
    /// One of these: value and label.
    Choice(&'static [(&'static str, &'static str)]),
    /// Not shown; the value is fixed.
    Hidden,
}

/// Whether a value may, or must, be a FEEL expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say it all")]
pub enum Feel {
    No,
    /// The modeler writes the `=` of a number itself.
    Static,
    Optional,
    Required,
}

/// What a value must look like where it is neither an expression nor a secret's reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// A regular expression for the whole of it.
    pub literal: &'static str,
    /// Printed after the field's label, so it begins with "must".
    pub message: &'static str,
}

/// Shows a field only while the named field has one of the values.
pub type Condition = (&'static str, &'static [&'static str]);

/// One field of the form.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Unique; what conditions refer to.
    pub id: &'static str,
    /// What the form calls it.
    pub label: &'static str,
    /// Where the form has it.
    pub group: Group,
    /// How it is filled in.
    pub kind: Kind,
    /// Where its value goes.
    pub binding: Binding,
    /// What it holds at first, as the model holds it: `=20` for the number 20.
    pub default: Option<&'static str>,
    /// Whether the form insists on a value.
    pub required: bool,
    /// Whether it takes FEEL.
    pub feel: Feel,
    /// What a literal must look like.
    pub pattern: Option<Pattern>,
    /// When it is shown.
    pub condition: Option<Condition>,
    /// Shown grey in the empty field.
    pub placeholder: Option<&'static str>,
    /// Behind the label's tooltip, and in the documentation: what to enter, what ServiceNow calls it, where to find it.
    pub hint: &'static str,
    /// Below the field, where one line must always be seen.
    pub note: Option<&'static str>,
    /// Not in Camunda's own template.
    pub ours: bool,
}

/// Which domain the instance is in. It decides `snTarget`, `snDomain` and `snEndpoint`.
pub const DOMAIN_KIND: &str = "domainKind";
/// The authentication's choice.
pub const AUTHENTICATION: &str = "authentication.type";
/// The method's choice.
pub const METHOD: &str = "method";

const OWN_URL: &str = "url";
const BASIC: Condition = (AUTHENTICATION, &["basic"]);
const OAUTH: Condition = (AUTHENTICATION, &["oauth-client-credentials-flow"]);
const API_KEY: Condition = (AUTHENTICATION, &["apiKey"]);
const BEARER: Condition = (AUTHENTICATION, &["bearer"]);
const NOT_BASIC: Condition = (
    AUTHENTICATION,
    &["oauth-client-credentials-flow", "apiKey", "bearer", "noAuth"],
);
const NOT_OAUTH: Condition = (AUTHENTICATION, &["basic", "apiKey", "bearer", "noAuth"]);
const NOT_API_KEY: Condition = (
    AUTHENTICATION,
    &["basic", "oauth-client-credentials-flow", "bearer", "noAuth"],
);
const NOT_BEARER: Condition = (
    AUTHENTICATION,
    &["basic", "oauth-client-credentials-flow", "apiKey", "noAuth"],
);

const SECONDS: Pattern = Pattern {
    literal: r"\d+",
    message: "must be a whole number of seconds: 0 waits without end",
};
const DURATION: Pattern = Pattern {
    literal: r"P((\d+[YMWD])+(T(\d+[HMS])+)?|T(\d+[HMS])+)",
    message: "must be a duration: PT30S is half a minute, PT5M five minutes",
};
const HTTPS_URL: Pattern = Pattern {
    literal: r"https://[^\s/?#@]+(/[^\s?#]*)?",
    message: "must be a whole URL that begins with https://",
};

/// What the component takes as a trigger's path, and nothing else: `input/src/request/target.rs` has the same rules. First what is refused: a dot
/// segment in any spelling, and white space at the end. Then the path, whose encoded bytes are UTF-8 without ASCII's control characters (by
/// RFC 3629, section 4), and its query, which may have any encoded bytes.
const TRIGGER_PATH: &str = concat!(
    r"(?![^?]*(/|%2[Ff]|%5[Cc])(\.|%2[Ee]){1,2}([/;?]|%2[Ff]|%3[Bb]|%5[Cc]|$))",
    r"(?!.*[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]$)",
    r"/(?!/)",
    r"([^%?#\\\u0000-\u001f\u007f-\u009f\u2028\u2029]",
    r"|%([2-6][0-9A-Fa-f]|7[0-9A-Ea-e])",
    r"|%([Cc][2-9A-Fa-f]|[Dd][0-9A-Fa-f])%[89ABab][0-9A-Fa-f]",
    r"|%([Ee]0%[ABab]|[Ee][Dd]%[89]|[Ee][1-9A-CEFa-cef]%[89ABab])[0-9A-Fa-f]%[89ABab][0-9A-Fa-f]",
    r"|%([Ff]0%[9ABab]|[Ff]4%8|[Ff][1-3]%[89ABab])[0-9A-Fa-f](%[89ABab][0-9A-Fa-f]){2}",
    r")*",
    r"(\?([^%#\\\u0000-\u001f\u007f-\u009f\u2028\u2029]|%[0-9A-Fa-f]{2})*)?",
);

/// What an input holds that the choice does not use. An expression, because every engine reads it as null; an input without a value is null
/// only since 8.8.
pub const UNUSED: &str = "=null";

/// What most fields are; each line of the table says what is different.
const FIELD: Field = Field {
    id: "",
    label: "",
    group: Group::ServiceNow,
    kind: Kind::Line,
    binding: Binding::Input(""),
    default: None,
    required: false,
    feel: Feel::Optional,
    pattern: None,
    condition: None,
    placeholder: None,
    hint: "",
    note: None,
    ours: false,
};

const fn input(id: &'static str, label: &'static str, group: Group) -> Field {
    Field {
        id,
        label,
        group,
        binding: Binding::Input(id),
        ..FIELD
    }
}

/// Headers are read by the worker as they stand: no FEEL of the engine's.
const fn header(id: &'static str, label: &'static str, group: Group) -> Field {
    Field {
        id,
        label,
        group,
        binding: Binding::Header(id),
        feel: Feel::No,
        ..FIELD
    }
}

/// Not shown: the input's value while the condition holds.
const fn hidden(id: &'static str, input: &'static str, value: &'static str, condition: Condition) -> Field {
    Field {
        id,
        kind: Kind::Hidden,
        binding: Binding::Input(input),
        default: Some(value),
        condition: Some(condition),
        feel: Feel::No,
        ours: true,
        ..FIELD
    }
}

/// The input while the choice does not use it. A job sees the process's variables too, and one of that name would take a missing input's
/// place: it could send the call and its credentials elsewhere.
const fn unused(id: &'static str, input: &'static str, condition: Condition) -> Field {
    hidden(id, input, UNUSED, condition)
}

/// Every field, in the form's order.
pub const FIELDS: &[Field] = &[
    Field {
        id: "jobType",
        kind: Kind::Hidden,
        binding: Binding::JobType,
        default: Some(JOB_TYPE),
        feel: Feel::No,
        ..FIELD
    },
    // ServiceNow
    Field {
        required: true,
        // Without a condition, though an own URL needs no name: where this template takes another's place, the choice is not there
        // yet when the modeler looks at the conditions, and it would throw the name away.
        placeholder: Some("acme"),
        pattern: Some(Pattern {
            literal: "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
            message: "must be the name alone: acme for https://acme.service-now.com",
        }),
        hint: "The first part of your ServiceNow address: acme for https://acme.service-now.com. Without https:// and without the domain. With an own URL it only says which instance is meant.",
        ..input("snInstance", "Instance name", Group::ServiceNow)
    },
    Field {
        id: DOMAIN_KIND,
        label: "Domain",
        kind: Kind::Choice(&[
            ("commercial", "Commercial (service-now.com)"),
            ("government", "US government (servicenowservices.com)"),
            ("domain", "Another domain"),
            (OWN_URL, "Own URL"),
        ]),
        binding: Binding::Property("servicenow-flow-starter:domain"),
        default: Some("commercial"),
        feel: Feel::No,
        hint: "Where the instance lives. Look at your browser's address bar when you are logged in to ServiceNow. Own URL is for instances with a Custom URL, and for a gateway in front of one.",
        ours: true,
        ..FIELD
    },
    // What the choice says, apart from the values that it asks for: an expression that gives null falls back to no other destination.
    hidden(
        "snTargetInstance",
        "snTarget",
        "instance",
        (DOMAIN_KIND, &["commercial"]),
    ),
    hidden(
        "snTargetDomain",
        "snTarget",
        "domain",
        (DOMAIN_KIND, &["government", "domain"]),
    ),
    hidden("snTargetUrl", "snTarget", "url", (DOMAIN_KIND, &[OWN_URL])),
    hidden(
        "snDomainGovernment",
        "snDomain",
        "servicenowservices.com",
        (DOMAIN_KIND, &["government"]),
    ),
    Field {
        required: true,
        condition: Some((DOMAIN_KIND, &["domain"])),
        placeholder: Some("service-now.com"),
        pattern: Some(Pattern {
            literal: r"([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?",
            message: "must be what follows the instance's name, as in service-now.com",
        }),
        hint: "What follows the instance's name and its dot in the address.",
        ours: true,
        ..input("snDomain", "Domain name", Group::ServiceNow)
    },
    Field {
        required: true,
        condition: Some((DOMAIN_KIND, &[OWN_URL])),
        placeholder: Some("https://flows.example.com"),
        pattern: Some(Pattern {
            literal: r"https://[^\s/?#@]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?",
            message: "must begin with https:// and end before the path, as in https://flows.example.com",
        }),
        hint: "Replaces https://(instance).(domain). The path follows it, so it ends without one. Plain http is taken only for this machine, such as the stand-in at http://127.0.0.1:8080.",
        ours: true,
        ..input("snEndpoint", "URL of the instance", Group::ServiceNow)
    },
    Field {
        required: true,
        placeholder: Some("/api/sn_cico/flow_starter/my_flow"),
        pattern: Some(Pattern {
            literal: TRIGGER_PATH,
            message: "must begin with one / and end without a space, and hold no #, backslash, . or .. between slashes, or % that encodes no character",
        }),
        hint: "In ServiceNow: Workflow Studio, your flow, its trigger (REST API - Asynchronous), API path. It is /api/(application scope)/(flow name), then path parameters. A space, an umlaut and the like are percent-encoded for you; what is encoded already stays as it is.",
        ..input("restApiTriggerPath", "REST API trigger path", Group::ServiceNow)
    },
    Field {
        required: true,
        kind: Kind::Choice(&[
            ("POST", "POST"),
            ("GET", "GET"),
            ("DELETE", "DELETE"),
            ("PATCH", "PATCH"),
            ("PUT", "PUT"),
        ]),
        default: Some("GET"),
        feel: Feel::No,
        hint: "The HTTP method that the flow's trigger names. Whichever it is, a GET included, it starts the flow.",
        ..input(METHOD, "Method", Group::ServiceNow)
    },
    Field {
        feel: Feel::Required,
        hint: "The headers that the flow's trigger declares, as a FEEL context: {\"hello\": \"header\"}. Authentication and content type are added without being named here. Values are sent in ISO-8859-1.",
        ..input("headers", "Headers", Group::ServiceNow)
    },
    Field {
        feel: Feel::Required,
        hint: "The query parameters that the flow's trigger declares, as a FEEL context: {\"hello\": \"query\"}. Names and values are encoded for you.",
        ..input("queryParameters", "Query parameters", Group::ServiceNow)
    },
    Field {
        kind: Kind::Lines,
        condition: Some((METHOD, &["POST", "PUT", "PATCH"])),
        hint: "What the flow finds as its trigger's request body: JSON, or a FEEL context such as {\"correlationValue\": camId}. With the header content-type application/x-www-form-urlencoded a context is sent as a form; for other content types give the body as text. Give the flow whatever it needs to answer this very process.",
        ..input("body", "Request body", Group::ServiceNow)
    },
    // Authentication
    Field {
        required: true,
        kind: Kind::Choice(&[
            ("basic", "Basic"),
            ("oauth-client-credentials-flow", "OAuth 2.0 client credentials"),
            ("apiKey", "API key"),
            ("bearer", "Bearer token"),
            ("noAuth", "None"),
        ]),
        default: Some("basic"),
        feel: Feel::No,
        hint: "What the flow's trigger asks for. ServiceNow calls basic authentication legacy, and new instances may refuse it: prefer OAuth 2.0 or an API key there. Keep every credential in a secret.",
        ..input(AUTHENTICATION, "Type", Group::Authentication)
    },
    Field {
        required: true,
        condition: Some(BASIC),
        placeholder: Some("{{secrets.snUser}}"),
        hint: "User ID of a ServiceNow user that has the role which the flow's trigger asks for (User Administration, Users). A user for integrations alone is best.",
        ..input("authentication.username", "Username", Group::Authentication)
    },
    Field {
        required: true,
        condition: Some(BASIC),
        placeholder: Some("{{secrets.snPwd}}"),
        hint: "That user's password, by the name of a secret: typed here in the clear, it could be read by everyone who can open the model.",
        ..input("authentication.password", "Password", Group::Authentication)
    },
    Field {
        condition: Some(OAUTH),
        placeholder: Some("https://acme.service-now.com/oauth_token.do"),
        pattern: Some(HTTPS_URL),
        hint: "Where the token is fetched. Left empty: /oauth_token.do on the instance, which is right unless another server issues your tokens.",
        ..input(
            "authentication.oauthTokenEndpoint",
            "OAuth 2.0 token endpoint",
            Group::Authentication,
        )
    },
    Field {
        required: true,
        condition: Some(OAUTH),
        placeholder: Some("{{secrets.snClientId}}"),
        hint: "In ServiceNow: System OAuth, Application Registry, your entry (an OAuth API endpoint for external clients), Client ID. The grant client_credentials has to be allowed, and the entry needs an OAuth application user.",
        ..input("authentication.clientId", "Client ID", Group::Authentication)
    },
    Field {
        required: true,
        condition: Some(OAUTH),
        placeholder: Some("{{secrets.snClientSecret}}"),
        hint: "The same entry's Client Secret (the lock shows it), by the name of a secret.",
        ..input("authentication.clientSecret", "Client secret", Group::Authentication)
    },
    Field {
        condition: Some(OAUTH),
        hint: "Only where another server issues the tokens and asks for it. ServiceNow does not.",
        ..input("authentication.audience", "Audience", Group::Authentication)
    },
    Field {
        required: true,
        kind: Kind::Choice(&[
            ("credentialsBody", "In the request's body"),
            ("basicAuthHeader", "As a Basic authentication header"),
        ]),
        default: Some("credentialsBody"),
        condition: Some(OAUTH),
        feel: Feel::No,
        hint: "How client ID and secret travel in the token request. ServiceNow takes them in the body.",
        ..input(
            "authentication.clientAuthentication",
            "Client authentication",
            Group::Authentication,
        )
    },
    Field {
        condition: Some(OAUTH),
        placeholder: Some("useraccount"),
        hint: "The Auth Scopes of the entry in the Application Registry, separated by white space, or as a FEEL list of texts. Empty: what the entry has by default.",
        ..input("authentication.scopes", "Scopes", Group::Authentication)
    },
    Field {
        required: true,
        kind: Kind::Choice(&[("headers", "Headers"), ("query", "Query parameters")]),
        default: Some("headers"),
        condition: Some(API_KEY),
        feel: Feel::No,
        hint: "As the inbound authentication profile in ServiceNow says: Auth Header or Query Parameter. A header is safer, because addresses are written to logs.",
        ..input(
            "authentication.apiKeyLocation",
            "API key location",
            Group::Authentication,
        )
    },
    Field {
        required: true,
        default: Some("x-sn-apikey"),
        condition: Some(API_KEY),
        hint: "The header or parameter that carries the key. ServiceNow reads x-sn-apikey unless the profile names another.",
        ..input("authentication.name", "API key name", Group::Authentication)
    },
    Field {
        required: true,
        condition: Some(API_KEY),
        placeholder: Some("{{secrets.snApiKey}}"),
        hint: "In ServiceNow: System Web Services, API Access Policies, REST API Key, your key's Token. By the name of a secret.",
        ..input("authentication.value", "API key value", Group::Authentication)
    },
    Field {
        required: true,
        condition: Some(BEARER),
        placeholder: Some("{{secrets.snToken}}"),
        hint: "An access token that something else has fetched, without the word Bearer. It ends after minutes: for lasting use choose OAuth 2.0, which fetches a new one by itself.",
        ..input("authentication.token", "Bearer token", Group::Authentication)
    },
    // Connection timeout
    Field {
        required: true,
        kind: Kind::Number,
        default: Some("=20"),
        feel: Feel::Static,
        pattern: Some(SECONDS),
        hint: "How long to try to reach the instance. If this passes, the flow was most likely not started; the error's flow says so where it is certain.",
        ..input(
            "connectionTimeoutInSeconds",
            "Connection timeout in seconds",
            Group::Timeout,
        )
    },
    Field {
        required: true,
        kind: Kind::Number,
        default: Some("=20"),
        feel: Feel::Static,
        pattern: Some(SECONDS),
        hint: "How long ServiceNow may stay silent. Until an answer begins, this and the connection timeout are one limit, their sum; if that passes once the request was sent, it is unknown whether the flow started.",
        ..input("readTimeoutInSeconds", "Read timeout in seconds", Group::Timeout)
    },
    // Payload
    Field {
        kind: Kind::Number,
        default: Some("=1048576"),
        feel: Feel::Static,
        pattern: Some(Pattern {
            literal: r"\d{1,9}",
            message: "must be a whole number of bytes, below 1000000000",
        }),
        hint: "A longer answer is not read to its end. A trigger's answer has a few hundred bytes, so 1048576 (1 MiB) is plenty; a Scripted REST API may need more.",
        ours: true,
        ..input("maxResponseBytes", "Maximum response size in bytes", Group::Payload)
    },
    // Output mapping
    Field {
        default: Some("snQueryResult"),
        hint: "A process variable that takes the whole answer: status, headers, body, executionId, sysId. Empty: none does.",
        ..header("resultVariable", "Result variable", Group::Output)
    },
    Field {
        kind: Kind::Lines,
        feel: Feel::Required,
        hint: "A FEEL context that makes process variables of the answer: {snExecutionId: response.executionId}. A Scripted REST API's record is response.sysId; everything else is in response.body.",
        ..header("resultExpression", "Result expression", Group::Output)
    },
    // Error handling
    Field {
        kind: Kind::Choice(&[
            ("incident", "Raise an incident"),
            ("retry", "Try again"),
            ("bpmnError", "Throw BPMN error FLOW_UNKNOWN"),
        ]),
        default: Some("incident"),
        hint: "When the connection broke after the request had left, nobody can say whether the flow runs. An incident lets a person look in ServiceNow first. Try again may start the flow a second time. The BPMN error FLOW_UNKNOWN leaves by a boundary event, so that the process can look for itself.",
        note: Some("\"Try again\" can start the flow twice"),
        ours: true,
        ..header("onUnknown", "If it is unknown whether the flow started", Group::Error)
    },
    Field {
        kind: Kind::Lines,
        feel: Feel::Required,
        hint: "FEEL that decides what an error means: bpmnError(code, message) leaves by a boundary event, jobError(message) fails the job, null does what is usual. It sees error.code, error.message, error.variables (flow: not-started, started or unknown; kind; retryable) and the answer as response.",
        ..header("errorExpression", "Error expression", Group::Error)
    },
    // Retries
    Field {
        id: "retryCount",
        label: "Retries",
        group: Group::Retries,
        binding: Binding::Retries,
        default: Some("3"),
        pattern: Some(Pattern {
            literal: r"\d+",
            message: "must be a whole number, or an expression",
        }),
        hint: "How often to try in all. Only what is certain not to have started the flow, and may pass by itself, is tried again.",
        ..FIELD
    },
    Field {
        default: Some("PT30S"),
        pattern: Some(DURATION),
        hint: "How long to wait before the next try: an ISO 8601 duration. Where ServiceNow itself says how long (Retry-After), its word counts.",
        ..header("retryBackoff", "Retry backoff", Group::Retries)
    },
    Field {
        pattern: Some(DURATION),
        placeholder: Some("PT5M"),
        hint: "After this the engine hands the job to another worker: an ISO 8601 duration, longer than both timeouts together. Empty: the worker's own setting.",
        ..header("jobTimeout", "Job timeout", Group::Retries)
    },
    // The other side of every condition above: each choice writes every input.
    unused("snDomainUnused", "snDomain", (DOMAIN_KIND, &["commercial", OWN_URL])),
    unused(
        "snEndpointUnused",
        "snEndpoint",
        (DOMAIN_KIND, &["commercial", "government", "domain"]),
    ),
    unused("bodyUnused", "body", (METHOD, &["GET", "DELETE"])),
    unused("usernameUnused", "authentication.username", NOT_BASIC),
    unused("passwordUnused", "authentication.password", NOT_BASIC),
    unused(
        "oauthTokenEndpointUnused",
        "authentication.oauthTokenEndpoint",
        NOT_OAUTH,
    ),
    unused("clientIdUnused", "authentication.clientId", NOT_OAUTH),
    unused("clientSecretUnused", "authentication.clientSecret", NOT_OAUTH),
    unused("audienceUnused", "authentication.audience", NOT_OAUTH),
    unused(
        "clientAuthenticationUnused",
        "authentication.clientAuthentication",
        NOT_OAUTH,
    ),
    unused("scopesUnused", "authentication.scopes", NOT_OAUTH),
    unused("apiKeyLocationUnused", "authentication.apiKeyLocation", NOT_API_KEY),
    unused("nameUnused", "authentication.name", NOT_API_KEY),
    unused("valueUnused", "authentication.value", NOT_API_KEY),
    unused("tokenUnused", "authentication.token", NOT_BEARER),
];

/// The field of that id.
#[must_use]
pub fn field(id: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.id == id)
}

impl Field {
    /// Whether the form shows (or, where it is hidden, writes) it while `value_of` gives the choices' values.
    #[must_use]
    pub fn shown<'v>(&self, value_of: impl FnOnce(&'static str) -> Option<&'v str>) -> bool {
        self.condition
            .is_none_or(|(id, values)| value_of(id).is_some_and(|value| values.contains(&value)))
    }

    /// The job's variable, or none.
    #[must_use]
    pub fn input(&self) -> Option<&'static str> {
        match self.binding {
            Binding::Input(name) => Some(name),
            _ => None,
        }
    }

    /// The regular expression of the form: a literal, or what only run time can tell. None where the field has no rule.
    #[must_use]
    pub fn regex(&self) -> Option<String> {
        let literal = self.pattern?.literal;
        // The form tests a value that is not there as this very word.
        let empty = if self.required { "" } else { "|undefined|" };
        let later = match self.feel {
            Feel::No | Feel::Static => "",
            // `secrets.NAME` is the older spelling of a reference.
            Feel::Optional | Feel::Required => r"|=.*|.*\{\{.*|secrets\..*",
        };
        Some(format!("^({literal}{later}{empty})$"))
    }
}
