//! What a component may import: always six interfaces, and more of WASI 0.2 if named.

use std::fmt;
use std::str::FromStr;

use wasmtime::component::Linker;
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings::{cli, clocks, filesystem, random};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};

use super::call::Call;

/// Available to every component, at any 0.2 version.
pub(super) const ALWAYS: [&str; 6] = [
    "wasi:clocks/monotonic-clock",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
];

/// Sockets would bypass the policy.
const SOCKETS: &str = "wasi:sockets/";

/// An interface of WASI 0.2 that a component may import in addition to HTTP, its streams and the monotonic clock.
///
/// For example, a component built for `wasm32-wasip2` with Rust's standard library imports some of them. They are empty: no environment
/// variables, no arguments, no directories, standard input is closed, and output is discarded. Only the time of day, random numbers and
/// exit have an effect. Sockets cannot be allowed.
///
/// Written as `wasi:cli/environment`; a 0.2 version (`wasi:cli/environment@0.2.6`) may follow and makes no difference.
///
/// ```
/// use flow_starter_host::component::Import;
///
/// let import: Import = "wasi:cli/environment@0.2.6".parse()?;
/// assert_eq!(import.to_string(), "wasi:cli/environment");
/// assert!("wasi:sockets/tcp".parse::<Import>().is_err());
/// # Ok::<(), flow_starter_host::component::ImportError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Import {
    /// `wasi:cli/environment`: no variable and no argument.
    Environment,
    /// `wasi:cli/exit`: it ends the call.
    Exit,
    /// `wasi:cli/stdin`: closed.
    Stdin,
    /// `wasi:cli/stdout`: what is written is discarded.
    Stdout,
    /// `wasi:cli/stderr`: what is written is discarded.
    Stderr,
    /// `wasi:cli/terminal-input`: the type of a terminal; there is none.
    TerminalInput,
    /// `wasi:cli/terminal-output`: the type of a terminal; there is none.
    TerminalOutput,
    /// `wasi:cli/terminal-stdin`: standard input is no terminal.
    TerminalStdin,
    /// `wasi:cli/terminal-stdout`: standard output is no terminal.
    TerminalStdout,
    /// `wasi:cli/terminal-stderr`: standard error is no terminal.
    TerminalStderr,
    /// `wasi:clocks/wall-clock`: the time of day.
    WallClock,
    /// `wasi:filesystem/preopens`: no directory.
    Preopens,
    /// `wasi:filesystem/types`: the types of files and directories; there are none.
    Filesystem,
    /// `wasi:random/insecure`: random numbers, fast.
    InsecureRandom,
    /// `wasi:random/insecure-seed`: a seed for hash tables.
    InsecureSeed,
    /// `wasi:random/random`: random numbers for cryptography.
    Random,
}

impl Import {
    const ALL: [Self; 16] = [
        Self::Environment,
        Self::Exit,
        Self::Stdin,
        Self::Stdout,
        Self::Stderr,
        Self::TerminalInput,
        Self::TerminalOutput,
        Self::TerminalStdin,
        Self::TerminalStdout,
        Self::TerminalStderr,
        Self::WallClock,
        Self::Preopens,
        Self::Filesystem,
        Self::InsecureRandom,
        Self::InsecureSeed,
        Self::Random,
    ];

