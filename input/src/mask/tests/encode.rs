//! Encoders for the tests, and decoders written anew: what is under test is not used to check itself.

pub fn base64(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let sextet = alphabet[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= group.len() { char::from(sextet) } else { '=' });
        }
    }
    out
}

pub fn base64_url(bytes: &[u8]) -> String {
    base64(bytes).replace('+', "-").replace('/', "_").replace('=', "")
}

pub fn percent(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(encode).collect()
}

pub fn form(text: &str) -> String {
    percent(text).replace("%20", "+").replace('~', "%7E")
}

pub fn json(text: &str) -> String {
    let escape = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        '\n' => "\\n".to_owned(),
        c if c.is_ascii_graphic() || c == ' ' => c.to_string(),
        c => c
            .encode_utf16(&mut [0; 2])
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect(),
    };
    text.chars().map(escape).collect()
}

pub fn html(text: &str) -> String {
    let escape = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        c if c.is_ascii() => c.to_string(),
        c => format!("&#x{:X};", u32::from(c)),
    };
    text.chars().map(escape).collect()
}

fn hex(digits: Option<&[u8]>) -> Option<u32> {
    let digits = digits?;
    digits
        .iter()
        .all(u8::is_ascii_hexdigit)
        .then(|| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok())?
}

pub fn without_percent(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match (text[at], hex(text.get(at + 1..at + 3))) {
            (b'%', Some(byte)) => {
                out.push(byte as u8);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

pub fn without_json(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let unit = |rest: &[u8]| rest.strip_prefix(b"\\u").and_then(|rest| hex(rest.get(..4)));
        let mut taken = 2;
        let c = match (first, after.first()) {
            (b'\\', Some(c @ (b'"' | b'\\' | b'/'))) => Some(char::from(*c)),
            (b'\\', Some(b'n')) => Some('\n'),
            (b'\\', Some(b'r')) => Some('\r'),
            (b'\\', Some(b't')) => Some('\t'),
            (b'\\', Some(b'b')) => Some('\u{8}'),
            (b'\\', Some(b'f')) => Some('\u{c}'),
            (b'\\', Some(b'u')) => {
                let high = unit(rest);
                let low = rest.get(6..).and_then(unit);
                taken = 6;
                high.and_then(char::from_u32).or_else(|| {
                    taken = 12;
                    char::decode_utf16([high? as u16, low? as u16]).next()?.ok()
                })
            }
            _ => None,
        };
        match c {
            Some(c) => {
                out.extend(c.to_string().bytes());
                rest = &rest[taken..];
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

pub fn without_html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let end = after.iter().take(40).position(|byte| *byte == b';');
        let name = end.and_then(|end| std::str::from_utf8(&after[..end]).ok());
        let c = (*first == b'&').then_some(name).flatten().and_then(|name| match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => {
                let number = name.strip_prefix('#')?;
                let (digits, radix) = number
                    .strip_prefix(['x', 'X'])
                    .map_or((number, 10), |digits| (digits, 16));
                if digits.starts_with('+') {
                    return None;
                }
                char::from_u32(u32::from_str_radix(digits, radix).ok()?)
            }
        });
        match c {
            Some(c) => {
                out.extend(c.to_string().bytes());
                rest = &after[name.unwrap_or_default().len() + 1..];
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    out
}

/// What each run of base64 stands for, read from each of four characters on.
pub fn in_base64(text: &[u8]) -> Vec<Vec<u8>> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let runs = text.split(|byte| value(*byte).is_none()).filter(|run| run.len() >= 6);
    let from = |run: &[u8], skip: usize| {
        let bits: Vec<u8> = run[skip..]
            .iter()
            .flat_map(|byte| (0..6).rev().map(move |bit| value(*byte).unwrap() >> bit & 1))
            .collect();
        bits.chunks_exact(8)
            .map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit))
            .collect()
    };
    runs.flat_map(|run| (0..4).map(move |skip| from(run, skip))).collect()
}

/// Whether `secret` stands in `text` under up to so many encodings.
pub fn holds(text: &[u8], secret: &[u8], layers: usize) -> bool {
    let lower = |bytes: &[u8]| bytes.to_ascii_lowercase();
    if lower(text).windows(secret.len()).any(|window| window == lower(secret)) {
        return true;
    }
    layers > 0 && {
        let mut below = in_base64(text);
        for without in [without_percent, without_json, without_html] {
            below.push(without(text));
        }
        below
            .iter()
            .any(|below| below != text && holds(below, secret, layers - 1))
    }
}
