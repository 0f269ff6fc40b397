//! What a content type says of a body: how an object becomes one, and in which charset it is read.

/// `application/x-www-form-urlencoded`
pub const FORM: &str = "application/x-www-form-urlencoded";

/// What is read of a header's value by RFC 9110, section 8.3.1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContentType {
    pub kind: Kind,
    /// A `charset` that is not UTF-8.
    pub has_other_charset: bool,
}

/// How an object is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `application/json` and its kin (`application/problem+json`).
    Json,
    /// A form's fields.
    Form,
    /// `text/plain`, which JSON is as well.
    Text,
    /// In no way that is known here: XML, `multipart/form-data`.
    Other,
}

impl ContentType {
    pub fn of(value: &str) -> Self {
        let value = value.to_ascii_lowercase();
        let mut parts = parts(&value);
        let kind = match parts.next().unwrap_or_default() {
            "application/json" | "text/json" => Kind::Json,
            FORM => Kind::Form,
            "text/plain" => Kind::Text,
            essence if essence.ends_with("+json") => Kind::Json,
            _ => Kind::Other,
        };
        let is_other = |charset: &str| !matches!(charset.trim().trim_matches('"'), "utf-8" | "utf8");
        let mut charsets = parts.filter_map(|part| {
            let (name, charset) = part.split_once('=')?;
            (name.trim() == "charset").then_some(charset)
        });
        Self {
            kind,
            has_other_charset: charsets.any(is_other),
        }
    }
}

/// Between the semicolons, but for those in quotation marks.
fn parts(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let separates = move |c: char| {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '\\' if quoted => escaped = !was_escaped,
            '"' if !was_escaped => quoted = !quoted,
            ';' => return !quoted,
            _ => {}
        }
        false
    };
    value.split(separates).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_says_how_an_object_is_written() {
        for (value, kind) in [
            ("application/json", Kind::Json),
            (" Application/JSON ;charset=x", Kind::Json),
            ("text/json", Kind::Json),
            ("application/merge-patch+json", Kind::Json),
            ("application/x-www-form-urlencoded; charset=utf-8", Kind::Form),
            ("text/plain", Kind::Text),
            ("multipart/form-data", Kind::Other),
            ("application/xml", Kind::Other),
            ("application/jsonp", Kind::Other),
            ("x/y;application/json", Kind::Other),
            ("", Kind::Other),
        ] {
            assert_eq!(ContentType::of(value).kind, kind, "{value}");
        }
    }

    #[test]
    fn a_charset_is_utf_8_or_another() {
        for (value, is_other) in [
            ("application/json", false),
            ("application/json;charset=UTF-8", false),
            ("application/json; Charset = \"utf-8\"", false),
            ("application/json; charset=utf8", false),
            ("multipart/form-data; boundary=\"a;charset=x\"", false),
            ("multipart/form-data; boundary=\"a\\\";charset=x\"", false),
            ("multipart/form-data; boundary=\"a\\\\\";charset=x", true),
            ("application/json; xcharset=x", false),
            ("application/json; charset", false),
            ("application/json; charset=ISO-8859-1", true),
            ("text/xml;version=1;charset=\"utf-16\"", true),
            ("text/plain; charset=utf-8; charset=latin1", true),
            ("text/plain; charset=", true),
        ] {
            assert_eq!(ContentType::of(value).has_other_charset, is_other, "{value}");
        }
    }
}
