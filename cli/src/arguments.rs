//! The command line: commands and their help. The settings' flags come from their table.

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Args, Command, Parser, Subcommand};

use crate::input::Input;
use crate::{embedded, exit, settings};

/// Starts a ServiceNow flow through its REST trigger and reports what is certain: started, not started, or unknown.
#[derive(Debug, Parser)]
#[command(name = "flow-starter", subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Task,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Start a flow with exactly one request: no retry, no redirect
    Trigger(Trigger),
    /// Take jobs from a Camunda 8 cluster and start their flows, until stopped
    #[command(after_help = WORKER_HELP)]
    Worker(Worker),
    /// Test the connection and the credentials step by step, without starting a flow
    #[command(after_help = CHECK_HELP)]
    Check {
        #[command(flatten)]
        input: Input,
    },
    /// Show a component's imports and exports, and whether this host accepts it
    #[command(after_help = INSPECT_HELP)]
    Inspect {
        /// The component file [default: the embedded component]
        #[arg(value_name = "FILE.wasm", value_hint = clap::ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Compile a component to native code, for --precompiled
    #[command(after_help = COMPILE_HELP)]
    Compile {
        /// The component file [default: the embedded component]
        #[arg(value_name = "FILE.wasm", value_hint = clap::ValueHint::FilePath)]
        file: Option<PathBuf>,
        /// Output file
        #[arg(short = 'o', long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
        to: PathBuf,
    },
    /// Show which secrets an input uses, and which provider supplies each
    #[command(subcommand)]
    Secrets(Secrets),
    /// Show the effective settings, or write an example configuration file
    #[command(subcommand, after_help = CONFIG_COMMANDS_HELP)]
    Config(Config),
    /// All settings: flag, environment variable, default
    // Not a command, but a help topic: `flow-starter help settings`.
    #[command(hide = true, after_help = SETTINGS_HELP)]
    Settings,
    /// Write shell completions to standard output
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual page to standard output
    #[command(after_help = MAN_HELP)]
    Man {
        /// Write one page for each command to this directory instead
        #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        directory: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Trigger {
    /// Show the request with secrets masked, and send nothing; exits with 2 or 3 if the call would be refused
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) input: Input,
}

