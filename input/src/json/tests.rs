//! Our reading one level at a time must end where serde_json's own reading ends.

use super::*;
use serde::de::IgnoredAny;
use serde_json::Value;

const JSON: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "10",
    "-1.5e+10",
    "1E5",
    "0.0e-0",
    "\"\"",
    "\"a\"",
    r#""\"\\\/\b\f\n\r\t\u0041\ud83d\ude00""#,
    "[]",
    "{}",
    "[[]]",
    "[1,2]",
    "{\"a\":1}",
    " { \"a\" : [ 1 , { } ] , \"b\" : null } ",
    "\"\u{7f}\u{80}\u{2028}ü\"",
    "\t\r\n 1 \n",
    r#""\ud800""#,
    r#""\udc00\ud800""#,
    r#"{"\ud800":1}"#,
    "1e999",
    "[[[[[[]]]]]]",
    r#""\uD83D\uDE00""#,
    r#""\ud83d\n""#,
    r#""\ud83dx""#,
];

const NO_JSON: &[&str] = &[
    "",
    " ",
    "nul",
    "nulll",
    "True",
    "01",
    "-",
    "+1",
    "1.",
    ".1",
    "1e",
    "1e+",
    "0x1",
    "1 2",
    "\"",
    "\"a",
    "\"\\",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\u12g4\"",
    "\"\\u+123\"",
    "\"\n\"",
    "\"\0\"",
    "[",
    "]",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{",
    "}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{a:1}",
    "{1:1}",
    "{,}",
    "[}",
    "{]",
    "[{]}",
    "\u{feff}1",
    "1\u{a0}",
    "'a'",
    "NaN",
    "Infinity",
    "{\"a\":1 \"b\":2}",
    "\"a\"b",
];

fn serde_takes(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

#[test]
fn only_valid_json_is_accepted() {
    for text in JSON {
        assert!(serde_takes(text), "{text}");
        assert_eq!(
            parse(text).map(Raw::get),
            Ok(text.trim_matches([' ', '\t', '\r', '\n'])),
            "{text}"
        );
    }
    for text in NO_JSON {
        assert!(!serde_takes(text), "{text}");
        assert!(parse(text).is_err(), "{text}");
    }
}

/// What the readers make of a text, all the way down; None for a lone surrogate anywhere.
fn tree(raw: Raw) -> Option<Value> {
    Some(match Json::of(raw)? {
        Json::Null => Value::Null,
        Json::Bool(text) => Value::Bool(text == "true"),
        Json::Number(text) => serde_json::from_str(text).ok()?,
        Json::Text(text) => Value::String(text.into_owned()),
        Json::List(items) => Value::Array(items.into_iter().map(tree).collect::<Option<_>>()?),
        Json::Object(members) => Value::Object(
            members
                .into_iter()
                .map(|(name, raw)| Some((name.into_owned(), tree(raw)?)))
                .collect::<Option<_>>()?,
        ),
    })
}

pub fn assert_like_serde_json(text: &str) {
    let ours = parse(text).ok();
    assert_eq!(ours.is_some(), serde_takes(text), "{text}");
    let theirs = serde_json::from_str::<Value>(text).ok();
    assert_eq!(is_readable(text), theirs.is_some(), "{text}");
    assert_eq!(ours.and_then(tree), theirs, "{text}");
}

#[test]
fn values_are_what_serde_json_takes_them_for() {
    for text in JSON.iter().chain(NO_JSON) {
        assert_like_serde_json(text);
    }
}

#[test]
fn members_keep_their_order_and_their_repeats() {
    let Some(Json::Object(members)) = Json::of(parse(r#"{"b":1,"a":[2, 3],"b":" "}"#).unwrap()) else {
        panic!()
    };
    let members: Vec<_> = members.iter().map(|(name, raw)| (&**name, raw.get())).collect();
    assert_eq!(members, [("b", "1"), ("a", "[2, 3]"), ("b", "\" \"")]);
}

#[test]
fn of_several_members_the_last_counts() {
    let object = Json::of(parse(r#"{"a":1,"b":0,"a":2}"#).unwrap()).unwrap();
    assert_eq!(object.member("a"), Some(Json::Number("2")));
    assert_eq!(object.member("c"), None);
}

#[test]
fn invalid_json_is_reported_by_position() {
    assert_eq!(parse("{\n \"a\": x}"), Err(NotJson { line: 2, column: 7 }));
    assert_eq!(parse("1\n\n,").map_err(|at| at.line), Err(3));
}

#[test]
fn deep_nesting_neither_stops_nor_crashes() {
    let deep = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
    assert!(parse(&deep).is_ok());
    assert!(parse(&"{\"a\":".repeat(1_000_000)).is_err());
    assert!(!is_readable(&deep));
}

#[test]
fn a_quoted_text_is_what_serde_json_writes() {
    for c in (0..0x80).chain([
        0x80, 0xe9, 0x2028, 0x2029, 0xd7ff, 0xe000, 0xfeff, 0xffff, 0x1f600, 0x10ffff,
    ]) {
        let text = format!("a{}b", char::from_u32(c).unwrap());
        assert_eq!(quote(&text), serde_json::to_string(&text).unwrap(), "{c:#x}");
    }
}

#[test]
fn json_that_other_readers_refuse_is_recognised() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let objects = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    for text in [
        deep(100),
        objects(100),
        "1.7976931348623157e308".to_owned(),
        "9".repeat(308),
        format!("[\"{}\", \"\\\\\", {}]", "[{".repeat(200), deep(99)),
        format!("[{},{}]", deep(99), deep(2)),
    ] {
        assert!(is_readable(&text), "{text}");
    }
    for text in [
        deep(101),
        objects(101),
        "1.8e308".to_owned(),
        "9".repeat(309),
        format!("[\"{}\", {}]", "]}".repeat(200), deep(100)),
        "[1, \"\\ud800\"]".to_owned(),
        format!("[{},{}]", deep(2), deep(100)),
    ] {
        assert!(!is_readable(&text), "{text}");
        assert!(parse(&text).is_ok(), "{text}");
    }
}
