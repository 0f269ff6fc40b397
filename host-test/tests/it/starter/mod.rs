//! A call's whole way with all that calls share: secrets put in, tokens kept, nothing of either coming back out.

mod secret_fields;
mod secrets;
mod tokens;

use std::fmt;
use std::io;
use std::sync::{Arc, LazyLock, Mutex};

use flow_starter_host::secrets::{Providing, Secret, SecretProvider};
use flow_starter_host::{FlowStarter, Secrets};
use host_test::conformance::BASE;
use host_test::rig::{Rig, connector};
use serde_json::{Value, json};
use servicenow_stand_in::StandIn;
use tracing::Dispatch;
use tracing::subscriber::NoSubscriber;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// Secrets that a test names.
struct Held(Vec<(&'static str, String)>);

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held(***)")
    }
}

impl SecretProvider for Held {
    fn get<'a>(&'a self, name: &'a str) -> Providing<'a> {
        let value = self.0.iter().find(|(known, _)| *known == name);
        Box::pin(std::future::ready(Ok(value.map(|(_, value)| Secret::new(value)))))
    }

    fn place(&self, name: &str) -> String {
        format!("the test's {name}")
    }
}

async fn starter(stand_in: &StandIn, secrets: &[(&'static str, &str)]) -> FlowStarter {
    let held = secrets
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let egress = Rig::reaching(stand_in).unwrap().build().unwrap();
    FlowStarter::new(connector().await.unwrap().clone(), egress).secrets(Secrets::none().with(Held(held)))
}

/// The blueprint's input with these members in place of its own; a null takes one away.
fn input(members: Value) -> String {
    let mut input: Value = serde_json::from_str(BASE).unwrap();
    for (name, value) in members.as_object().unwrap() {
        input[name] = value.clone();
    }
    input.to_string()
}

fn oauth(secret: &str) -> String {
    input(json!({ "authentication": {
        "type": "oauth-client-credentials-flow", "clientId": "demo-client", "clientSecret": secret,
    } }))
}

/// A second subscriber beside a [`Log`], which wants nothing. As long as there is only one, tracing asks the thread that comes to a line of
/// the log first, and keeps the answer for all threads (tracing-core's `callsite.rs`, `Rebuilder::JustOne`): another test's thread, which
/// has no subscriber, would turn the line off. With two it asks both.
static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));

/// All that the host itself logs, at any level. What the libraries below it log at such levels holds a request's headers, so that a program
/// lets only the host's own lines through, as `flow-starter` does.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Everything of the host's on this thread goes here until the guard is dropped.
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        LazyLock::force(&SECOND);
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish()
            .with(filter_fn(|line| line.target().starts_with("flow_starter_host")));
        tracing::subscriber::set_default(subscriber)
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
