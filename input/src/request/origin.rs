//! A request's destination: an instance and its domain, or a custom endpoint.

use crate::Invalid;

/// Scheme and authority of a request. Its host is a DNS name or an address whose spelling leaves no doubt, in lower case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    pub tls: bool,
    /// Host, and a port where one is given.
    pub authority: String,
}

/// Where ServiceNow's commercial instances live.
pub const DEFAULT_DOMAIN: &str = "service-now.com";
/// The domains of ServiceNow's commercial and government clouds.
const SERVICENOW_DOMAINS: [&str; 2] = [DEFAULT_DOMAIN, "servicenowservices.com"];

impl Origin {
    /// The origin of an instance: `https://<instance>.<domain>`, or the endpoint in its place.
    pub fn of_instance(instance: &str, domain: Option<&str>, endpoint: Option<&str>) -> Result<Self, Invalid> {
        let domain = domain.filter(|text| !text.is_empty());
        if let Some(endpoint) = endpoint.filter(|text| !text.is_empty()) {
            if domain.is_some() {
                return Invalid::refuse(
                    ENDPOINT_FIELD,
                    "The domain (snDomain) and the endpoint (snEndpoint) exclude each other: give only one.",
                );
            }
            if !instance.is_empty() {
                check_instance(instance)?;
            }
            let (origin, rest) = Self::split(endpoint, ENDPOINT, ENDPOINT_FIELD)?;
            // People copy the address of a page, which ends with a slash.
            if !matches!(rest, "" | "/") {
                return Invalid::refuse(
                    ENDPOINT_FIELD,
                    "The endpoint (snEndpoint) must be an origin without a path: for example `https://flows.example.com`.",
                );
            }
            return Ok(origin);
        }
        check_instance(instance)?;
        if instance.eq_ignore_ascii_case(PLACEHOLDER) {
            return Invalid::refuse(
                INSTANCE_FIELD,
                "The instance name (snInstance) is the placeholder of an example: enter your instance's name, for example `acme` for https://acme.service-now.com.",
            );
        }
        let domain = domain.unwrap_or(DEFAULT_DOMAIN);
        let authority = format!("{instance}.{domain}").to_ascii_lowercase();
        if !is_dns_name(&authority) || is_number(last_label(&authority)) {
            return Invalid::refuse(
                "snDomain",
                "The domain (snDomain) is not a DNS name: enter only the part after the instance's name, for example `service-now.com` or `servicenowservices.com`.",
            );
        }
        Ok(Self { tls: true, authority })
    }

    /// Whether both lead to the same server: a port that is the scheme's own may be written or not.
    pub fn is_same(&self, other: &Self) -> bool {
        let bare = |origin: &Self| {
            let own = if origin.tls { ":443" } else { ":80" };
            origin
                .authority
                .strip_suffix(own)
                .unwrap_or(&origin.authority)
                .to_owned()
        };
        self.tls == other.tls && bare(self) == bare(other)
    }

    /// Whether the host is an instance's in ServiceNow's own domains.
    pub fn is_servicenows(&self) -> bool {
        let host = self.authority.split(':').next().unwrap_or_default();
        let in_domain = |domain: &&str| host.strip_suffix(*domain).is_some_and(|name| name.ends_with('.'));
        SERVICENOW_DOMAINS.iter().any(in_domain)
    }

    /// As a URL without a path: `https://acme.service-now.com`.
    pub fn url(&self) -> String {
        let scheme = if self.tls { "https://" } else { "http://" };
        [scheme, &self.authority].concat()
    }

    /// A whole URL's origin, and what follows it. `source` names the URL in a sentence, `field` in the input.
    pub fn split<'u>(url: &'u str, source: &str, field: &'static str) -> Result<(Self, &'u str), Invalid> {
        let bad = |what: &str| {
            Invalid::of(
                field,
                [source, " ", what, ": for example `https://flows.example.com`."].concat(),
            )
        };
        let (scheme, rest) = url.split_once(':').ok_or_else(|| bad("must begin with `https://`"))?;
        let rest = rest
            .strip_prefix("//")
            .ok_or_else(|| bad("must begin with `https://`"))?;
        let tls = if scheme.eq_ignore_ascii_case("https") {
            true
        } else if scheme.eq_ignore_ascii_case("http") {
            false
        } else {
            return Err(bad("must begin with `https://`"));
        };
        let ends = |byte: u8| matches!(byte, b'/' | b'?' | b'#' | b'\\');
        let end = rest.bytes().position(ends).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if authority.as_bytes().contains(&b'@') {
            return Err(bad(
                "must not contain user information (`…@`); credentials belong in the authentication",
            ));
        }
        let (host, port) =
            split_port(authority).ok_or_else(|| bad("has a port that is not a number from 1 to 65535"))?;
        let host = host.to_ascii_lowercase();
        let Some(loopback) = check_host(&host) else {
            return Err(bad("does not name a valid host"));
        };
        if !tls && !loopback {
            return Err(bad(
                "must begin with `https://` (plain http is allowed only to this machine, such as http://127.0.0.1:8080)",
            ));
        }
        let authority = match port {
            Some(port) => [&host, ":", port].concat(),
            None => host,
        };
        Ok((Self { tls, authority }, rest))
    }
}

