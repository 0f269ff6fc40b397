//! What a person at the terminal reads.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use servicenow_stand_in::{Event, Flavour, Flow, Instance, Method, StandIn};

/// Prints a line; a reader that has gone is not an error.
pub fn say(what: &str) {
    let _nobody_reads = writeln!(std::io::stdout(), "{what}");
}

/// Where the stand-in is, who may enter, what there is to start, and how to try it.
pub fn greeting(stand_in: &StandIn, ca_file: &Path) -> String {
    let instance = stand_in.instance();
    let mut text = format!(
        "A stand-in ServiceNow is running: {}. Ctrl-C stops it.\n\n\
         https      {}\nhttp       {}\ncontrol    http://{}/\nCA file    {}\n\n",
        stand_in.hosts().join(", "),
        stand_in.https_addr(),
        stand_in.http_addr(),
        stand_in.control_addr(),
        ca_file.display(),
    );
    text.push_str(&access(instance));
    for (at, flow) in instance.flows.iter().enumerate() {
        let title = if at == 0 { "flows" } else { "" };
        let _infallible = writeln!(text, "{title:<10} {}", describe(flow));
    }
    let _infallible = writeln!(
        text,
        "{:<10} POST /oauth_token.do · GET, POST /api/now/table/incident · GET /api/now/table/sys_user",
        "also"
    );
    for (host, fault) in &instance.tls_faults {
        let _infallible = writeln!(text, "{:<10} {host}: {fault:?}", "TLS fault");
    }
    for (address, fault) in stand_in.faulty_ports() {
        let _infallible = writeln!(text, "{:<10} {address}: {fault:?}", "port");
    }
    if let Some(flow) = instance.flows.first() {
        let _infallible = write!(text, "\nTry it:\n{}\n", curl(stand_in, ca_file, flow));
    }
    text
}

fn access(instance: &Instance) -> String {
    let mut text = String::new();
    let mut row = |title: &str, what: String| {
        let _infallible = writeln!(text, "{title:<10} {what}");
    };
    for user in &instance.users {
        let roles = match user.roles.as_slice() {
            [] => "no role".to_owned(),
            roles => format!("role {}", roles.join(", ")),
        };
        row("user", format!("{} / {}  ({roles})", user.name, user.password));
    }
    for key in &instance.api_keys {
        let places = match (&key.header, &key.query) {
            (Some(header), Some(query)) => format!("header {header} or query {query}"),
            (None, Some(query)) => format!("query {query}"),
            (header, None) => {
                format!("header {}", header.as_deref().unwrap_or("x-sn-apikey"))
            }
        };
        row("API key", format!("{}  ({places}, as {})", key.value, key.user));
    }
    for client in &instance.oauth_clients {
        row(
            "OAuth",
            format!("{} / {}  (as {})", client.id, client.secret, client.user),
        );
    }
    for token in &instance.bearer_tokens {
        row("bearer", format!("{}  (as {})", token.value, token.user));
    }
    text.push('\n');
    text
}

fn describe(flow: &Flow) -> String {
    let methods = flow.methods.iter().map(|method| method.as_str());
    let mut text = format!("{} {}", methods.collect::<Vec<_>>().join(","), flow.path);
    for (what, names) in [("header", &flow.required_headers), ("query", &flow.required_query)] {
        if !names.is_empty() {
            let _infallible = write!(text, " · {what} {}", names.join(", "));
        }
    }
    if !flow.authentication {
        text.push_str(" · public");
    }
    if flow.status != 200 {
        let _infallible = write!(text, " · answers {}", flow.status);
    }
    if flow.flavour == Flavour::ScriptedRest {
        text.push_str(" · Scripted REST");
    }
    text
}

/// A command that starts the flow, by the first user who may.
fn curl(stand_in: &StandIn, ca_file: &Path, flow: &Flow) -> String {
    let host = stand_in.host();
    let mut words = vec![
        "--connect-to".to_owned(),
        format!("{host}:443:{}", stand_in.https_addr()),
        "--cacert".to_owned(),
        ca_file.display().to_string(),
    ];
    let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
    let able = stand_in
        .instance()
        .users
        .iter()
        .find(|user| flow.role.as_ref().is_none_or(|role| user.roles.contains(role)));
    if let Some(user) = able.filter(|_| flow.authentication) {
        option("-u", format!("{}:{}", user.name, user.password));
    }
    for name in &flow.required_headers {
        option("-H", format!("{name}: header"));
    }
    let method = flow.methods.first().copied().unwrap_or(Method::Post);
    if method != Method::Get {
        option("-X", method.to_string());
    }
    if matches!(method, Method::Post | Method::Put | Method::Patch) {
        option("-H", "Content-Type: application/json".to_owned());
        option("-d", "{\"correlationValue\":\"cam-id-1\"}".to_owned());
    }
    let query = flow
        .required_query
        .iter()
        .enumerate()
        .map(|(at, name)| format!("{}{name}=query", if at == 0 { '?' } else { '&' }))
        .collect::<String>();
    words.push(format!("https://{host}{}{query}", without_parameters(&flow.path)));
    let words = words.iter().map(|word| quoted(word)).collect::<Vec<_>>();
    format!("  curl {}", words.join(" "))
}

/// `/a/{number}` becomes `/a/1`.
fn without_parameters(path: &str) -> String {
    path.split('/')
        .map(|segment| if segment.starts_with('{') { "1" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

/// For a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// One line for one event.
pub fn line(event: &Event) -> String {
    let (request, start) = match event {
        Event::HandshakeFailed(why) => {
            return format!("TLS handshake failed ({why}): does the client trust the CA file?");
        }
        Event::Request(request, start) => (request, start),
    };
    let mut text = match request.method.as_str() {
        "" => "(incomplete HTTP request)".to_owned(),
        method => format!("{method} {}", printable(&request.target)),
    };
    match request.answered {
        Some(status) => {
            let _infallible = write!(text, " → {status}");
        }
        None => text.push_str(" → no response"),
    }
    if !request.complete && !request.method.is_empty() {
        text.push_str(" (its body was not read completely)");
    }
    if let Some(start) = start {
        let name = match start.flavour {
            Flavour::ScriptedRest => "sys_id",
            _ => "execution id",
        };
        let _infallible = write!(text, "  flow started, {name} {}", start.id);
        if let Some(user) = &start.user {
            let _infallible = write!(text, ", by {user}");
        }
    }
    text
}

/// What came over the network does not steer the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}
