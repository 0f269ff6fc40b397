//! The variables of the OpenTelemetry specification (its pages "Environment Variable Specification" and "OpenTelemetry Protocol Exporter").
//! Those of the exporter are checked here, and read once more by the exporter itself.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;
use url::Url;

/// Where traces go.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Destination {
    /// With the path of the signal.
    pub(super) endpoint: String,
    /// The same without credentials and query.
    pub(super) shown: String,
    pub(super) timeout: Duration,
    /// Certificate authorities (PEM) beside the public ones and the system's.
    pub(super) authorities: Vec<u8>,
    /// The client's certificate and key (PEM).
    pub(super) identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Debug for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Destination")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The samplers of the SDK, and whether each takes a ratio.
const SAMPLERS: [(&str, bool); 6] = [
    ("always_on", false),
    ("always_off", false),
    ("traceidratio", true),
    ("parentbased_always_on", false),
    ("parentbased_always_off", false),
    ("parentbased_traceidratio", true),
];

/// Where the variables send traces. None: nowhere.
///
/// # Errors
/// One sentence.
pub(super) fn destination(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Destination>, String> {
    // An empty value counts as unset.
    let set = |name: &str| {
        let value = variable(name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    };
    // The signal's own variable counts before the general one.
    let of_traces = |suffix: &str| {
        let names = [
            format!("OTEL_EXPORTER_OTLP_TRACES_{suffix}"),
            format!("OTEL_EXPORTER_OTLP_{suffix}"),
        ];
        names.into_iter().find_map(|name| Some((set(&name)?, name)))
    };
    let is_disabled = set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let Some((endpoint, name)) = of_traces("ENDPOINT").filter(|_| !is_disabled) else {
        return Ok(None);
    };
    match set("OTEL_TRACES_EXPORTER").as_deref() {
        None | Some("otlp") => {}
        Some("none") => return Ok(None),
        Some(other) => {
            return Err(format!(
                "OTEL_TRACES_EXPORTER is `{}`, and only `otlp` and `none` are supported",
                other.escape_default()
            ));
        }
    }
    if let Some((protocol, name)) = of_traces("PROTOCOL")
        && protocol != "http/protobuf"
    {
        return Err(format!(
            "{name} is `{}`, and only `http/protobuf` is supported (port 4318 of most collectors)",
            protocol.escape_default()
        ));
    }
    if let Some((compression, name)) = of_traces("COMPRESSION")
        && compression != "none"
    {
        return Err(format!(
            "{name} is `{}`, and compression is not supported: remove it",
            compression.escape_default()
        ));
    }
    check_numbers(&set)?;
    if let Some((headers, name)) = of_traces("HEADERS") {
        check_headers(&headers).map_err(|why| format!("{name} {why}"))?;
    }
    let timeout = match of_traces("TIMEOUT") {
        None => DEFAULT_TIMEOUT,
        Some((value, name)) => match value.parse() {
            Ok(milliseconds) if milliseconds > 0 => Duration::from_millis(milliseconds),
            _ => return Err(format!("{name} must be a number of milliseconds, for example 10000")),
        },
    };
    let file = |suffix| match of_traces(suffix) {
        None => Ok(None),
        Some((file, name)) => std::fs::read(file)
            .map(Some)
            .map_err(|error| format!("the file that {name} names cannot be read: {error}")),
    };
    let identity = match (file("CLIENT_CERTIFICATE")?, file("CLIENT_KEY")?) {
        (None, None) => None,
        (Some(chain), Some(key)) => Some((chain, key)),
        _ => {
            return Err(
                "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY need each other".to_owned(),
            );
        }
    };
    let mut url = endpoint_url(&endpoint).ok_or_else(|| {
        format!("{name} must be an http or https URL with a host, for example http://collector.example:4318")
    })?;
    if name == "OTEL_EXPORTER_OTLP_ENDPOINT" {
        let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
        url.set_path(&path);
    }
    let endpoint = url.to_string();
    // These can only fail where there is no host.
    let _no_credentials = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    Ok(Some(Destination {
        endpoint,
        shown: url.to_string(),
        timeout,
        authorities: file("CERTIFICATE")?.unwrap_or_default(),
        identity,
    }))
}

/// Whether the operator names the service.
pub(super) fn names_the_service(variable: impl Fn(&str) -> Option<String>) -> bool {
    let has = |name: &str, test: fn(&str) -> bool| variable(name).is_some_and(|value| test(value.trim()));
    has("OTEL_SERVICE_NAME", |name| !name.is_empty())
        || has("OTEL_RESOURCE_ATTRIBUTES", |list| {
            list.split(',').any(|item| item.trim().starts_with("service.name="))
        })
}

fn endpoint_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty())).then_some(url)
}

