//! What a person at the terminal reads beside `flow-starter`'s own words. No credential is ever shown.

use std::io::{IsTerminal as _, Write as _};

use flow_starter_host::input::Mask;
use servicenow_stand_in::{Instance, Recorded, StandIn};

use crate::input::Input;

/// Request headers that are credentials, whoever set them.
const CREDENTIAL_HEADERS: [&str; 4] = ["authorization", "cookie", "x-sn-apikey", "x-usertoken"];
/// Form fields and query parameters that are.
const CREDENTIAL_FIELDS: [&str; 3] = ["client_secret", "x-sn-apikey", "password"];

pub struct Screen {
    colours: bool,
}

impl Screen {
    pub fn new() -> Self {
        Self {
            colours: std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }

    pub fn introduce(&self, input: &Input, stand_in: Option<&StandIn>) {
        self.heading(match input.own {
            true => "Starting a flow with your own input",
            false => "Starting the flow of Camunda's ServiceNow blueprint",
        });
        match stand_in {
            Some(stand_in) => self.row(
                "instance",
                &format!("{}, a stand-in at {}", stand_in.host(), stand_in.https_addr()),
            ),
            None if input.names().is_empty() => self.row("instance", "not clear from your input"),
            None => self.row("instance", "the one in your input, for real"),
        }
        say("");
    }

    pub fn command(&self, line: &str) {
        line.lines().for_each(|line| say(&format!("  {}", printable(line))));
        say("");
    }

    /// What `flow-starter` wrote; it has seen to it itself.
    pub fn as_it_came(&self, said: &str) {
        let _nobody_reads = std::io::stdout().write_all(said.as_bytes());
    }

    /// The stand-in's side, and whether the two agree.
    pub fn saw(&self, stand_in: &StandIn, input: &Input, said: &str) {
        self.heading("What the stand-in received");
        let requests = stand_in.requests();
        let mask = mask(stand_in.instance(), input, &requests);
        for request in &requests {
            received(request, &mask);
            say("");
        }
        let starts = stand_in.starts();
        self.row("requests", &requests.len().to_string());
        self.row("flows", &format!("{} started", starts.len()));
        for start in &starts {
            let same = if said.contains(&start.id) {
                "  ✓ the same ID"
            } else {
                ""
            };
            self.row("issued", &format!("{}{same}", start.id));
        }
        say("");
    }

    /// How to do it once more.
    pub fn again(&self, lines: &str) {
        self.heading("To repeat this, keep a stand-in running in another terminal");
        lines.lines().for_each(|line| say(&format!("  {}", printable(line))));
        say("");
    }

    fn heading(&self, text: &str) {
        say(&match self.colours {
            true => format!("\n\u{1b}[1m{text}\u{1b}[0m"),
            false => format!("\n{text}"),
        });
    }

    fn row(&self, title: &str, text: &str) {
        say(&format!("  {title:<13} {}", printable(text)));
    }
}

fn received(request: &Recorded, mask: &Mask) {
    let line = |text: String| say(format!("  {}", printable(&mask.text(text))).trim_end());
    line(format!("{} {} {}", request.method, request.target, request.version));
    for (name, value) in &request.headers {
        let scheme = value.split_once(' ').map_or("", |(scheme, _)| scheme);
        match CREDENTIAL_HEADERS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            true => line(format!("{name}: {scheme} ***").replace(":  ", ": ")),
            false => line(format!("{name}: {value}")),
        }
    }
    if !request.body.is_empty() {
        say("");
        let body = String::from_utf8_lossy(&request.body);
        body.lines().for_each(|text| line(text.to_owned()));
    }
}

/// The stand-in's own credentials, the input's, and what came in a place for one, right or wrong.
fn mask(instance: &Instance, input: &Input, requests: &[Recorded]) -> Mask {
    let mut mask = Mask::of_json(&input.text);
    let users = instance.users.iter().map(|user| &user.password);
    let clients = instance.oauth_clients.iter().map(|client| &client.secret);
    let keys = instance.api_keys.iter().map(|key| &key.value);
    let tokens = instance.bearer_tokens.iter().map(|token| &token.value);
    users
        .chain(clients)
        .chain(keys)
        .chain(tokens)
        .for_each(|own| mask.add(own));
    for request in requests {
        let query = request.target.split_once('?').map_or("", |(_, query)| query).as_bytes();
        for (name, value) in form_urlencoded::parse(query).chain(form_urlencoded::parse(&request.body)) {
            if CREDENTIAL_FIELDS.contains(&&*name) {
                mask.add(&value);
            }
        }
    }
    mask
}

/// What came over the network does not steer the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// A reader that has gone is not an error.
fn say(text: &str) {
    let _nobody_reads = writeln!(std::io::stdout(), "{text}");
}

pub fn complain(what: &str) {
    let _nobody_reads = writeln!(std::io::stderr(), "demo: {what}");
}
