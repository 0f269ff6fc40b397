//! A proxy's URL, read strictly: a slip in it must not send half a password to a name server.

use std::fmt;
use std::str::FromStr;

use flow_starter_input::request::encode::base64;
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::egress::origin::{Host, OriginError, Scheme, split_port};

/// A proxy's address and credentials. `Display` shows scheme, host and port, never the user name or the password.
///
/// `http://proxy.example.com:3128`, `https://user:password@proxy.example.com`, or as curl takes it `proxy.example.com:3128`. Without a port it is
/// the scheme's own.
///
/// ```
/// use flow_starter_host::egress::ProxyUrl;
///
/// let proxy: ProxyUrl = "http://user:S3cret%23word@proxy.example.com:3128".parse()?;
/// assert_eq!(proxy.to_string(), "http://proxy.example.com:3128");
/// assert!("http://user:S3cret#word@proxy.example.com:3128".parse::<ProxyUrl>().is_err());
/// # Ok::<(), flow_starter_host::egress::ProxyUrlError>(())
/// ```
#[derive(Clone)]
pub struct ProxyUrl {
    scheme: Scheme,
    host: Host,
    port: u16,
    /// `Basic …` (RFC 7617).
    authorization: Option<SecretString>,
}

/// Why text is not a proxy URL. It never quotes the text, which may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyUrlError {
    /// Another scheme, or no URL at all.
    #[error(
        "the proxy must be an http:// or https:// URL: for example http://proxy.example.com:3128, or http://user:password@proxy.example.com:3128"
    )]
    Scheme,
    /// A quotation mark, a blank, a backslash or a control character.
    #[error(
        "remove quotation marks, spaces and backslashes around and in the proxy's URL; in a password, percent-encode them: %22 for \", %20 for a \
         blank, %5C for \\"
    )]
    Character,
    /// What stands before the last `@`.
    #[error(
        "percent-encode the user name and the password in the proxy's URL: %23 for #, %2F for /, %3F for ?, %40 for @, %25 for %; the form is \
         http://user:password@proxy.example.com:3128"
    )]
    Credentials,
    /// A path, a query or a fragment.
    #[error(
        "the proxy's URL must end after the host and port; if # / or ? belong to a password, percent-encode them: %23, %2F, %3F"
    )]
    MoreThanProxy,
    /// Not a host.
    #[error(
        "the proxy's host must be a plain DNS name, an IPv4 address in four decimal parts or an IPv6 address in brackets"
    )]
    Host,
    /// Not a port.
    #[error("the proxy's port must be a number from 1 to 65535")]
    Port,
}

impl ProxyUrl {
    pub(crate) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Whether it holds a user name.
    pub fn has_credentials(&self) -> bool {
        self.authorization.is_some()
    }

    /// The value of `proxy-authorization`.
    pub(super) fn authorization(&self) -> Option<HeaderValue> {
        let value = self.authorization.as_ref()?.expose_secret();
        let mut header = HeaderValue::from_str(value).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

impl FromStr for ProxyUrl {
    type Err = ProxyUrlError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '`' | '\\');
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, _)) if scheme.contains(odd) => return Err(ProxyUrlError::Character),
            Some((scheme, rest)) => (scheme.parse().map_err(|_| ProxyUrlError::Scheme)?, rest),
            None => (Scheme::Http, text),
        };
        if rest.contains(odd) {
            return Err(ProxyUrlError::Character);
        }
        if rest.is_empty() {
            return Err(ProxyUrlError::Scheme);
        }
        // The last one, since a password with an unencoded @ is the likely slip; the rest of it then shows as one.
        let (authorization, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (Some(basic(credentials)?), rest),
            None => (None, rest),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(ProxyUrlError::MoreThanProxy);
        }
        let (host, port) = split_port(authority).map_err(|error| match error {
            OriginError::Port => ProxyUrlError::Port,
            _ => ProxyUrlError::Host,
        })?;
        Ok(Self {
            scheme,
            host: host.parse().map_err(|_| ProxyUrlError::Host)?,
            port: port.unwrap_or(scheme.default_port()),
            authorization,
        })
    }
}

/// `user:password` or `user` (RFC 3986, section 3.2.1), as RFC 7617 sends it: no colon in the user name, no control characters.
fn basic(credentials: &str) -> Result<SecretString, ProxyUrlError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&()*+,;=%:".contains(&b);
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    if user.is_empty() || !credentials.bytes().all(allowed) || !is_encoded(credentials) {
        return Err(ProxyUrlError::Credentials);
    }
    let decoded = |text| Zeroizing::new(percent_decode_str(text).collect::<Vec<u8>>());
    let (user, password) = (decoded(user), decoded(password));
    if user.contains(&b':') || user.iter().chain(password.iter()).any(u8::is_ascii_control) {
        return Err(ProxyUrlError::Credentials);
    }
    let pair = Zeroizing::new([&user[..], b":", &password[..]].concat());
    let encoded = Zeroizing::new(base64(&pair));
    Ok(format!("Basic {}", *encoded).into())
}

