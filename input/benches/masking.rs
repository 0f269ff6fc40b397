//! How long masking takes: `cargo bench -p flow-starter-input --bench masking [-- <text>]`. Milliseconds of CPU time where Linux tells it (other work on the
//! machine counts less than in wall-clock time), else of wall-clock time: the mean of eight runs. A star
//! says that the whole text became `***`.

use std::env;
use std::hint::black_box;
use std::time::{Duration, Instant};

use flow_starter_input::mask::Mask;

const MIB: usize = 1 << 20;

fn main() {
    println!("{:<24}{:>9}{:>9}{:>9}{:>9}", "", "1 secret", "", "100", "");
    println!("{:<24}{:>9}{:>9}{:>9}{:>9}", "text", "1 MiB", "2 MiB", "1 MiB", "2 MiB");
    let wanted: Vec<String> = env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    for (name, piece) in texts() {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            continue;
        }
        let times = [(1, 1), (1, 2), (100, 1), (100, 2)].map(|(secrets, mib)| {
            let text = repeated(&piece, mib * MIB);
            let mask = mask(name, secrets);
            (time(&mask, &text), mask.text(text) == "***")
        });
        let [a, b, c, d] =
            times.map(|(time, whole)| format!("{:.1}{}", time.as_secs_f64() * 1e3, if whole { "*" } else { " " }));
        println!("{name:<24}{a:>9}{b:>9}{c:>9}{d:>9}");
    }
}

const RUNS: u32 = 8;

fn time(mask: &Mask, text: &str) -> Duration {
    black_box(mask.text(text.to_owned()));
    let mut copies: Vec<_> = (0..RUNS).map(|_| text.to_owned()).collect();
    let (begin, cpu) = (Instant::now(), cpu_time());
    while let Some(copy) = copies.pop() {
        black_box(mask.text(copy));
    }
    let cpu = cpu_time().zip(cpu).and_then(|(end, begin)| end.checked_sub(begin));
    cpu.unwrap_or(begin.elapsed()) / RUNS
}

/// Of this thread: proc_pid_schedstat(5).
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(Duration::from_nanos(text.split(' ').next()?.parse().ok()?))
}

fn mask(name: &str, secrets: usize) -> Mask {
    let mut mask = Mask::default();
    let mut random = Random(11);
    for _ in 0..secrets {
        let secret = random.text(
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/!&%\\\"",
            32,
        );
        mask.add(&secret);
        mask.add_pair("camunda", &secret);
    }
    if name.starts_with("periodic") {
        mask.add(&"ab".repeat(15_000));
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
        ("periodic, now and then", found),
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
        ("periodic, in it", "ab".to_owned()),
        ("periodic", "ab".repeat(14_999) + "c"),
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
