//! The names of the input's fields, as in the element template.

/// The input's own members. A job carries every variable in its scope; other members are not the connector's.
pub const INPUT: [&str; 13] = [
    "snTarget",
    "snInstance",
    "snDomain",
    "snEndpoint",
    "restApiTriggerPath",
    "method",
    "headers",
    "queryParameters",
    "body",
    "authentication",
    "connectionTimeoutInSeconds",
    "readTimeoutInSeconds",
    "maxResponseBytes",
];

/// The members of `authentication`.
pub const AUTHENTICATION: [&str; 13] = [
    "type",
    "username",
    "password",
    "token",
    "apiKeyLocation",
    "name",
    "value",
    "oauthTokenEndpoint",
    "clientId",
    "clientSecret",
    "audience",
    "scopes",
    "clientAuthentication",
];

/// The members of `authentication` that are credentials.
pub(crate) const CREDENTIALS: [&str; 4] = ["password", "token", "value", "clientSecret"];

/// The members of `authentication` that are sent together, as `user:password`.
pub(crate) const PAIRS: [(&str, &str); 2] = [("username", "password"), ("clientId", "clientSecret")];

/// What the names of headers and query parameters contain that are credentials by their meaning: `authorization`, `x-sn-apikey`,
/// `access_token`. ServiceNow's `x-usertoken` and Camunda's `x-auth-token` are among them.
pub(crate) const CREDENTIAL_NAMES: [&str; 8] = [
    "apikey",
    "api-key",
    "api_key",
    "authorization",
    "cookie",
    "password",
    "secret",
    "token",
];
