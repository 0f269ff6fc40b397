//! The table of fields. Names, bindings and defaults are those of Camunda's own *ServiceNow Flow Starter*, so that a task that changes
//! its template keeps its values. [`Field::ours`] marks the fields that Camunda's template lacks.

/// The template's id, which every model that uses it holds. It never changes.
pub const ID: &str = "connectors.servicenow-flow-starter.v1";

/// Increased whenever the template writes something else into a model.
pub const VERSION: u32 = 2;

/// The job type that the worker activates.
pub const JOB_TYPE: &str = "servicenow-flow-starter:1";

/// The name in the modeler's list. Camunda's own template is called "ServiceNow Flow Starter".
pub const NAME: &str = "ServiceNow Flow Starter (at most once)";

/// The first release that has the worker's REST calls and passes an empty input as null.
pub const ENGINES: &str = "^8.8";

/// A group of the form.
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
    /// A task header. The engine does not evaluate it, and secrets are not replaced in it.
    Header(&'static str),
    /// The job's retries.
    Retries,
    /// The job's type.
    JobType,
    /// Stays in the model and decides which fields the form shows. It is not part of a job.
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
    /// One of these values; each with its label.
    Choice(&'static [(&'static str, &'static str)]),
    /// Not shown; the value is fixed.
    Hidden,
}

/// Whether a value may, or must, be a FEEL expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the schema's")]
pub enum Feel {
    No,
    /// The modeler writes the `=` before a number itself.
    Static,
    Optional,
    Required,
}

/// The rule for a value that is neither an expression nor a reference to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// A regular expression for the whole value.
    pub literal: &'static str,
    /// Printed after the field's label, so it begins with "must".
    pub message: &'static str,
}

