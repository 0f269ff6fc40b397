//! The most likely mistake in invalid JSON. It never quotes the text, which may contain a password.

use serde_json::Error;

/// The mistake, to follow `is not JSON`: ` (line 2, column 3): JSON has no comments: remove them`.
pub(super) fn described(text: &str, error: &Error) -> String {
    if error.is_eof() {
        return ": it ends too early".to_owned();
    }
    let place = format!(" (line {}, column {})", error.line(), error.column());
    match slip(text, error) {
        Some(slip) => format!("{place}: {slip}"),
        None => place,
    }
}

fn slip(text: &str, error: &Error) -> Option<&'static str> {
    if text.trim_start().starts_with('=') {
        return Some(
            "it begins with `=` like a FEEL expression; Camunda evaluates those, so write the value itself here",
        );
    }
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let begin: usize = lines.map(str::len).sum();
    // Columns count bytes; the column is that of the last byte read.
    let at = begin + error.column().saturating_sub(1);
    let before = text.get(..at)?.trim_end_matches(SPACE);
    let after = text.get(at..)?.trim_start_matches(SPACE);
    if let Some(slip) = in_a_text(text.get(begin..)?, at - begin) {
        return slip;
    }
    let mut next = after.chars();
    match next.next()? {
        '/' if matches!(next.next(), Some('/' | '*')) => Some("JSON has no comments: remove them"),
        '#' => Some("JSON has no comments: remove them"),
        '\'' | '`' | '‘' | '’' | '“' | '”' | '„' => {
            Some("JSON uses straight double quotation marks (\") only")
        }
        '}' | ']' if before.ends_with(',') => Some("remove the comma before the closing bracket"),
        '"' | '{' | '['
            if before.ends_with(['"', '}', ']']) || before.ends_with(|c: char| c.is_ascii_alphanumeric()) =>
        {
            Some("a comma or a colon is missing before this")
        }
        _ if ["True", "False", "None", "NaN", "undefined"]
            .iter()
            .any(|word| after.starts_with(word)) =>
        {
            Some("JSON uses true, false and null")
        }
        c if c.is_alphabetic() && before.ends_with(['{', ',']) => Some("put names in double quotation marks"),
        c if c.is_alphabetic() => Some("put text in double quotation marks"),
        _ => None,
    }
}

/// Whether the error is inside a string, and the mistake if it is a common one. A string never continues on the next line.
fn in_a_text(line: &str, at: usize) -> Option<Option<&'static str>> {
    let (mut within, mut escaped) = (false, false);
    for byte in line.bytes().take(at) {
        (within, escaped) = match byte {
            _ if escaped => (within, false),
            b'"' => (!within, false),
            b'\\' => (within, within),
            _ => (within, false),
        };
    }
    let rest = line.get(at..).unwrap_or_default();
    within.then(|| {
        if line.get(..at).is_some_and(|before| before.ends_with('\\')) {
            Some("write a backslash in text twice (\\\\)")
        } else if rest.chars().nth(1).is_none_or(|c| c == '\n' || c == '\r') || rest.starts_with(['\n', '\r']) {
            Some("the closing quotation mark is missing (write a line break in text as \\n)")
        } else {
            None
        }
    })
}

const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;

    use super::*;

    fn description(text: &str) -> String {
        described(text, &serde_json::from_str::<IgnoredAny>(text).unwrap_err())
    }

    #[test]
    fn the_usual_slips_are_named_where_they_are() {
        for (text, line, what) in [
            ("{\n  // mine\n  \"a\": 1}", 2, "no comments"),
            ("{\"a\": 1, /* mine */ \"b\": 2}", 1, "no comments"),
            ("{\"a\": 1} // mine", 1, "no comments"),
            ("{\"a\": 1, // mine\n \"b\": 2}", 1, "no comments"),
            ("# mine\n{\"a\": 1}", 1, "no comments"),
            ("{\"a\": /* mine */ 1}", 1, "no comments"),
            ("{\"a\": 1,\n}", 2, "remove the comma"),
            ("{\"a\": [1, 2, ]}", 1, "remove the comma"),
            ("{'a': 1}", 1, "double quotation marks (\")"),
            ("{\"ü\": 'b'}", 1, "double quotation marks (\")"),
            ("{“a”: 1}", 1, "double quotation marks (\")"),
            ("{\"a\": 1\n \"b\": 2}", 2, "a comma or a colon is missing"),
            ("{\"a\": \"x\" \"b\": 2}", 1, "a comma or a colon is missing"),
            ("{a: 1}", 1, "put names in double"),
            ("{\"a\": 1, b: 1}", 1, "put names in double"),
            ("{\"a\": camId}", 1, "put text in double"),
            ("{\"a\": True}", 1, "true, false and null"),
            ("{\"a\": \"x\n\"}", 1, "the closing quotation mark is missing"),
            ("{\"a\": \"x,\r\n\"b\": 1}", 1, "the closing quotation mark is missing"),
            ("{\"a\": \"C:\\path\"}", 1, "write a backslash in text twice"),
            ("{\"a\": \"say \\\"x\\\"\", 'b': 1}", 1, "double quotation marks (\")"),
            ("={\"a\": camId}", 1, "a FEEL expression"),
        ] {
            let message = description(text);
            assert!(
                message.starts_with(&format!(" (line {line}, ")) && message.contains(what),
                "{text}: {message}"
            );
        }
        assert_eq!(description("{\"a\": 1"), ": it ends too early");
    }

    #[test]
    fn an_unusual_mistake_is_reported_by_position() {
        for text in ["{\"a\": 01}", "{\"a\" 1}", "{]", "}", "{\"a\": \"\u{1}\"}"] {
            let message = description(text);
            assert!(
                message.starts_with(" (line 1, column ") && message.ends_with(')'),
                "{text}: {message}"
            );
        }
    }
}