    /// All interfaces that can be named.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    /// The interface's name, without a version.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "wasi:cli/environment",
            Self::Exit => "wasi:cli/exit",
            Self::Stdin => "wasi:cli/stdin",
            Self::Stdout => "wasi:cli/stdout",
            Self::Stderr => "wasi:cli/stderr",
            Self::TerminalInput => "wasi:cli/terminal-input",
            Self::TerminalOutput => "wasi:cli/terminal-output",
            Self::TerminalStdin => "wasi:cli/terminal-stdin",
            Self::TerminalStdout => "wasi:cli/terminal-stdout",
            Self::TerminalStderr => "wasi:cli/terminal-stderr",
            Self::WallClock => "wasi:clocks/wall-clock",
            Self::Preopens => "wasi:filesystem/preopens",
            Self::Filesystem => "wasi:filesystem/types",
            Self::InsecureRandom => "wasi:random/insecure",
            Self::InsecureSeed => "wasi:random/insecure-seed",
            Self::Random => "wasi:random/random",
        }
    }

    pub(super) fn link(self, linker: &mut Linker<Call>) -> wasmtime::Result<()> {
        match self {
            Self::Environment => cli::environment::add_to_linker::<Call, WasiCli>(linker, Call::cli),
            Self::Exit => cli::exit::add_to_linker::<Call, WasiCli>(linker, Call::cli),
            Self::Stdin => cli::stdin::add_to_linker::<Call, WasiCli>(linker, Call::cli),
            Self::Stdout => cli::stdout::add_to_linker::<Call, WasiCli>(linker, Call::cli),
            Self::Stderr => cli::stderr::add_to_linker::<Call, WasiCli>(linker, Call::cli),
            Self::TerminalInput => cli::terminal_input::add_to_linker::<Call, WasiCli>(linker, Call::cli),
            Self::TerminalOutput => cli::terminal_output::add_to_linker::<Call, WasiCli>(linker, Call::cli),
            Self::TerminalStdin => cli::terminal_stdin::add_to_linker::<Call, WasiCli>(linker, Call::cli),
            Self::TerminalStdout => cli::terminal_stdout::add_to_linker::<Call, WasiCli>(linker, Call::cli),
            Self::TerminalStderr => cli::terminal_stderr::add_to_linker::<Call, WasiCli>(linker, Call::cli),
            Self::WallClock => clocks::wall_clock::add_to_linker::<Call, WasiClocks>(linker, Call::clocks),
            Self::Preopens => filesystem::preopens::add_to_linker::<Call, WasiFilesystem>(linker, Call::filesystem),
            Self::Filesystem => filesystem::types::add_to_linker::<Call, WasiFilesystem>(linker, Call::filesystem),
            Self::InsecureRandom => random::insecure::add_to_linker::<Call, WasiRandom>(linker, Call::random),
            Self::InsecureSeed => random::insecure_seed::add_to_linker::<Call, WasiRandom>(linker, Call::random),
            Self::Random => random::random::add_to_linker::<Call, WasiRandom>(linker, Call::random),
        }
    }
}

/// Not the name of an [`Import`]. It never quotes the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A socket.
    #[error("wasi:sockets cannot be allowed: sockets would bypass the policy, which covers HTTP requests only")]
    Sockets,
    /// Always available.
    #[error("{0} need not be named: every component may import it")]
    Always(&'static str),
    /// Another version of WASI.
    #[error(
        "{0} cannot be allowed at this version: only WASI 0.2 is available, for example wasi:cli/environment@0.2.6, or without a version"
    )]
    Track(&'static str),
    /// Anything else.
    #[error(
        "this is not an interface: name a WASI 0.2 interface as the component imports it, for example wasi:cli/environment"
    )]
    Unknown,
}

impl FromStr for Import {
    type Err = ImportError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (interface, of_track) = split(text);
        if interface.starts_with(SOCKETS) {
            return Err(ImportError::Sockets);
        }
        let named = Import::all().find(|import| import.as_str() == interface);
        let always = ALWAYS.iter().find(|always| **always == interface);
        match (named, always) {
            (Some(import), _) if of_track => Ok(import),
            (Some(import), _) => Err(ImportError::Track(import.as_str())),
            (None, Some(always)) if of_track => Err(ImportError::Always(always)),
            (None, Some(always)) => Err(ImportError::Track(always)),
            (None, None) => Err(ImportError::Unknown),
        }
    }
}

/// An interface's name, and whether its version is 0.2. A name without a version counts as 0.2.
fn split(name: &str) -> (&str, bool) {
    match name.split_once('@') {
        Some((interface, version)) => (interface, version.starts_with("0.2.")),
        None => (name, true),
    }
}

/// Why a component may not import an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum ImportDenied {
    /// It can be allowed, but was not.
    #[error("a connector may import this only if the host's settings name it")]
    NotNamed,
    /// A socket.
    #[error("sockets are never allowed, because they would bypass the policy")]
    Sockets,
    /// Available at another version only.
    #[error("a connector may import this only at a version of WASI 0.2")]
    Track,
    /// Anything else.
    #[error("no connector may import this: only HTTP, its streams and a monotonic clock are available")]
    Unknown,
}

