//! Completions and manual pages, generated from the command line.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::arguments;
use crate::exit::{Exit, bad};
use crate::terminal::print;

pub(crate) fn completions(shell: clap_complete::Shell) -> Result<Exit> {
    let mut written = Vec::new();
    clap_complete::generate(shell, &mut arguments::command(), "flow-starter", &mut written);
    // clap_complete's bash script splits the program's name at its hyphen as if it were a subcommand.
    print(&String::from_utf8(written)?.replace("flow__subcmd__starter", "flow__starter"))?;
    Ok(Exit::Success)
}

/// The main page to standard output, or every page to a directory.
pub(crate) fn pages(directory: Option<&Path>) -> Result<Exit> {
    let Some(directory) = directory else {
        let mut written = Vec::new();
        clap_mangen::Man::new(arguments::manual()).render(&mut written)?;
        print(&String::from_utf8(written)?)?;
        return Ok(Exit::Success);
    };
    if !directory.is_dir() {
        return Err(bad("--directory must name an existing directory"));
    }
    clap_mangen::generate_to(arguments::manual(), directory)
        .with_context(|| format!("cannot write to `{}`", directory.display()))?;
    Ok(Exit::Success)
}