#[derive(Debug, Args)]
pub(crate) struct Worker {
    /// Take jobs until none are left, finish them, and exit
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Secrets {
    /// List the secrets that an input uses, and where each is found; never their values
    #[command(after_help = SECRETS_HELP)]
    List {
        #[command(flatten)]
        input: Input,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Show every setting with its value and its source
    #[command(after_help = CONFIG_HELP)]
    Show,
    /// Write a configuration file with every key explained and commented out
    #[command(after_help = EXAMPLE_HELP)]
    Example,
}

const EXAMPLES: &str = "\
Examples:
  flow-starter trigger flow.json
  flow-starter trigger flow.json --dry-run
  flow-starter check flow.json
  flow-starter secrets list flow.json
  flow-starter config show

Every setting has a flag, an environment variable and a key in the configuration file, in this order of precedence; \
`flow-starter help settings` explains them all.";

const TRIGGER_HELP: &str = "\
Examples:
  flow-starter trigger flow.json
  flow-starter trigger flow.json --request-body '{\"correlationValue\": \"cam-id-2\"}'
  flow-starter trigger - --output json < flow.json
  flow-starter trigger --instance-name acme --rest-api-trigger-path /api/x_acme/my_flow \\
      --username camunda --password '{{secrets.SN_PASSWORD}}' --request-body @body.json --dry-run

A flag replaces the field of the same name in the file. {{secrets.NAME}} is read from the environment variable SECRET_NAME or from \
a secrets file. Every setting has a flag, an environment variable and a key in the configuration file, in this order of precedence; \
`--help` shows them all.

A field that is not used and looks misspelled is reported as a warning; with --strict, the exit code is 2.";

const WORKER_HELP: &str = "\
Examples:
  flow-starter worker --engine-url http://localhost:8080 --allow acme.service-now.com
  flow-starter worker --once --config worker.toml
  CAMUNDA_REST_ADDRESS=https://bru-2.zeebe.camunda.io/CLUSTER-ID CAMUNDA_AUTH_STRATEGY=OAUTH \\
      CAMUNDA_CLIENT_ID=… CAMUNDA_CLIENT_SECRET=… flow-starter worker --allow acme.service-now.com

Each job gets exactly one outcome: completed, failed (with a retry or an incident), or a BPMN error. A flow is started a second time only \
if a person or the task header `onUnknown` allows it.

After SIGTERM or Ctrl-C the worker takes no more jobs and finishes those in hand. A second signal stops it at once.

Exit codes: 0 stopped with no job in hand; 1 failed, or stopped with jobs in hand; 2 bad settings, for example no policy.allow.";

const CHECK_HELP: &str = "\
Examples:
  flow-starter check flow.json
  flow-starter check flow.json --output json

It sends one request, which reads a table that every instance has.

Exit codes: 0 all steps passed; 2 bad input; 3 a step failed.";

const INSPECT_HELP: &str = "\
Examples:
  flow-starter inspect
  flow-starter inspect servicenow-flow-starter.wasm --output json

Exit codes: 0 accepted; 2 not accepted.

Other settings: `flow-starter help settings`.";

const COMPILE_HELP: &str = "\
Examples:
  flow-starter compile --to flow-starter.cwasm
  flow-starter compile servicenow-flow-starter.wasm --to flow-starter.cwasm

The code runs only with this version of flow-starter, on this kind of machine and with these limits. It is trusted like flow-starter \
itself: let nobody else write the file.

Other settings: `flow-starter help settings`.";

const SECRETS_HELP: &str = "\
Examples:
  flow-starter secrets list flow.json
  flow-starter secrets list flow.json --secrets-file secrets.env

Exit codes: 0 every secret was found; 2 a secret is missing, or the input is invalid.

Other settings: `flow-starter help settings`.";

const CONFIG_HELP: &str = "\
Examples:
  flow-starter config show
  flow-starter config show --config other.toml --output json

It accepts the flag of every setting: `flow-starter help settings`.";

const EXAMPLE_HELP: &str = "\
Examples:
  flow-starter config example
  flow-starter config example > config.toml";

const CONFIG_COMMANDS_HELP: &str = "\
`flow-starter help settings` explains each setting's flag and environment variable.";

const SETTINGS_HELP: &str = "\
Order of precedence: flag, environment variable, configuration file, default. Every command accepts every flag. \
`flow-starter config show` shows the effective values; `flow-starter config example` writes a configuration file.";

const COMPLETIONS_HELP: &str = "\
Examples:
  flow-starter completions bash > ~/.local/share/bash-completion/completions/flow-starter
  flow-starter completions zsh > ~/.zfunc/_flow-starter
  flow-starter completions fish > ~/.config/fish/completions/flow-starter.fish";

const MAN_HELP: &str = "\
Examples:
  flow-starter man | man -l -
  flow-starter man --directory ~/.local/share/man/man1";

/// The whole command line.
pub(crate) fn command() -> Command {
    let command = <Arguments as clap::CommandFactory>::command();
    let command = OWN_SETTINGS
        .iter()
        .fold(command, |command, (path, own)| with_settings(command, path, own));
    command
        .version(env!("CARGO_PKG_VERSION"))
        .long_version(embedded::long_version())
        .after_help(format!("{EXAMPLES}\n\n{}", exit::TABLE))
        .mut_subcommand("trigger", |trigger| {
            trigger.after_help(format!("{TRIGGER_HELP}\n\n{}", exit::TABLE))
        })
        .max_term_width(120)
}

/// The settings that each command's help explains, by name prefix. Every command accepts all flags.
const OWN_SETTINGS: [(&[&str], &[&str]); 14] = [
    (&[], &[]),
    (&["trigger"], CALL_SETTINGS),
    (
        &["worker"],
        &[
            "engine.",
            "worker.",
            "policy.",
            "component.",
            "limits.",
            "secrets.",
            "tls.",
            "network.",
            "log.",
        ],
    ),
    (&["check"], CALL_SETTINGS),
    (&["inspect"], &["component.", "limits.", "log.", "output."]),
    (&["compile"], &["component.", "limits.", "log.", "output."]),
    (&["secrets"], &[]),
    (
        &["secrets", "list"],
        &["secrets.", "limits.wall-clock", "log.", "output."],
    ),
    (&["config"], &[]),
    (&["config", "show"], &["output."]),
    (&["config", "example"], &[]),
    (&["settings"], &[""]),
    (&["completions"], &[]),
    (&["man"], &[]),
];

/// What one call needs.
const CALL_SETTINGS: &[&str] = &[
    "policy.",
    "component.",
    "limits.",
    "secrets.",
    "tls.",
    "network.",
    "log.",
    "output.",
];

fn with_settings(command: Command, path: &'static [&'static str], own: &'static [&'static str]) -> Command {
    match path.split_first() {
        None => command.args(settings::flags(own)),
        Some((name, rest)) => command.mut_subcommand(name, |inner| with_settings(inner, rest, own)),
    }
}

/// The command line for the manual: every setting on the main page, and on a command's page only its own.
pub(crate) fn manual() -> Command {
    fn without_the_others(command: Command) -> Command {
        let hidden = |arg: Arg| {
            let others = arg.is_hide_long_help_set() && arg.is_hide_short_help_set();
            arg.hide(others)
        };
        command.mut_args(hidden).mut_subcommands(without_the_others)
    }
    let command = command().mut_subcommands(without_the_others);
    command.mut_args(|arg| arg.hide_long_help(false))
}

/// The help of all settings.
pub(crate) fn explained() -> String {
    let mut command = command();
    command.build();
    let settings = command.find_subcommand_mut("settings");
    settings.map_or_else(String::new, |settings| settings.render_long_help().to_string())
}

/// The long flags of every command that takes an input, without their dashes.
pub(crate) fn flags() -> Vec<String> {
    let command = command();
    let inner = command.get_subcommands().flat_map(|command| command.get_arguments());
    let all = command.get_arguments().chain(inner);
    all.filter_map(|arg| arg.get_long().map(str::to_owned)).collect()
}

/// Parses the process's arguments. Prints help and exits if requested; exits with 2 if an argument is wrong.
pub(crate) fn matches() -> ArgMatches {
    let matches = command().try_get_matches();
    matches.unwrap_or_else(|error| without_values(error).exit())
}

/// Removes the given value from an error, since it may be a misplaced password. Suggestions stay.
pub(crate) fn without_values(mut error: clap::Error) -> clap::Error {
    for given in [
        ContextKind::InvalidValue,
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidArg,
    ] {
        // Otherwise it names one of our own arguments.
        if given == ContextKind::InvalidArg && error.kind() != ErrorKind::UnknownArgument {
            continue;
        }
        // An empty one means a missing value.
        if matches!(error.get(given), Some(ContextValue::String(text)) if !text.is_empty()) {
            error.insert(given, ContextValue::String("***".to_owned()));
        }
    }
    // It would quote the argument.
    error.remove(ContextKind::Suggested);
    error
}
