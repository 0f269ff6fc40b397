//! How long it takes to mask an answer of 1 MiB. `cargo bench -p flow-starter-input --bench masking` has more texts.

use std::hint::black_box;
use std::time::Instant;

use flow_starter_bench::os;
use flow_starter_input::Mask;

const MIB: usize = 1 << 20;
const RUNS: u32 = 8;

/// A text, and the milliseconds of CPU time for 1 MiB of it.
pub(crate) struct Masking {
    pub(crate) text: &'static str,
    pub(crate) ms: f64,
}

/// A clean answer first, then the hostile ones.
pub(crate) fn measure() -> Vec<Masking> {
    let mut mask = Mask::default();
    mask.add("correct horse battery staple");
    mask.add_pair("flow.starter", "correct horse battery staple");
    let record = |number: u32| {
        format!(
            "{{\"sys_id\":\"{number:032x}\",\"short_description\":\"Reset the password of {number}\",\"active\":true,\"opened_by\":\"flow.starter\"}},\n"
        )
    };
    let clean: String = (0..200).map(record).collect();
    [
        ("clean JSON", clean),
        (
            "escapes of all kinds",
            "%2Fa%20b\\\"\\u00e4&quot;c&#x41;%2541\\\\u0041&amp;lt;".to_owned(),
        ),
        ("`%25` again and again", "%25".to_owned()),
        ("`&amp;` again and again", "&amp;".to_owned()),
        (
            "most of the secret again and again",
            "correct horse battery stapl".to_owned(),
        ),
    ]
    .into_iter()
    .map(|(text, piece)| Masking {
        text,
        ms: time(&mask, &repeated(&piece)),
    })
    .collect()
}

fn time(mask: &Mask, text: &str) -> f64 {
    black_box(mask.text(text.to_owned()));
    let copies: Vec<_> = (0..RUNS).map(|_| text.to_owned()).collect();
    let (begin, cpu) = (Instant::now(), os::cpu_time_of("thread-self"));
    for copy in copies {
        black_box(mask.text(copy));
    }
    let cpu = os::cpu_time_of("thread-self")
        .zip(cpu)
        .map(|(end, begin)| end.saturating_sub(begin));
    cpu.unwrap_or(begin.elapsed()).as_secs_f64() * 1e3 / f64::from(RUNS)
}

fn repeated(piece: &str) -> String {
    let mut text = piece.repeat(MIB / piece.len() + 1);
    text.truncate(text.floor_char_boundary(MIB));
    text
}
