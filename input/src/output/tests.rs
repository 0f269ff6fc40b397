use super::*;

fn response(body: &str) -> Response<'_> {
    Response {
        status: 200,
        headers: &[],
        body,
        execution_id: None,
        sys_id: None,
    }
}

fn body(text: &str) -> String {
    let out = json(response(text));
    serde_json::from_str::<serde_json::Value>(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
    let body = out
        .strip_prefix(r#"{"status":200,"reason":"OK","headers":{},"body":"#)
        .unwrap();
    body.strip_suffix(r#","executionId":null,"sysId":null}"#)
        .unwrap()
        .to_owned()
}

#[test]
fn a_process_reads_status_headers_body_and_the_ids() {
    let headers = [
        ("x-c", "5"),
        ("x-c", "6"),
        ("content-type", "application/json"),
        ("x-a", "1"),
        ("x-b", "\"2\""),
        ("x-a", "3"),
        ("x-a", "4"),
        ("1", "one"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let response = Response {
        status: 202,
        headers: &headers,
        body: r#"{"result":{"executionId":"e","sys_id":"s"}}"#,
        execution_id: Some("e"),
        sys_id: Some("s"),
    };
    assert_eq!(
        json(response),
        r#"{"status":202,"reason":"Accepted","headers":{"x-c":["5","6"],"X-C":["5","6"],"content-type":"application/json","Content-Type":"application/json","x-a":["1","3","4"],"X-A":["1","3","4"],"x-b":"\"2\"","X-B":"\"2\"","1":"one"},"body":{"result":{"executionId":"e","sys_id":"s"}},"executionId":"e","sysId":"s"}"#
    );
}

#[test]
fn a_json_body_is_passed_on_as_it_came() {
    assert_eq!(
        body(" {\"z\":1.50,\"a\":12345678901234567890}\r\n"),
        r#"{"z":1.50,"a":12345678901234567890}"#
    );
    assert_eq!(body("[1, 2]"), "[1, 2]");
}

#[test]
fn other_values_are_text() {
    for text in [
        "hello",
        "1",
        "true",
        "null",
        "\"text\"",
        "{",
        "[1,]",
        "{} x",
        "\u{feff}{}",
    ] {
        assert_eq!(body(text), json::quote(text), "{text}");
    }
}

#[test]
fn a_blank_body_is_null() {
    assert_eq!(body(""), "null");
    assert_eq!(body(" \r\n\t"), "null");
}

#[test]
fn json_that_other_readers_refuse_stays_text() {
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(body(&deep(100)), deep(100));
    for text in [
        deep(101).as_str(),
        deep(100_000).as_str(),
        r#"["\ud800"]"#,
        r#"["\udc00\ud800"]"#,
        "[1e999]",
        "[-1e309]",
    ] {
        assert_eq!(body(text), json::quote(text));
    }
}

#[test]
fn a_status_has_its_standard_phrase_or_none() {
    for (status, phrase) in [
        (200, "OK"),
        (404, "Not Found"),
        (425, "Too Early"),
        (299, ""),
        (799, ""),
        (0, ""),
    ] {
        assert_eq!(reason(status), phrase);
        let response = Response { status, ..response("") };
        let out: serde_json::Value = serde_json::from_str(&json(response)).unwrap();
        assert_eq!(out["reason"], phrase);
    }
}
