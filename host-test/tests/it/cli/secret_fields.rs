//! A secret in any field of the input comes out of no command, in no format and in no line of the log.

use super::workspace::Workspace;
use crate::secret_fields::{NAME, assert_unsaid, cases};

#[test]
fn a_secret_in_any_field_comes_out_of_no_command() {
    let workspace = Workspace::new();
    // Each value is tried on the library. Here they take turns, since each start compiles the component.
    let commands = [
        &["trigger", "flow.json", "--log-format", "text"][..],
        &["trigger", "flow.json", "--output", "json"],
        &["trigger", "flow.json", "--dry-run"],
        &["trigger", "flow.json", "--dry-run", "--output", "json"],
        &["check", "flow.json"],
        &["check", "flow.json", "--output", "json"],
        &["secrets", "list", "flow.json"],
    ];
    let cases = cases();
    let tried = cases
        .iter()
        .flat_map(|case| case.values.iter().take(3).map(move |value| (case, value)));
    for ((case, value), command) in tried.zip(commands.iter().cycle()) {
        workspace.flow(case.members.clone());
        let run = workspace.run(command).env(&format!("SECRET_{NAME}"), value);
        let ended = run.arg("--allow=*.example.com").arg("--limit-wall-clock=20s").end();
        let all = format!("{}{}{:?}", ended.out, ended.err, ended.logs);
        assert_unsaid(value, &all, &format!("{command:?} {}", case.field));
    }
}
