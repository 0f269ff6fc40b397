//! A body as text, and whether it is a web page.

/// Decodes by the declared charset: Latin-1 byte by byte, everything else as UTF-8 with what is none replaced. A byte order mark is skipped.
pub fn decode(content_type: Option<&[u8]>, bytes: &[u8]) -> String {
    if is_latin1(content_type) {
        return bytes.iter().map(|byte| char::from(*byte)).collect();
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
}

/// A header's value: UTF-8 where it is, Latin-1 as in the older standard where it is not.
pub fn utf8_or_latin1(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Windows-1252 differs from Latin-1 only in characters that no JSON needs, and readers have long taken the one for the other.
fn is_latin1(content_type: Option<&[u8]>) -> bool {
    let text = lower(content_type);
    let charset = text.split(';').skip(1).find_map(|parameter| parameter.trim().strip_prefix("charset="));
    matches!(
        charset.map(|name| name.trim_matches('"')),
        Some("iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "latin-1" | "l1" | "windows-1252" | "cp1252")
    )
}

pub fn is_html_type(content_type: Option<&[u8]>) -> bool {
    let text = lower(content_type);
    matches!(text.split(';').next().unwrap_or_default().trim(), "text/html" | "application/xhtml+xml")
}

fn lower(content_type: Option<&[u8]>) -> String {
    String::from_utf8_lossy(content_type.unwrap_or_default()).to_ascii_lowercase()
}

/// Whether the text begins as a web page does, after white space, comments and an XML declaration, in any letter case.
pub fn begins_as_html(text: &str) -> bool {
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    loop {
        let end = if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with("<?") {
            "?>"
        } else {
            break;
        };
        let Some((_, after)) = rest.split_once(end) else { return false };
        rest = after.trim_start();
    }
    ["<!doctype html", "<html", "<head", "<body", "<title", "<script"].iter().any(|tag| {
        let head = rest.as_bytes().get(..tag.len());
        let after = rest.as_bytes().get(tag.len());
        // `<header>` is an element of somebody's XML; `<head>` is a page's.
        head.is_some_and(|head| head.eq_ignore_ascii_case(tag.as_bytes())) && after.is_none_or(|b| !b.is_ascii_alphanumeric())
    })
}
