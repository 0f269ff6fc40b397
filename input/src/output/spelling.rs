//! How a header's name is usually written. HTTP does not distinguish cases, but FEEL does.

/// Response headers whose usual spelling is not each word with a capital letter. A `*` stands for a last part that is written so.
const SPECIAL: [&str; 18] = [
    "Accept-CH",
    "Content-MD5",
    "Critical-CH",
    "DAV",
    "ETag",
    "Expect-CT",
    "MIME-Version",
    "NEL",
    "P3P",
    "RateLimit-*",
    "SourceMap",
    "TE",
    "WWW-Authenticate",
    "X-DNS-Prefetch-Control",
    "X-RateLimit-*",
    "X-Transaction-ID",
    "X-UA-Compatible",
    "X-XSS-Protection",
];

/// The usual spelling of a header's name, whatever the case it is given in: each word between hyphens with a capital letter, or the one that the
/// name's own standard or ServiceNow uses.
///
/// ```
/// use flow_starter_input::output::spelling;
/// assert_eq!(spelling("content-type"), "Content-Type");
/// assert_eq!(spelling("x-ratelimit-reset"), "X-RateLimit-Reset");
/// ```
pub fn spelling(name: &str) -> String {
    let letter = |name: &str| name.bytes().next().map(|byte| byte.to_ascii_uppercase());
    let first = letter(name);
    for special in SPECIAL.into_iter().filter(|special| letter(special) == first) {
        let (known, is_whole) = match special.strip_suffix('*') {
            Some(known) => (known, false),
            None => (special, true),
        };
        let (Some(begin), Some(rest)) = (name.get(..known.len()), name.get(known.len()..)) else {
            continue;
        };
        if begin.eq_ignore_ascii_case(known) && (rest.is_empty() || !is_whole) {
            let mut out = known.to_owned();
            out.push_str(&capitalized(rest));
            return out;
        }
    }
    capitalized(name)
}

fn capitalized(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut begins = true;
    for c in name.chars() {
        out.push(if begins {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        });
        begins = c == '-';
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_a_capital_letter() {
        for (name, usual) in [
            ("server", "Server"),
            ("content-type", "Content-Type"),
            ("CONTENT-TYPE", "Content-Type"),
            ("x-is-logged-in", "X-Is-Logged-In"),
            ("x--a-", "X--A-"),
            ("1", "1"),
            ("", ""),
            ("täg", "Täg"),
        ] {
            assert_eq!(spelling(name), usual);
        }
    }

    #[test]
    fn the_exceptions_have_their_own() {
        for (name, usual) in [
            ("etag", "ETag"),
            ("www-authenticate", "WWW-Authenticate"),
            ("x-transaction-id", "X-Transaction-ID"),
            ("x-ratelimit-limit", "X-RateLimit-Limit"),
            ("x-ratelimit-", "X-RateLimit-"),
            ("ratelimit-policy", "RateLimit-Policy"),
            ("etags", "Etags"),
            ("x-etag", "X-Etag"),
        ] {
            assert_eq!(spelling(name), usual);
        }
        for special in SPECIAL {
            assert_eq!(spelling(&special.to_ascii_lowercase()), special);
        }
    }
}