/// Whether two hexadecimal digits follow each `%`.
fn is_encoded(text: &str) -> bool {
    let mut parts = text.split('%');
    parts.next();
    parts.all(|part| part.len() >= 2 && part.bytes().take(2).all(|b| b.is_ascii_hexdigit()))
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme.as_str(), self.host, self.port)
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_url_is_scheme_user_host_and_port() {
        for (text, shown, authorization) in [
            ("http://proxy.example:3128", "http://proxy.example:3128", None),
            ("http://proxy.example:3128/", "http://proxy.example:3128", None),
            ("proxy.example:3128", "http://proxy.example:3128", None),
            ("HTTPS://Proxy.Example", "https://proxy.example:443", None),
            ("http://127.0.0.1", "http://127.0.0.1:80", None),
            ("http://[::1]:3128", "http://[::1]:3128", None),
            (
                "http://user:pass@proxy.example:1",
                "http://proxy.example:1",
                Some("user:pass"),
            ),
            (
                "user:pass@proxy.example:65535",
                "http://proxy.example:65535",
                Some("user:pass"),
            ),
            ("http://user@proxy.example:1", "http://proxy.example:1", Some("user:")),
            (
                "http://user:a:b@proxy.example:1",
                "http://proxy.example:1",
                Some("user:a:b"),
            ),
            (
                "http://alice%40corp.com:S3cret%23word%2F%3f@proxy.example:1",
                "http://proxy.example:1",
                Some("alice@corp.com:S3cret#word/?"),
            ),
        ] {
            let proxy: ProxyUrl = text.parse().unwrap();
            assert_eq!(proxy.to_string(), shown);
            let expected = authorization.map(|pair| format!("Basic {}", base64(pair.as_bytes())));
            assert_eq!(
                proxy.authorization().map(|it| it.to_str().unwrap().to_owned()),
                expected,
                "{text}"
            );
            assert!(
                !format!("{proxy:?} {:?}", proxy.authorization()).contains("Basic"),
                "{proxy:?}"
            );
        }
    }

    /// Half of such a password would be looked up as a host, or connected to.
    #[test]
    fn a_password_that_is_not_encoded_is_refused_and_not_quoted() {
        for odd in [
            '#', '/', '?', '@', '%', '[', '^', '{', '<', '"', ' ', '\\', '\'', '\u{e4}', '\n',
        ] {
            for text in [
                format!("http://user:S3cret{odd}word@127.0.0.1:13128"),
                format!("user:S3cret{odd}word@127.0.0.1:13128"),
                format!("http://us{odd}er:S3cretword@127.0.0.1:13128"),
            ] {
                let error = text.parse::<ProxyUrl>().unwrap_err();
                let said = format!("{error} {error:?}");
                assert!(said.contains("ercent-encode"), "{text}: {said}");
                assert!(!said.contains("S3cret") && !said.contains("word@127"), "{text}: {said}");
            }
        }
    }

    #[test]
    fn an_invalid_proxy_url_is_refused() {
        use ProxyUrlError::*;
        for (text, error) in [
            ("", Scheme),
            ("http://", Scheme),
            ("socks5://proxy.example:1080", Scheme),
            ("ftp://proxy.example", Scheme),
            ("http:/proxy.example", MoreThanProxy),
            ("\"http://proxy.example:3128\"", Character),
            ("'http://proxy.example:3128'", Character),
            (" http://proxy.example:3128", Character),
            ("http://proxy.example:3128\n", Character),
            ("http:\\\\proxy.example", Character),
            ("http://@proxy.example", Credentials),
            ("http://:pass@proxy.example", Credentials),
            ("http://a%3Ab:pass@proxy.example", Credentials),
            ("http://user:%0d%0a@proxy.example", Credentials),
            ("http://user:100%@proxy.example", Credentials),
            ("http://alice@corp.com:Sup3r@127.0.0.1:1", Credentials),
            ("http://proxy.example/path", MoreThanProxy),
            ("http://proxy.example//", MoreThanProxy),
            ("http://proxy.example?query", MoreThanProxy),
            ("http://proxy.example#fragment", MoreThanProxy),
            ("http://user:S3cret#word", MoreThanProxy),
            ("http://proxy.example:99999", Port),
            ("http://proxy.example:0", Port),
            ("http://proxy.example:", Port),
            ("http://proxy.example:+80", Port),
            ("http://user:pass", Port),
            ("http://proxy..example", Host),
            ("http://127.1", Host),
            ("http://pr%6fxy.example", Host),
            ("http://::1", Port),
            ("http://[::1", Host),
        ] {
            assert_eq!(text.parse::<ProxyUrl>().unwrap_err(), error, "{text}");
        }
    }
}
