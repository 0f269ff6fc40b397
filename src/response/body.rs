//! A body as text, and whether it is a web page.

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Decodes by the declared charset: Latin-1 byte by byte, everything else as UTF-8 with what is none replaced. A byte order mark is skipped,
/// and says UTF-8 whatever is declared. Half a character at the end of a body that was `cut` is left out: the mask could not see a credential
/// before it.
pub fn decode(content_type: Option<&[u8]>, mut bytes: Vec<u8>, cut: bool) -> String {
    let marked = bytes.starts_with(BYTE_ORDER_MARK);
    if !marked && is_latin1(content_type) {
        return bytes.iter().map(|byte| char::from(*byte)).collect();
    }
    if marked {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    if cut {
        bytes.truncate(bytes.len() - half_a_character(&bytes));
    }
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// How many bytes at the end begin a UTF-8 character that does not end.
fn half_a_character(bytes: &[u8]) -> usize {
    let tail = bytes.iter().rev().take(3).position(|byte| byte & 0xc0 != 0x80);
    let Some(after) = tail else { return 0 };
    let needed = match bytes.iter().nth_back(after) {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..) => 4,
        _ => 1,
    };
    if after + 1 < needed { after + 1 } else { 0 }
}

/// A header's value: UTF-8 where it is, Latin-1 as in the older standard where it is not.
pub fn utf8_or_latin1(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().map(|byte| char::from(*byte)).collect())
}

/// Windows-1252 differs from Latin-1 only in characters that no JSON needs, and readers have long taken the one for the other.
fn is_latin1(content_type: Option<&[u8]>) -> bool {
    let text = lower(content_type);
    let charset = text
        .split(';')
        .skip(1)
        .find_map(|parameter| parameter.trim().strip_prefix("charset="));
    matches!(
        charset.map(|name| name.trim_matches('"')),
        Some("iso-8859-1" | "iso8859-1" | "iso_8859-1" | "latin1" | "latin-1" | "l1" | "windows-1252" | "cp1252")
    )
}

/// Whether the text begins as a web page does. What is labelled as XML is one only where its root is `html`.
pub fn begins_as_page(media_type: &str, text: &str) -> bool {
    let is_xml = media_type.ends_with("/xml") || media_type.ends_with("+xml");
    begins_as(text, if is_xml { &["<html"] } else { &TAGS })
}

const TAGS: [&str; 5] = ["<html", "<head", "<body", "<title", "<script"];

/// Whether a body that is labelled as JSON, or not labelled, is markup.
pub fn is_markup(media_type: &str, text: &str) -> bool {
    let is_json = media_type.ends_with("/json") || media_type.ends_with("+json");
    (media_type.is_empty() || is_json) && text.trim_start_matches(is_blank).starts_with('<')
}

/// A content type without its parameters, in lower case.
pub fn media_type(content_type: Option<&[u8]>) -> String {
    let mut text = lower(content_type);
    text.truncate(text.find(';').unwrap_or(text.len()));
    text.trim().to_owned()
}

fn lower(content_type: Option<&[u8]>) -> String {
    String::from_utf8_lossy(content_type.unwrap_or_default()).to_ascii_lowercase()
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

/// Whether the text begins with HTML's document type or one of these tags, after white space, comments and an XML declaration, in any letter
/// case.
fn begins_as(text: &str, tags: &[&str]) -> bool {
    let mut rest = text.trim_start_matches(is_blank);
    while let Some(end) = [("<!--", "--"), ("<?", "?")]
        .iter()
        .find_map(|(begin, end)| rest.starts_with(begin).then_some(end))
    {
        let closed = |at: &usize| rest.get(..*at).is_some_and(|before| before.ends_with(end));
        let Some(after) = rest
            .match_indices('>')
            .map(|(at, _)| at)
            .find(closed)
            .and_then(|at| rest.get(at + 1..))
        else {
            return false;
        };
        rest = after.trim_start();
    }
    // The white space after `<!doctype` is free.
    let (rest, tags): (&str, &[&str]) = match rest.get(..9) {
        Some(head) if head.eq_ignore_ascii_case("<!doctype") => {
            (rest.get(9..).unwrap_or_default().trim_start(), &["html"])
        }
        _ => (rest, tags),
    };
    tags.iter().any(|tag| {
        let head = rest.as_bytes().get(..tag.len());
        let after = rest.as_bytes().get(tag.len());
        // `<header>` is an element of somebody's XML; `<head>` is a page's.
        head.is_some_and(|head| head.eq_ignore_ascii_case(tag.as_bytes()))
            && after.is_none_or(|b| !b.is_ascii_alphanumeric())
    })
}
