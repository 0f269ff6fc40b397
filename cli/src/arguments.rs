//! The command line: commands with their help; the settings' flags come from their table.

use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Args, Command, Parser, Subcommand};

use crate::input::Input;
use crate::{exit, inside, settings};

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
    #[command(subcommand)]
    Config(Config),
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
`--help` shows them all.";

const TRIGGER_HELP: &str = "\
Examples:
  flow-starter trigger flow.json
  flow-starter trigger flow.json --request-body '{\"correlationValue\": \"cam-id-2\"}'
  flow-starter trigger - --output json < flow.json
  flow-starter trigger --instance-name acme --rest-api-trigger-path /api/x_acme/my_flow \\
      --username camunda --password '{{secrets.SN_PASSWORD}}' --request-body @body.json --dry-run

A flag stands in place of the member that the file has. {{secrets.NAME}} is the environment variable SECRET_NAME, or stands in \
a file of secrets. Every setting has a flag, an environment variable and a line in the configuration file, and they count in this \
order: `--help` shows them all.";

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

Exit codes: 0 it would be taken; 2 it would not.";

const COMPILE_HELP: &str = "\
Examples:
  flow-starter compile --to flow-starter.cwasm
  flow-starter compile servicenow-flow-starter.wasm --to flow-starter.cwasm

The code is of this binary, this machine and these limits. It is trusted as this binary is: let nobody else write the file.";

const SECRETS_HELP: &str = "\
Examples:
  flow-starter secrets list flow.json
  flow-starter secrets list flow.json --secrets-file secrets.env

Exit codes: 0 all are there; 2 one is missing, or the input is wrong.";

const CONFIG_HELP: &str = "\
Examples:
  flow-starter config show
  flow-starter config show --config other.toml --output json";

const EXAMPLE_HELP: &str = "\
Examples:
  flow-starter config example
  flow-starter config example > config.toml";

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
    command
        .version(env!("CARGO_PKG_VERSION"))
        .long_version(inside::told())
        .after_help(format!("{EXAMPLES}\n\n{}", exit::TABLE))
        .mut_subcommand("trigger", |trigger| {
            trigger.after_help(format!("{TRIGGER_HELP}\n\n{}", exit::TABLE))
        })
        .args(settings::flags())
        .max_term_width(120)
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
