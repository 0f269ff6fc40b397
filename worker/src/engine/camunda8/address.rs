//! The URLs that a person sets: the cluster's and the token endpoint's.

use url::Url;

use super::SettingsError;

/// The base of every call: with `/v2`, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BaseUrl(String);

impl BaseUrl {
    /// With or without `/v2`, which is added. A path before it is kept.
    pub(super) fn parse(text: &str) -> Result<Self, SettingsError> {
        let url = parse(text).map_err(SettingsError::Address)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(SettingsError::Address("must not contain `?` or `#`".to_owned()));
        }
        let base = url.as_str().trim_end_matches('/');
        let base = base.strip_suffix("/v2").unwrap_or(base).trim_end_matches('/');
        Ok(Self(format!("{base}/v2")))
    }

    /// `path` begins with a slash.
    pub(super) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }

    pub(super) fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }
}

pub(super) fn token_url(text: &str) -> Result<Url, SettingsError> {
    let url = parse(text).map_err(SettingsError::TokenUrl)?;
    if url.fragment().is_some() {
        return Err(SettingsError::TokenUrl("must not contain `#`".to_owned()));
    }
    Ok(url)
}

/// What is wrong, as the end of a sentence. A URL with a password in it is not repeated.
fn parse(text: &str) -> Result<Url, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    let (scheme, _) = text.split_once("://").unwrap_or_default();
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" => {}
        "grpc" | "grpcs" => return Err("is the cluster's gRPC address; its REST address is needed".to_owned()),
        _ => return Err("must begin with http:// or https://".to_owned()),
    }
    let url = Url::parse(text).map_err(|error| format!("is no URL ({error})"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not contain a user name or password; they have settings of their own".to_owned());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_may_have_v2_and_keeps_its_prefix() {
        for (text, base) in [
            ("http://localhost:8080", "http://localhost:8080/v2"),
            (" http://localhost:8080/ ", "http://localhost:8080/v2"),
            ("http://localhost:8080/v2", "http://localhost:8080/v2"),
            ("http://localhost:8080/v2/", "http://localhost:8080/v2"),
            (
                "https://bru-2.zeebe.camunda.io/0815",
                "https://bru-2.zeebe.camunda.io/0815/v2",
            ),
            ("https://example.com/a/b/v2/", "https://example.com/a/b/v2"),
            ("http://[::1]:8080", "http://[::1]:8080/v2"),
        ] {
            assert_eq!(BaseUrl::parse(text), Ok(BaseUrl(base.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_bad_address_is_explained_with_a_right_one() {
        for (text, words) in [
            ("", "is empty"),
            ("localhost:8080", "must begin with http://"),
            ("ftp://localhost", "must begin with http://"),
            ("grpcs://bru-2.zeebe.camunda.io:443", "gRPC"),
            ("http://", "is no URL"),
            ("http://localhost:99999", "is no URL"),
            ("http://localhost/?a=b", "must not contain `?`"),
            ("http://me:hunter2@localhost", "user name or password"),
        ] {
            let error = BaseUrl::parse(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
            assert!(error.contains("for example http://localhost:8080"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