/// What the SDK reads; it would ignore a wrong value without a word.
fn check_numbers(set: &impl Fn(&str) -> Option<String>) -> Result<(), String> {
    let sampler = set("OTEL_TRACES_SAMPLER").unwrap_or_else(|| "parentbased_always_on".to_owned());
    let Some((_, takes_ratio)) = SAMPLERS.iter().find(|(name, _)| *name == sampler) else {
        let names = SAMPLERS.map(|(name, _)| name).join(", ");
        return Err(format!("OTEL_TRACES_SAMPLER must be one of {names}"));
    };
    if *takes_ratio {
        let is_wrong = |value: String| !value.parse::<f64>().is_ok_and(|ratio| (0.0..=1.0).contains(&ratio));
        if set("OTEL_TRACES_SAMPLER_ARG").is_some_and(is_wrong) {
            return Err("OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1".to_owned());
        }
    }
    for name in [
        "OTEL_BSP_SCHEDULE_DELAY",
        "OTEL_BSP_EXPORT_TIMEOUT",
        "OTEL_BSP_MAX_QUEUE_SIZE",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    ] {
        if set(name).is_some_and(|value| value.parse::<u32>().map_or(true, |number| number == 0)) {
            return Err(format!("{name} must be a whole number above 0"));
        }
    }
    Ok(())
}

/// `name=value,…`, values percent-encoded. They are credentials, most often: nothing of them is quoted.
fn check_headers(list: &str) -> Result<(), &'static str> {
    for item in list.split(',').filter(|item| !item.trim().is_empty()) {
        let (name, value) = item.split_once('=').ok_or("must be a list name=value,name=value")?;
        let value = percent_decode_str(value.trim())
            .decode_utf8()
            .map_err(|_| "has a value that is not UTF-8")?;
        if name.trim().parse::<HeaderName>().is_err() {
            return Err("has a name that is no HTTP header's");
        }
        HeaderValue::from_str(&value).map_err(|_| "has a value that no HTTP header can hold")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Destination>, String> {
        destination(|name| {
            let found = variables.iter().find(|(own, _)| *own == name)?;
            Some(found.1.to_owned())
        })
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");

    #[test]
    fn without_an_endpoint_there_are_no_traces() {
        for none in [
            vec![],
            vec![("OTEL_TRACES_EXPORTER", "otlp")],
            vec![("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
            vec![ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")],
            vec![ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            assert_eq!(read(&none), Ok(None), "{none:?}");
        }
    }

    #[test]
    fn the_general_endpoint_gets_the_signals_path_and_its_own_is_used_as_it_is() {
        let endpoint = |variables: &[_]| read(variables).unwrap().unwrap().endpoint;
        assert_eq!(endpoint(&[ENDPOINT]), "http://collector:4318/v1/traces");
        let with_path = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector/otlp/");
        assert_eq!(endpoint(&[with_path]), "https://collector/otlp/v1/traces");
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:1/spans");
        assert_eq!(endpoint(&[ENDPOINT, own]), "http://traces:1/spans");
    }

    #[test]
    fn the_endpoint_is_shown_without_credentials() {
        let with_key = (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "https://user:pass-word@collector/?key=se-cret",
        );
        let found = read(&[with_key]).unwrap().unwrap();
        assert_eq!(found.shown, "https://collector/v1/traces");
        assert!(!format!("{found:?}").contains("se-cret"));
    }

    #[test]
    fn a_wrong_variable_is_named_in_one_sentence() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://collector"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api key=x"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "there-is-no-such-file"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
        ] {
            let variables = match name {
                "OTEL_EXPORTER_OTLP_ENDPOINT" => vec![(name, value)],
                _ => vec![ENDPOINT, (name, value)],
            };
            let why = read(&variables).unwrap_err();
            assert!(why.contains(name), "{why}");
            assert!(!why.contains('\n') && !why.contains("x,"), "{why}");
        }
        let ratio = [
            ENDPOINT,
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ];
        assert!(read(&ratio).unwrap_err().contains("OTEL_TRACES_SAMPLER_ARG"));
    }

    #[test]
    fn a_headers_value_is_never_quoted() {
        for list in ["authorization", "a b=se-cret", "x=se-cret%0A", "x=se-cret%FF"] {
            let why = read(&[ENDPOINT, ("OTEL_EXPORTER_OTLP_HEADERS", list)]).unwrap_err();
            assert!(!why.contains("se-cret"), "{why}");
        }
        let good = "authorization=Bearer%20se-cret, x-key = 1";
        assert!(read(&[ENDPOINT, ("OTEL_EXPORTER_OTLP_HEADERS", good)]).is_ok());
    }

    #[test]
    fn a_services_name_is_the_operators() {
        let names = |name: &'static str, value: &'static str| {
            names_the_service(move |asked| (asked == name).then(|| value.to_owned()))
        };
        assert!(names("OTEL_SERVICE_NAME", "x"));
        assert!(names("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=x"));
        assert!(!names("OTEL_SERVICE_NAME", ""));
        assert!(!names("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=x"));
    }
}