/// What the examples have in an instance name's place.
pub const PLACEHOLDER: &str = "your-instance-name";

const ENDPOINT: &str = "The endpoint (snEndpoint)";
const ENDPOINT_FIELD: &str = "snEndpoint";
const INSTANCE_FIELD: &str = "snInstance";

fn check_instance(instance: &str) -> Result<(), Invalid> {
    if instance.is_empty() {
        return Invalid::refuse(
            INSTANCE_FIELD,
            "The instance name (snInstance) is missing: enter only the name, for example `acme` for https://acme.service-now.com.",
        );
    }
    if is_label(instance) {
        return Ok(());
    }
    // Of a URL or a host name, the sentence below says what is wrong.
    let foreign = |c: &char| !c.is_ascii_alphanumeric() && *c != '-';
    let url = instance.bytes().any(|b| matches!(b, b'.' | b'/' | b':' | b'?' | b'#'));
    if let Some(c) = instance.chars().find(foreign).filter(|_| !url) {
        let what = match c {
            c if c.is_whitespace() => "a space or a line break".to_owned(),
            // A message has one line.
            c if c.is_control() => "a control character".to_owned(),
            c => format!("`{c}`"),
        };
        return Invalid::quoting(
            INSTANCE_FIELD,
            format!(
                "The instance name (snInstance) contains {what}: use only letters, digits and hyphens, for example `acme`."
            ),
            "The instance name (snInstance) is not a name: enter only `acme`, without `https://` and without the domain.",
        );
    }
    let hint = pasted_instance(instance).unwrap_or_else(|| "acme".to_owned());
    Invalid::quoting(
        INSTANCE_FIELD,
        format!(
            "The instance name (snInstance) is not a name: enter only `{hint}`, without `https://` and without the domain."
        ),
        "The instance name (snInstance) is not a name: enter only `acme`, without `https://` and without the domain.",
    )
}

/// The instance of a whole URL or host name: people paste them. Only ServiceNow's own domains prove that it is one; anything else may be a
/// credential in the wrong field, and is not repeated.
fn pasted_instance(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    // By a character and not by a text, whose search would cost the component 10 kB.
    let after_scheme = text.split_once(':').and_then(|(_, rest)| rest.strip_prefix("//"));
    let host = after_scheme.unwrap_or(&text);
    let host = host.split(['/', ':', '?', '#']).next()?;
    let name = SERVICENOW_DOMAINS
        .iter()
        .find_map(|domain| host.strip_suffix(domain)?.strip_suffix('.'))?;
    is_label(name).then(|| name.to_owned())
}

/// A host and its port's digits. None where what follows the colon is no port.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let bracket = authority.bytes().rposition(|byte| byte == b']').unwrap_or_default();
    let colon = authority.bytes().skip(bracket).position(|byte| byte == b':');
    let Some(colon) = colon.map(|at| bracket + at) else {
        return Some((authority, None));
    };
    let digits = authority.get(colon + 1..)?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse::<u16>().ok().filter(|_| plain)?;
    Some((authority.get(..colon)?, Some(digits)))
}

/// Whether the host is this machine; None for no host at all, and for an address in a spelling that readers disagree on (`127.1`, `0x7f…`).
/// An IPv6 address is looked at for its characters only, and is this machine in its one usual spelling: std's parsers are 4 kB of the
/// component, and a wrong one ends at the host, with nothing sent.
fn check_host(host: &str) -> Option<bool> {
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']')?;
        let plain = |b: u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
        return (address.as_bytes().contains(&b':') && address.bytes().all(plain)).then_some(address == "::1");
    }
    if is_number(last_label(host)) {
        let canonical = |part: &str| part.parse::<u8>().is_ok_and(|byte| byte.to_string() == part);
        return (host.split('.').count() == 4 && host.split('.').all(canonical)).then_some(host.starts_with("127."));
    }
    is_dns_name(host).then_some(host == "localhost")
}

fn last_label(host: &str) -> &str {
    host.rsplit('.').next().unwrap_or_default()
}

/// What resolvers take for a number, and so the whole name for an address: digits, or hexadecimal after `0x`.
fn is_number(label: &str) -> bool {
    label.bytes().all(|b| b.is_ascii_digit())
        || label
            .strip_prefix("0x")
            .is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// A host name by RFC 1123, section 2.1: labels of letters, digits and inner hyphens; 253 characters at most.
fn is_dns_name(name: &str) -> bool {
    name.len() <= 253 && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}