/// Shows a field only while the named field has one of the values.
pub type Condition = (&'static str, &'static [&'static str]);

/// One field of the form.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Unique; conditions refer to it.
    pub id: &'static str,
    /// The label in the form.
    pub label: &'static str,
    /// The group that shows it.
    pub group: Group,
    /// The control that fills it in.
    pub kind: Kind,
    /// Where its value goes.
    pub binding: Binding,
    /// The default, as the model holds it: `=20` for the number 20.
    pub default: Option<&'static str>,
    /// Whether the form requires a value.
    pub required: bool,
    /// Whether it takes FEEL.
    pub feel: Feel,
    /// The rule for a literal value.
    pub pattern: Option<Pattern>,
    /// When it is shown.
    pub condition: Option<Condition>,
    /// Shown grey in the empty field.
    pub placeholder: Option<&'static str>,
    /// The tooltip, and the text in the documentation: what to enter, its name in ServiceNow, where to find it there.
    pub hint: &'static str,
    /// One line that is always visible below the field.
    pub note: Option<&'static str>,
    /// Whether Camunda's own template lacks it.
    pub ours: bool,
}

/// The choice of a domain. It decides `snTarget`, `snDomain` and `snEndpoint`.
pub const DOMAIN_KIND: &str = "domainKind";
/// The choice of an authentication.
pub const AUTHENTICATION: &str = "authentication.type";
/// The choice of a method.
pub const METHOD: &str = "method";

const OWN_URL: &str = "url";
/// The choice's value in a task that was made with another template. The modeler reads the conditions before it writes the default.
pub const NOT_CHOSEN: &str = "";
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

/// Seconds up to 4294967, the reader's own limit (`input/src/template/number.rs`).
const SECONDS: Pattern = Pattern {
    literal: r"\d{1,6}|[1-3]\d{6}|4[01]\d{5}|42[0-8]\d{4}|429[0-3]\d{3}|4294[0-8]\d\d|42949[0-5]\d|429496[0-7]",
    message: "must be a whole number of seconds from 0 (no limit) to 4294967",
};
const NO_LIMIT: &str = "0 = no limit";

/// The durations that the worker reads (`worker/src/outcome/length.rs`): days and less, because the length of a month or a year varies.
macro_rules! duration {
    ($first:literal) => {
        concat!($first, r"P(?=\d|T)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d{1,9})?S)?)?")
    };
}
const DURATION: Pattern = Pattern {
    literal: duration!(""),
    message: "must be a duration in days or less: PT30S is 30 seconds, PT5M five minutes, P1D a day",
};
const DURATION_ABOVE_ZERO: Pattern = Pattern {
    literal: duration!("(?=.*[1-9])"),
    message: "must be a duration above zero in days or less: PT30S is 30 seconds, PT5M five minutes",
};

/// A variable's name as FEEL reads it without escapes. A completed job's variable that has the name of one of its local variables changes
/// only that one and is lost to the process, so the names of the inputs and of the worker's own variables are refused.
const VARIABLE: Pattern = Pattern {
    literal: concat!(
        r"(?!(snTarget|snInstance|snDomain|snEndpoint|restApiTriggerPath|method|headers|queryParameters|body|authentication",
        r"|connectionTimeoutInSeconds|readTimeoutInSeconds|maxResponseBytes|flowStarterAttempt|flowStarterOutcome|error",
        r"|null|true|false|function|if|then|else|for|in|return|between|instance|of|not|and|or|some|every|satisfies)$)",
        r"[^\s\d!-/:-@\[-^`{-~][^\s!-/:-@\[-^`{-~]*",
    ),
    message: "must be a variable name without spaces or operators, and not the name of an input of this task such as body or headers",
};

/// Host names and addresses as `input/src/request/origin.rs` reads them, and an instance's domain.
macro_rules! label {
    () => {
        "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    };
}
/// A DNS name that `$end` follows. A last label that is a number would make an address of it.
macro_rules! dns_name {
    ($end:literal) => {
        concat!("(", label!(), r"\.)*(?!(\d+|0[xX][0-9A-Fa-f]*)", $end, ")", label!())
    };
}
macro_rules! octet {
    () => {
        r"(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
    };
}
macro_rules! origin {
    () => {
        concat!(
            r"([Hh][Tt]{2}[Pp][Ss]://((?=[^:/?]{1,253}([:/?]|$))",
            dns_name!("([:/?]|$)"),
            "|",
            octet!(),
            r"(\.",
            octet!(),
            r"){3}|\[(?=[^\]]*:)[0-9A-Fa-f:.]+\])",
            r"|[Hh][Tt]{2}[Pp]://([Ll][Oo][Cc][Aa][Ll][Hh][Oo][Ss][Tt]|127(\.",
            octet!(),
            r"){3}|\[::1\]))",
            r"(:([1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))?",
        )
    };
}
/// A dot segment in any spelling, from where the path begins.
macro_rules! no_dot_segment {
    () => {
        r"(?![^?]*(/|%2[Ff]|%5[Cc])(\.|%2[Ee]){1,2}([/;?]|%2[Ff]|%3[Bb]|%5[Cc]|$))"
    };
}

const INSTANCE: Pattern = Pattern {
    literal: label!(),
    message: "must be the name alone: acme for https://acme.service-now.com",
};
const DOMAIN: Pattern = Pattern {
    literal: concat!("(?=.{1,251}$)", dns_name!("$")),
    message: "must be what follows the instance's name, as in service-now.com",
};
const ENDPOINT: Pattern = Pattern {
    literal: concat!(origin!(), "/?"),
    message: "must begin with https:// and have no path, as in https://flows.example.com",
};
const TOKEN_ENDPOINT: Pattern = Pattern {
    literal: concat!(
        origin!(),
        "(",
        no_dot_segment!(),
        r"/(?!/)([!$&-;=?-Z_a-z~]|%[0-9A-Fa-f]{2})*)?"
    ),
    message: "must be a whole URL that begins with https://; percent-encode spaces and braces, and leave out #",
};

/// The trigger paths that the component accepts (`input/src/request/target.rs`). First what it refuses: a dot segment in any spelling, and
/// white space at the end. Then the path, whose encoded bytes are UTF-8 without ASCII's control characters (RFC 3629, section 4), and the
/// query, which may have any encoded bytes.
const TRIGGER_PATH: &str = concat!(
    no_dot_segment!(),
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

/// The value of an input that the choice does not use. An expression, because every engine reads it as null; an input without a value is null
/// only since 8.8.
pub const UNUSED: &str = "=null";

/// The defaults of a field; each entry of the table sets what differs.
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

/// The worker reads headers as they stand; the engine does not evaluate them.
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

/// A hidden field: the input's value while the condition holds.
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

/// The input while the choice does not use it. A job also carries the process's variables: one with the name of a missing input would take its
/// place, and could send the call and its credentials to another host.
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
        condition: Some((DOMAIN_KIND, &[NOT_CHOSEN, "commercial", "government", "domain"])),
        placeholder: Some("acme"),
        pattern: Some(INSTANCE),
        hint: "The first part of your ServiceNow address: acme for https://acme.service-now.com. Leave out https:// and the domain.",
        ..input("snInstance", "Instance name", Group::ServiceNow)
    },
    // The same input: an own URL needs no name.
    Field {
        id: "snInstanceOfUrl",
        condition: Some((DOMAIN_KIND, &[OWN_URL])),
        placeholder: Some("acme"),
        pattern: Some(INSTANCE),
        hint: "The name of the instance behind your own URL, for people who read the diagram. The URL alone decides where the request goes.",
        note: Some("Optional with your own URL"),
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
        hint: "The domain of your instance: look at the address bar of your browser when you are logged in to ServiceNow. Own URL is for an instance with a Custom URL, or for a gateway in front of one.",
        ours: true,
        ..FIELD
    },
    // The choice itself is an input too, so that an expression that gives null does not send the request to another host.
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
        pattern: Some(DOMAIN),
        hint: "The part of the address after the instance's name and the dot.",
        ours: true,
        ..input("snDomain", "Domain name", Group::ServiceNow)
    },
    Field {
        required: true,
        condition: Some((DOMAIN_KIND, &[OWN_URL])),
        placeholder: Some("https://flows.example.com"),
        pattern: Some(ENDPOINT),
        hint: "Replaces https://(instance).(domain). It has no path; a slash at the end does no harm. Plain http is allowed only on the same machine, as for the stand-in at http://127.0.0.1:8080.",
        ours: true,
        ..input("snEndpoint", "URL of the instance", Group::ServiceNow)
    },
    Field {
        required: true,
        placeholder: Some("/api/sn_cico/flow_starter/my_flow"),
        pattern: Some(Pattern {
            literal: TRIGGER_PATH,
            message: "must begin with one / and not end with a space; it must not contain #, a backslash, the segments . and .., or a % that encodes no character",
        }),
        hint: "In ServiceNow: Workflow Studio, your flow, its trigger (REST API - Asynchronous), API path. It is /api/(application scope)/(flow name), then path parameters. Spaces, umlauts and the like are percent-encoded for you; what is already encoded stays as it is.",
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
        hint: "The HTTP method of the flow's trigger. Every method starts the flow, GET too. The field Request body appears for POST, PUT and PATCH.",
        note: Some("Request body appears for POST, PUT and PATCH"),
        ..input(METHOD, "Method", Group::ServiceNow)
    },
    Field {
        feel: Feel::Required,
        hint: "The headers that the flow's trigger declares, as a FEEL context: {\"hello\": \"header\"}. Authentication and content type are added for you. Values are sent in ISO-8859-1.",
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
        placeholder: Some("={\"correlationValue\": camId}"),
        hint: "The trigger's request body: a FEEL context such as ={\"correlationValue\": camId}, or JSON. Include the value that the flow sends back as the correlation key. With the header content-type: application/x-www-form-urlencoded a context is sent as a form; for any other content type than JSON enter the body as text.",
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
        hint: "The authentication that the flow's trigger requires. ServiceNow calls basic authentication legacy, and new instances may refuse it: prefer OAuth 2.0 or an API key. Keep every credential in a secret.",
        ..input(AUTHENTICATION, "Type", Group::Authentication)
    },
    Field {
        required: true,
        condition: Some(BASIC),
        placeholder: Some("{{secrets.snUser}}"),
        hint: "The User ID of a ServiceNow user with the role that the flow's trigger requires (User Administration, Users). Use a user for integrations only.",
        ..input("authentication.username", "Username", Group::Authentication)
    },
    Field {
        required: true,
        condition: Some(BASIC),
        placeholder: Some("{{secrets.snPwd}}"),
        hint: "A reference to the secret with that user's password. Do not enter the password itself: everyone who can open the diagram could read it.",
        ..input("authentication.password", "Password", Group::Authentication)
    },
    Field {
        condition: Some(OAUTH),
        placeholder: Some("https://acme.service-now.com/oauth_token.do"),
        pattern: Some(TOKEN_ENDPOINT),
        hint: "The URL that issues the access token. Leave it empty for /oauth_token.do on the instance; enter a URL only if another server issues your tokens.",
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
        hint: "In ServiceNow: System OAuth, Application Registry, your entry (an OAuth API endpoint for external clients), Client ID. The entry must allow the grant client_credentials, and it needs an OAuth application user.",
        ..input("authentication.clientId", "Client ID", Group::Authentication)
    },
    Field {
        required: true,
        condition: Some(OAUTH),
        placeholder: Some("{{secrets.snClientSecret}}"),
        hint: "A reference to the secret with the Client Secret of the same entry (the lock icon shows it).",
        ..input("authentication.clientSecret", "Client secret", Group::Authentication)
    },
    Field {
        condition: Some(OAUTH),
        hint: "Only if another server issues the tokens and requires an audience. ServiceNow does not.",
        ..input("authentication.audience", "Audience", Group::Authentication)
    },
    Field {
        required: true,
        kind: Kind::Choice(&[
            ("credentialsBody", "In the request body"),
            ("basicAuthHeader", "As a Basic authentication header"),
        ]),
        default: Some("credentialsBody"),
        condition: Some(OAUTH),
        feel: Feel::No,
        hint: "How the token request carries client ID and secret. ServiceNow accepts both in the request body.",
        ..input(
            "authentication.clientAuthentication",
            "Client authentication",
            Group::Authentication,
        )
    },
    Field {
        condition: Some(OAUTH),
        placeholder: Some("useraccount"),
        hint: "The Auth Scopes of the entry in the Application Registry, separated by spaces, or as a FEEL list of strings. Leave it empty for the scopes that the entry has by default.",
        ..input("authentication.scopes", "Scopes", Group::Authentication)
    },
    Field {
        required: true,
        kind: Kind::Choice(&[("headers", "Headers"), ("query", "Query parameters")]),
        default: Some("headers"),
        condition: Some(API_KEY),
        feel: Feel::No,
        hint: "As in the inbound authentication profile in ServiceNow: Auth Header or Query Parameter. A header is safer, because URLs are written to logs.",
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
        hint: "The header or parameter with the key. ServiceNow reads x-sn-apikey unless the profile names another one.",
        ..input("authentication.name", "API key name", Group::Authentication)
    },
    Field {
        required: true,
        condition: Some(API_KEY),
        placeholder: Some("{{secrets.snApiKey}}"),
        hint: "In ServiceNow: System Web Services, API Access Policies, REST API Key, the Token of your key. Enter a reference to the secret with it.",
        ..input("authentication.value", "API key value", Group::Authentication)
    },
    Field {
        required: true,
        condition: Some(BEARER),
        placeholder: Some("{{secrets.snToken}}"),
        hint: "An access token that you have requested elsewhere, without the word Bearer. It expires after minutes; choose OAuth 2.0 to have tokens requested and renewed for you.",
        ..input("authentication.token", "Bearer token", Group::Authentication)
    },
    // Connection timeout
    Field {
        required: true,
        kind: Kind::Number,
        default: Some("=20"),
        feel: Feel::Static,
        pattern: Some(SECONDS),
        hint: "How long to try to connect to the instance. After a connection timeout the flow was most likely not started; the error says so where that is certain.",
        note: Some(NO_LIMIT),
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
        hint: "How long to wait for the response. Until the response begins, the limit is the sum of both timeouts. If the response does not arrive in time, it is unknown whether the flow started.",
        note: Some(NO_LIMIT),
        ..input("readTimeoutInSeconds", "Read timeout in seconds", Group::Timeout)
    },
    // Payload
    Field {
        kind: Kind::Number,
        default: Some("=1048576"),
        feel: Feel::Static,
        pattern: Some(Pattern {
            literal: r"\d{1,9}",
            message: "must be a whole number of bytes below 1000000000",
        }),
        hint: "A larger response is an error. A trigger responds with a few hundred bytes, so 1048576 (1 MiB) is plenty; a Scripted REST API may need more.",
        ours: true,
        ..input("maxResponseBytes", "Maximum response size in bytes", Group::Payload)
    },
    // Output mapping
    Field {
        default: Some("snQueryResult"),
        pattern: Some(VARIABLE),
        hint: "The process variable for the whole response: status, reason, headers, body, executionId, sysId. Leave it empty to store none.",
        ..header("resultVariable", "Result variable", Group::Output)
    },
    Field {
        kind: Kind::Lines,
        feel: Feel::Required,
        hint: "A FEEL context whose entries become process variables: {snExecutionId: response.executionId}. The record of a Scripted REST API is response.sysId; the rest is in response.body.",
        ..header("resultExpression", "Result expression", Group::Output)
    },
    // Error handling
    Field {
        kind: Kind::Choice(&[
            ("incident", "Raise an incident"),
            ("retry", "Retry"),
            ("bpmnError", "Throw BPMN error FLOW_UNKNOWN"),
        ]),
        default: Some("incident"),
        hint: "If the connection breaks after the request was sent, it is unknown whether the flow started. With an incident a person looks in ServiceNow first. A retry may start the flow twice. The BPMN error FLOW_UNKNOWN goes to a boundary event, so that the process handles it.",
        note: Some("A retry can start the flow twice"),
        ours: true,
        ..header("onUnknown", "If it is unknown whether the flow started", Group::Error)
    },
    Field {
        kind: Kind::Lines,
        feel: Feel::Required,
        hint: "A FEEL expression that handles an error: bpmnError(code, message) goes to a boundary event, jobError(message) fails the job, ignoreError() completes it, null leaves the default. It reads error.code, error.type, error.message, error.variables (kind, flow, retryable, response) and response.",
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
        hint: "The number of attempts. A job is retried only if the flow was certainly not started and the cause can pass by itself.",
        ..FIELD
    },
    Field {
        default: Some("PT30S"),
        pattern: Some(DURATION),
        hint: "The wait before the next attempt: an ISO 8601 duration. If ServiceNow asks for a longer wait (Retry-After), the worker waits that long, at most a day.",
        ..header("retryBackoff", "Retry backoff", Group::Retries)
    },
    Field {
        pattern: Some(DURATION_ABOVE_ZERO),
        placeholder: Some("PT10M"),
        hint: "How long the engine leaves the job with one worker: an ISO 8601 duration. The worker takes at least the time that its longest call needs; a shorter value changes nothing. Leave it empty for the worker's setting.",
        ..header("jobTimeout", "Job timeout", Group::Retries)
    },
    // The counterpart of every condition above: each choice writes every input.
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

    /// The form's regular expression: a literal, an expression or a reference to a secret. None for a field without a rule.
    #[must_use]
    pub fn regex(&self) -> Option<String> {
        let literal = self.pattern?.literal;
        // The form tests a missing value as the word "undefined".
        let empty = if self.required { "" } else { "|undefined|" };
        let later = match self.feel {
            Feel::No | Feel::Static => "",
            // `secrets.NAME` is the older spelling of a reference.
            Feel::Optional | Feel::Required => r"|=.*|.*\{\{.*|secrets\..*",
        };
        Some(format!("^({literal}{later}{empty})$"))
    }
}