/// Whether a component may import this interface.
pub(super) fn judge(name: &str, named: &[Import]) -> Result<(), ImportDenied> {
    let (interface, of_track) = split(name);
    let nameable = Import::all().any(|import| import.as_str() == interface);
    let given = ALWAYS.contains(&interface) || named.iter().any(|import| import.as_str() == interface);
    match () {
        () if interface.starts_with(SOCKETS) => Err(ImportDenied::Sockets),
        () if given && of_track => Ok(()),
        () if given || (nameable && !of_track) => Err(ImportDenied::Track),
        () if nameable => Err(ImportDenied::NotNamed),
        () => Err(ImportDenied::Unknown),
    }
}

impl fmt::Display for Import {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str) -> String {
        name.parse::<Import>().unwrap_err().to_string()
    }

    #[test]
    fn imports_parse_as_they_are_written() {
        for import in Import::all() {
            assert_eq!(import.to_string().parse(), Ok(import));
            assert_eq!(format!("{import}@0.2.6").parse(), Ok(import));
            assert!(!ALWAYS.contains(&import.as_str()), "{import}");
        }
    }

    #[test]
    fn all_optional_imports_can_be_linked_together() {
        let engine = crate::Engine::with_imports(
            crate::Limits {
                concurrent_calls: 1,
                ..crate::Limits::default()
            },
            Import::all().chain(Import::all()),
        );
        assert_eq!(engine.unwrap().named.len(), Import::all().count());
    }

    #[test]
    fn a_socket_cannot_be_named_and_the_refusal_says_why() {
        for socket in [
            "tcp",
            "udp",
            "ip-name-lookup",
            "instance-network",
            "network",
            "what-comes-next",
        ] {
            for name in [format!("wasi:sockets/{socket}"), format!("wasi:sockets/{socket}@0.2.6")] {
                assert!(refusal(&name).contains("bypass the policy"), "{name}");
                assert_eq!(judge(&name, &Import::ALL), Err(ImportDenied::Sockets));
            }
        }
    }

    #[test]
    fn an_invalid_import_is_refused_with_an_example() {
        for name in [
            "",
            "environment",
            "wasi:cli",
            "wasi:cli/",
            "wasi:cli/*",
            "wasi:cli/command",
            "WASI:CLI/ENVIRONMENT",
            " wasi:cli/environment",
            "wasi:keyvalue/store",
            "wasi:http/incoming-handler",
        ] {
            assert!(refusal(name).contains("for example wasi:cli/environment"), "{name}");
        }
        for name in [
            "wasi:cli/environment@0.3.0",
            "wasi:cli/environment@",
            "wasi:cli/environment@0.2",
        ] {
            assert!(
                refusal(name).contains("for example wasi:cli/environment@0.2.6"),
                "{name}"
            );
        }
        assert!(refusal("wasi:io/poll@0.2.2").contains("every component may import it"));
        assert!(!refusal("\x1b[2Jwasi").contains('\x1b'));
    }

    #[test]
    fn an_import_is_open_only_where_it_is_always_given_or_was_named() {
        let environment: Import = "wasi:cli/environment".parse().unwrap();
        for (name, named, verdict) in [
            ("wasi:io/poll@0.2.0", &[][..], Ok(())),
            ("wasi:io/poll@0.2.99", &[], Ok(())),
            ("wasi:io/poll@0.3.0", &[], Err(ImportDenied::Track)),
            ("wasi:cli/environment@0.2.6", &[], Err(ImportDenied::NotNamed)),
            ("wasi:cli/environment@0.2.6", &[environment], Ok(())),
            ("wasi:cli/environment@0.3.0", &[environment], Err(ImportDenied::Track)),
            ("wasi:cli/exit@0.2.6", &[environment], Err(ImportDenied::NotNamed)),
            (
                "wasi:cli/environmental@0.2.6",
                &[environment],
                Err(ImportDenied::Unknown),
            ),
            ("acme:own/interface", &[environment], Err(ImportDenied::Unknown)),
        ] {
            assert_eq!(judge(name, named), verdict, "{name}");
        }
    }
}
