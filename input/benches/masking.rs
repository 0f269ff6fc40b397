//! How long masking takes: `cargo bench -p flow-starter-input`. The best of ten, in milliseconds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use flow_starter_input::mask::Mask;

const MIB: usize = 1 << 20;

fn main() {
    println!("{:<24}{:>9}{:>9}{:>9}{:>9}", "", "1 secret", "", "100", "");
    println!("{:<24}{:>9}{:>9}{:>9}{:>9}", "text", "1 MiB", "2 MiB", "1 MiB", "2 MiB");
    for (name, piece) in texts() {
        let times = [(1, 1), (1, 2), (100, 1), (100, 2)].map(|(secrets, mib)| {
            let text = repeated(&piece, mib * MIB);
            let mask = mask(secrets);
            (0..10).map(|_| time(&mask, &text)).min().unwrap_or_default()
        });
        let [a, b, c, d] = times.map(|time| format!("{:.1}", time.as_secs_f64() * 1e3));
        println!("{name:<24}{a:>9}{b:>9}{c:>9}{d:>9}");
    }
}

fn time(mask: &Mask, text: &str) -> Duration {
    let text = text.to_owned();
    let begin = Instant::now();
    black_box(mask.text(text));
    begin.elapsed()
}

/// One secret is periodic, since those are the hardest.
fn mask(secrets: usize) -> Mask {
    let mut mask = Mask::default();
    let mut random = Random(11);
    mask.add(&"ab".repeat(15_000));
    for _ in 1..secrets {
        let secret = random.text(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/!&%\\\"",
            32,
        );
        mask.add(&secret);
        mask.add_pair("camunda", &secret);
    }
    mask
}

fn texts() -> Vec<(&'static str, String)> {
    let mut random = Random(7);
    let mut json = String::new();
    let mut html = String::new();
    let mut base64 = String::new();
    let mut mixed = String::new();
    for number in 0..200 {
        let word = random.text(b"abcdefghijklmnopqrstuvwxyz ", 40);
        json += &format!(
            "{{\"sys_id\":\"{number:032x}\",\"short_description\":\"{word}\",\"active\":true,\"count\":{number}}},\n"
        );
        html += &format!(
            "<tr class=\"row\"><td>{word}</td><td><a href=\"/incident.do?sys_id={number:032x}\">open</a></td></tr>\n"
        );
        base64 += &format!(
            "\"data\":\"{}==\",",
            random.text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 800)
        );
        mixed += &format!("%2Fa%20b{word}\\\"\\u00e4&quot;c&#x41;%2541\\\\u0041&amp;lt;");
    }
    let mut found = random.text(b"abcdefghijklmnopqrstuvwxyz ", 100);
    found += &"ab".repeat(15_000);
    vec![
        ("clean JSON", json),
        ("clean HTML", html),
        ("base64", base64),
        ("escapes mixed", mixed),
        ("secret in it", found),
        ("random", random.text(&(32..127).collect::<Vec<_>>(), 4096)),
        ("&", "&".to_owned()),
        ("%", "%".to_owned()),
        ("\\", "\\".to_owned()),
        ("…", "…".to_owned()),
        (".", ".".to_owned()),
        ("&#0", "&#0".to_owned()),
        ("%25", "%25".to_owned()),
        ("25", "%".to_owned() + &"25".repeat(MIB)),
        ("&amp;", "&amp;".to_owned()),
        ("amp;", "&".to_owned() + &"amp;".repeat(MIB)),
        ("ab", "ab".to_owned()),
        ("abab…", "ab".repeat(14_999) + "c"),
        ("VVVV", "V".to_owned()),
    ]
}

fn repeated(piece: &str, len: usize) -> String {
    let mut text = piece.repeat(len / piece.len() + 1);
    text.truncate(text.floor_char_boundary(len));
    text
}

/// Xorshift: the same texts in each run.
struct Random(u64);

impl Random {
    fn text(&mut self, alphabet: &[u8], len: usize) -> String {
        let mut character = || {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            alphabet
                .get((self.0 >> 20) as usize % alphabet.len())
                .copied()
                .map_or(' ', char::from)
        };
        (0..len).map(|_| character()).collect()
    }
}
