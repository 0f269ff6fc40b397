//! `{{secrets.NAME}}` in a text, and the bare `secrets.NAME` that old processes have.
//!
//! The forms are those of Camunda's connector runtime (`SecretUtil` in `camunda/connectors`), with three differences: a value that was put
//! in is not looked at again, a bare reference begins where a word does, and braces that hold no name are an error instead of text.

use std::ops::Range;

const WORD: &str = "secrets.";
const OPEN: &str = "{{";
const CLOSE: &str = "}}";
/// The cluster resolves `camunda.secrets.NAME` itself, from Camunda 8.10 on; it is not ours.
const CLUSTERS: &str = "camunda.";

/// One reference: where it stands in its text, and the name in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    pub(super) range: Range<usize>,
    pub(super) name: &'a str,
    /// It has no braces.
    pub(super) bare: bool,
}

/// What counts as a reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Forms {
    /// `{{secrets.NAME}}`, and `secrets.NAME` alone.
    #[default]
    Both,
    /// `{{secrets.NAME}}`, as in Camunda from 8.10 on.
    Braces,
}

/// `{{secrets.` that does not go on with a name and `}}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unfinished;

/// The references in `text` that have one of these forms, in order.
pub(super) fn references(text: &str, forms: Forms) -> Result<Vec<Reference<'_>>, Unfinished> {
    if text
        .match_indices(OPEN)
        .any(|(at, _)| is_slip(text.get(at + OPEN.len()..).unwrap_or_default()))
    {
        return Err(Unfinished);
    }
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(WORD)).map(|at| from + at) {
        let (before, rest) = (
            text.get(..at).unwrap_or_default(),
            text.get(at + WORD.len()..).unwrap_or_default(),
        );
        let begin = before
            .trim_end()
            .strip_suffix(OPEN)
            .map(str::len)
            .filter(|begin| *begin >= from);
        let (range, name) = if let Some(begin) = begin {
            let name = rest.split_once(CLOSE).ok_or(Unfinished)?.0;
            (begin..at + WORD.len() + name.len() + CLOSE.len(), name.trim())
        } else {
            let counts = forms == Forms::Both && starts_a_word(before);
            let name = if counts { bare_name(rest) } else { "" };
            (at..at + WORD.len() + name.len(), name)
        };
        from = range.end;
        if begin.is_some() && (name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '{')) {
            return Err(Unfinished);
        }
        if !name.is_empty() {
            let bare = begin.is_none();
            found.push(Reference { range, name, bare });
        }
    }
    Ok(found)
}

/// `{{Secrets.A}}`, `{{secret.A}}`, `{{secrets A}}`: sent as they are, they would be somebody's password.
fn is_slip(braced: &str) -> bool {
    let braced = braced.trim_start();
    let word = braced.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("secret"));
    let after = braced.get(6..).unwrap_or_default().trim_start_matches(['s', 'S']);
    word && after.starts_with(['.', ' ', ':', '}']) && !braced.starts_with(WORD)
}

fn starts_a_word(before: &str) -> bool {
    !before.ends_with(CLUSTERS) && !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Letters and digits, with single `/`, `.`, `_` and `-` between them: a full stop after a name is not part of it.
fn bare_name(text: &str) -> &str {
    let mut end = 0;
    for (at, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' => end = at + 1,
            '/' | '.' | '_' | '-' if at > 0 && end == at => {}
            _ => break,
        }
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&str> {
        let found = references(text, Forms::Both).unwrap();
        found.into_iter().map(|found| found.name).collect()
    }

    #[test]
    fn without_the_bare_form_only_braces_make_a_reference() {
        for (text, found) in [
            ("secrets.A {{secrets.B}} see https://x.example/secrets.html", &["B"][..]),
            ("{{secrets.A}}secrets.B", &["A"]),
        ] {
            let references = references(text, Forms::Braces).unwrap();
            let names: Vec<_> = references.iter().map(|found| found.name).collect();
            assert_eq!(names, found, "{text}");
            assert!(references.iter().all(|found| !found.bare));
        }
        assert_eq!(references("{{secrets.A", Forms::Braces), Err(Unfinished));
    }

    #[test]
    fn a_reference_is_found_where_it_stands() {
        for (text, found) in [
            ("{{secrets.A}}", &["A"][..]),
            ("{{  secrets.SN_PWD }}", &["SN_PWD"]),
            ("{{secrets.folder/key.one}}", &["folder/key.one"]),
            ("secrets.A", &["A"]),
            ("Bearer secrets.TOKEN", &["TOKEN"]),
            ("secrets.A, secrets.B.", &["A", "B"]),
            ("secrets.a.b_c-d/e", &["a.b_c-d/e"]),
            ("secrets.A..B", &["A"]),
            ("{{secrets.A}}{{secrets.B}}secrets.C", &["A", "B", "C"]),
            ("{{secrets.A}}secrets.B}}", &["A", "B"]),
            ("https://u:{{secrets.A}}@h", &["A"]),
            (
                "{{secrets.my.secrets.A}} secrets.my.secrets.A",
                &["my.secrets.A", "my.secrets.A"],
            ),
            ("{{secretary}} and {{ my.secrets }}", &[]),
            ("mysecrets.A and my_secrets.B", &[]),
            ("camunda.secrets.A {{camunda.secrets.A}}", &[]),
            ("secrets. and {{other}} and secrets", &[]),
            ("", &[]),
        ] {
            assert_eq!(names(text), found, "{text}");
        }
        assert_eq!(references("x {{ secrets.A }} y", Forms::Both).unwrap()[0].range, 2..17);
        assert_eq!(references("ä secrets.A!", Forms::Both).unwrap()[0].range, 3..12);
    }

    #[test]
    fn braces_without_a_name_are_not_text() {
        for text in [
            "{{secrets.}}",
            "{{ secrets. }}",
            "{{secrets.A",
            "{{secrets.A B}}",
            "{{secrets.{{secrets.A}}}}",
            "{{secrets.A}",
            "{{Secrets.A}}",
            "{{ secret.A }}",
            "{{SECRETS.A}}",
            "{{secrets A}}",
            "{{secrets}}",
        ] {
            assert_eq!(references(text, Forms::Both), Err(Unfinished), "{text}");
        }
    }
}
