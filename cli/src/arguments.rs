//! The command line: commands with their help; the settings' flags come from their table.

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Args, Command, Parser, Subcommand};

use crate::input::Input;
use crate::{embedded, exit, settings};

/// Starts a ServiceNow flow through its REST trigger, and tells the truth about it: started, not started, or unknown.
#[derive(Debug, Parser)]
#[command(name = "flow-starter", subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Task,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Task {
    /// Start a flow, once: no retry, no redirect followed
    Trigger(Trigger),
    /// Take jobs from a Camunda 8 cluster and start their flows, until it is told to stop
    #[command(after_help = WORKER_HELP)]
    Worker(Worker),
    /// Try the way to an instance step by step, and start no flow
    #[command(after_help = CHECK_HELP)]
    Check {
        #[command(flatten)]
        input: Input,
    },
    /// Say what a component's file imports and exports, and whether it would be taken
    #[command(after_help = INSPECT_HELP)]
    Inspect {
        /// The component [the one inside this binary]
        #[arg(value_name = "FILE.wasm", value_hint = clap::ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    /// Write a component's native code to a file, for --precompiled
    #[command(after_help = COMPILE_HELP)]
    Compile {
        /// The component [the one inside this binary]
        #[arg(value_name = "FILE.wasm", value_hint = clap::ValueHint::FilePath)]
        file: Option<PathBuf>,
        /// Where to write
        #[arg(short = 'o', long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
        to: PathBuf,
    },
    /// Say which secrets an input refers to, and who has them
    #[command(subcommand)]
    Secrets(Secrets),
    /// Say which settings are in force, and which there are
    #[command(subcommand, after_help = CONFIG_COMMANDS_HELP)]
    Config(Config),
    /// Every setting: its flag, its environment variable, its default
    // Not a thing to do, but one to read about: `flow-starter help settings`.
    #[command(hide = true, after_help = SETTINGS_HELP)]
    Settings,
    /// Write a shell's completions to standard output
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// Write the manual page to standard output
    #[command(after_help = MAN_HELP)]
    Man {
        /// Write a page for each command to this directory instead
        #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        directory: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Trigger {
    /// Show the request, secrets masked, and send nothing; it ends with 2 or 3 where the call would be refused here
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) input: Input,
}

#[derive(Debug, Args)]
pub(crate) struct Worker {
    /// Take jobs until there are none, finish them, and end
    #[arg(long)]
    pub(crate) once: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Secrets {
    /// List each secret that an input refers to, and where it is; never its value
    #[command(after_help = SECRETS_HELP)]
    List {
        #[command(flatten)]
        input: Input,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Show every setting with its value, and where that came from
    #[command(after_help = CONFIG_HELP)]
    Show,
    /// Write a configuration file that sets nothing, with every key explained
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

Every setting has a flag, an environment variable and a line in the configuration file, and they count in this order: \
`flow-starter help settings` explains them all.";

const TRIGGER_HELP: &str = "\
Examples:
  flow-starter trigger flow.json
  flow-starter trigger flow.json --request-body '{\"correlationValue\": \"cam-id-2\"}'
  flow-starter trigger - --output json < flow.json
  flow-starter trigger --instance-name acme --rest-api-trigger-path /api/x_acme/my_flow \\
      --username camunda --password '{{secrets.SN_PASSWORD}}' --request-body @body.json --dry-run

A flag stands in place of the member that the file has. {{secrets.NAME}} is the environment variable SECRET_NAME, or stands in \
a file of secrets. Every setting has a flag, an environment variable and a line in the configuration file, and they count in this \
order: `--help` shows them all.

A member of the file that nothing reads, and that is nearly a field's name or another word for it, is warned about; --strict ends with 2.";

const WORKER_HELP: &str = "\
Examples:
  flow-starter worker --engine-url http://localhost:8080 --allow acme.service-now.com
  flow-starter worker --once --config worker.toml
  CAMUNDA_REST_ADDRESS=https://bru-2.zeebe.camunda.io/CLUSTER-ID CAMUNDA_AUTH_STRATEGY=OAUTH CAMUNDA_CLIENT_ID=… \\
      CAMUNDA_CLIENT_SECRET=… flow-starter worker --allow '*.service-now.com'

Each job ends in exactly one of: completed, failed (tried again, or an incident), a BPMN error. A flow is never started twice, unless a \
person or the task's header `onUnknown` says so.

SIGTERM or Ctrl-C: no more jobs are taken, those in hand are finished. A second one ends at once.

Exit codes: 0 stopped as asked; 1 it cannot work, or was ended with jobs in hand; 2 bad settings, a missing policy.allow among them.";

const CHECK_HELP: &str = "\
Examples:
  flow-starter check flow.json
  flow-starter check flow.json --output json

The one request that it makes reads a table that every instance has.

Exit codes: 0 all steps passed; 2 bad input; 3 a step failed.";

const INSPECT_HELP: &str = "\
Examples:
  flow-starter inspect
  flow-starter inspect servicenow-flow-starter.wasm --output json

Exit codes: 0 it would be taken; 2 it would not.

The other settings: `flow-starter help settings`.";

const COMPILE_HELP: &str = "\
Examples:
  flow-starter compile --to flow-starter.cwasm
  flow-starter compile servicenow-flow-starter.wasm --to flow-starter.cwasm

The code is of this binary, this machine and these limits. It is trusted as this binary is: let nobody else write the file.

The other settings: `flow-starter help settings`.";

const SECRETS_HELP: &str = "\
Examples:
  flow-starter secrets list flow.json
  flow-starter secrets list flow.json --secrets-file secrets.env

Exit codes: 0 all are there; 2 one is missing, or the input is wrong.

The other settings: `flow-starter help settings`.";

const CONFIG_HELP: &str = "\
Examples:
  flow-starter config show
  flow-starter config show --config other.toml --output json

It takes the flag of every setting: `flow-starter help settings`.";

const EXAMPLE_HELP: &str = "\
Examples:
  flow-starter config example
  flow-starter config example > config.toml";

const CONFIG_COMMANDS_HELP: &str = "\
`flow-starter help settings` explains the flag and the environment variable of each setting.";

const SETTINGS_HELP: &str = "\
A setting counts from its flag, before its environment variable, before its line in the configuration file, before its default. Every \
command takes every flag. `flow-starter config show` says what is in force; `flow-starter config example` writes a configuration file.";

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

/// The settings that each command's help explains, by the beginnings of their names. They have flags with all commands.
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

/// The command line as the manual has it: every setting on the main page, and on a command's page its own.
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

/// Every setting, explained.
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

/// The process's own arguments. It writes the help and ends where that is asked for, and ends with 2 where an argument is wrong.
pub(crate) fn matches() -> ArgMatches {
    let matches = command().try_get_matches();
    matches.unwrap_or_else(|error| without_values(error).exit())
}

/// An error without what was given, which may be a password in the wrong place. What it may have been meant to be is still named.
pub(crate) fn without_values(mut error: clap::Error) -> clap::Error {
    for given in [
        ContextKind::InvalidValue,
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidArg,
    ] {
        // Elsewhere it names an argument of our own.
        if given == ContextKind::InvalidArg && error.kind() != ErrorKind::UnknownArgument {
            continue;
        }
        // An empty one stands for a value that is missing.
        if matches!(error.get(given), Some(ContextValue::String(text)) if !text.is_empty()) {
            error.insert(given, ContextValue::String("***".to_owned()));
        }
    }
    // It says how the argument would be passed as a value.
    error.remove(ContextKind::Suggested);
    error
}
