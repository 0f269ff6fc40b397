//! The settings of the job worker: rows of the one table. The variables beside ours are those that Camunda's SDKs read.

use super::table::{BLANK, Entry, Row};
use super::value::Kind;

pub(super) static WORKER_ROWS: [Row; 23] = [
    Row {
        key: Entry::Engine,
        name: "engine.kind",
        flag: "engine",
        value_name: "ENGINE",
        kind: Kind::Choice(&["camunda8"]),
        default: "camunda8",
        help: "The engine to take jobs from: a Camunda 8 Orchestration Cluster, 8.8 or later",
        example: r#""camunda8""#,
        ..BLANK
    },
    Row {
        key: Entry::EngineUrl,
        name: "engine.url",
        flag: "engine-url",
        value_name: "URL",
        default: "http://localhost:8080",
        also: &["CAMUNDA_REST_ADDRESS", "ZEEBE_REST_ADDRESS"],
        help: "The cluster's REST address, with or without `/v2`; policy.allow does not govern it",
        example: r#""https://bru-2.zeebe.camunda.io/CLUSTER-ID""#,
        ..BLANK
    },
    Row {
        key: Entry::EngineAuthentication,
        name: "engine.auth-strategy",
        flag: "engine-auth-strategy",
        value_name: "STRATEGY",
        kind: Kind::Choice(&["NONE", "BASIC", "OAUTH"]),
        default: "NONE",
        also: &["CAMUNDA_AUTH_STRATEGY"],
        help: "How the worker signs in at the cluster",
        example: r#""OAUTH""#,
        ..BLANK
    },
    Row {
        key: Entry::EngineUsername,
        name: "engine.username",
        flag: "engine-username",
        value_name: "NAME",
        also: &["CAMUNDA_BASIC_AUTH_USERNAME"],
        help: "The user's name, for BASIC",
        example: r#""demo""#,
        ..BLANK
    },
    Row {
        key: Entry::EnginePassword,
        name: "engine.password",
        flag: "engine-password",
        value_name: "PASSWORD",
        kind: Kind::Secret,
        also: &["CAMUNDA_BASIC_AUTH_PASSWORD"],
        help: "The user's password, for BASIC. Other users of this machine can read flags: prefer the variable",
        example: r#""…""#,
        ..BLANK
    },
    Row {
        key: Entry::EngineClientId,
        name: "engine.client-id",
        flag: "engine-client-id",
        value_name: "ID",
        also: &["CAMUNDA_CLIENT_ID"],
        help: "The client's id, for OAUTH",
        example: r#""flow-starter""#,
        ..BLANK
    },
    Row {
        key: Entry::EngineClientSecret,
        name: "engine.client-secret",
        flag: "engine-client-secret",
        value_name: "SECRET",
        kind: Kind::Secret,
        also: &["CAMUNDA_CLIENT_SECRET"],
        help: "The client's secret, for OAUTH. Other users of this machine can read flags: prefer the variable",
        example: r#""…""#,
        ..BLANK
    },
    Row {
        key: Entry::EngineTokenUrl,
        name: "engine.oauth-url",
        flag: "engine-oauth-url",
        value_name: "URL",
        default: "https://login.cloud.camunda.io/oauth/token",
        also: &["CAMUNDA_OAUTH_URL"],
        help: "The token endpoint, for OAUTH",
        example: r#""https://login.example.com/realms/camunda/protocol/openid-connect/token""#,
        ..BLANK
    },
    Row {
        key: Entry::EngineTokenScope,
        name: "engine.oauth-scope",
        flag: "engine-oauth-scope",
        value_name: "SCOPE",
        also: &["CAMUNDA_OAUTH_SCOPE"],
        help: "The scope to ask for, for OAUTH",
        example: r#""camunda""#,
        ..BLANK
    },
    Row {
        key: Entry::EngineTokenAudience,
        name: "engine.token-audience",
        flag: "engine-token-audience",
        value_name: "AUDIENCE",
        default: "zeebe.camunda.io",
        also: &["CAMUNDA_TOKEN_AUDIENCE"],
        help: "The audience to ask for, for OAUTH; `none`: not sent",
        example: r#""orchestration-api""#,
        ..BLANK
    },
    Row {
        key: Entry::EngineTenants,
        name: "engine.tenant-ids",
        flag: "tenant-id",
        value_name: "TENANT",
        kind: Kind::List,
        also: &["CAMUNDA_DEFAULT_TENANT_ID", "CAMUNDA_TENANT_ID"],
        help: "The tenants whose jobs to take",
        example: r#"["<default>", "acme"]"#,
        ..BLANK
    },
    Row {
        key: Entry::EngineCaFile,
        name: "engine.ca-file",
        flag: "engine-ca-file",
        kind: Kind::Path,
        also: &["CAMUNDA_MTLS_CA_PATH"],
        help: "Certificate authorities (PEM) to trust for the cluster, beside the public ones and the system's",
        example: r#""cluster-ca.pem""#,
        ..BLANK
    },
    Row {
        key: Entry::EngineClientCertificate,
        name: "engine.client-certificate",
        flag: "engine-client-certificate",
        kind: Kind::Path,
        also: &["CAMUNDA_MTLS_CERT_PATH"],
        help: "The certificate to show to the cluster (PEM, with its chain)",
        example: r#""worker.pem""#,
        ..BLANK
    },
    Row {
        key: Entry::EngineClientKey,
        name: "engine.client-key",
        flag: "engine-client-key",
        kind: Kind::Path,
        also: &["CAMUNDA_MTLS_KEY_PATH"],
        help: "That certificate's key (PEM, not encrypted)",
        example: r#""worker-key.pem""#,
        ..BLANK
    },
    Row {
        key: Entry::JobTypes,
        name: "worker.job-types",
        flag: "job-type",
        value_name: "TYPE",
        kind: Kind::List,
        default: "servicenow-flow-starter:1",
        help: "The job types to take",
        example: r#"["servicenow-flow-starter:1"]"#,
        ..BLANK
    },
    Row {
        key: Entry::WorkerName,
        name: "worker.name",
        flag: "worker-name",
        value_name: "NAME",
        default: "flow-starter",
        also: &["CAMUNDA_WORKER_NAME"],
        help: "The worker's name in the cluster and in the attempts that it marks",
        example: r#""flow-starter-eu""#,
        ..BLANK
    },
    Row {
        key: Entry::MaxJobs,
        name: "worker.max-jobs",
        flag: "max-jobs",
        value_name: "NUMBER",
        kind: Kind::Count,
        default: "64",
        also: &["CAMUNDA_WORKER_MAX_CONCURRENT_JOBS"],
        help: "How many jobs the worker has in hand at most; it takes no more than it can run",
        example: r#"64"#,
        ..BLANK
    },
    Row {
        key: Entry::MaxJobsPerInstance,
        name: "worker.max-jobs-per-instance",
        flag: "max-jobs-per-instance",
        value_name: "NUMBER",
        kind: Kind::Count,
        default: "16",
        help: "How many calls go to one ServiceNow instance at once",
        example: r#"16"#,
        ..BLANK
    },
    Row {
        key: Entry::JobTimeout,
        name: "worker.job-timeout",
        flag: "job-timeout",
        value_name: "TIME",
        kind: Kind::Time,
        default: "360s",
        also: &["CAMUNDA_WORKER_TIMEOUT"],
        help: "How long the cluster keeps a job for this worker; never less than limits.wall-clock and a minute",
        example: r#""360s""#,
        ..BLANK
    },
    Row {
        key: Entry::RequestTimeout,
        name: "worker.request-timeout",
        flag: "request-timeout",
        value_name: "TIME",
        kind: Kind::Time,
        default: "10s",
        also: &["CAMUNDA_WORKER_REQUEST_TIMEOUT"],
        help: "How long the cluster holds a request for jobs until there is one",
        example: r#""10s""#,
        ..BLANK
    },
    Row {
        key: Entry::Lease,
        name: "worker.lease",
        flag: "lease",
        value_name: "on|off",
        kind: Kind::Switch,
        default: "off",
        help: "Lease jobs (Camunda 8.10 and later); a leased job is never again given to a worker without leases",
        example: r#""on""#,
        ..BLANK
    },
    Row {
        key: Entry::ShutdownTimeout,
        name: "worker.shutdown-timeout",
        flag: "shutdown-timeout",
        value_name: "TIME",
        kind: Kind::Time,
        help: "How long jobs in hand may take after SIGTERM; otherwise limits.wall-clock and 30 s, and never less than a request for jobs takes",
        example: r#""330s""#,
        ..BLANK
    },
    Row {
        key: Entry::ManagementAddress,
        name: "worker.management-address",
        flag: "management-address",
        value_name: "ADDRESS",
        default: "127.0.0.1:9600",
        help: "Where /metrics, /ready and /health are served; port 0: a free one; `none`: nowhere",
        example: r#""0.0.0.0:9600""#,
        ..BLANK
    },
];
