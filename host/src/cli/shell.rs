//! `tributary completions` and `tributary man`: what shells and manuals need, from the definitions that the command line is
//! read by.

use std::path::PathBuf;

use clap::{Args, CommandFactory as _};

use super::{Cli, Context, Exit};

/// What `completions` takes.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// For this shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

/// What `man` takes.
#[derive(Debug, Args)]
pub(super) struct Man {
    /// Writes tributary.1 and one page for each command into this directory
    #[arg(long, value_name = "DIRECTORY")]
    dir: Option<PathBuf>,
}

/// Prints completions.
pub(super) fn completions(context: &Context, arguments: &Completions) -> anyhow::Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "tributary", &mut text);
    context.screen.write_data(&text)?;
    Ok(Exit::Done)
}

/// Prints or writes manual pages.
pub(super) fn man(context: &Context, arguments: &Man) -> anyhow::Result<Exit> {
    if let Some(directory) = &arguments.dir {
        std::fs::create_dir_all(directory)?;
        clap_mangen::generate_to(Cli::command(), directory)?;
        return Ok(Exit::Done);
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut text)?;
    context.screen.write_data(&text)?;
    Ok(Exit::Done)
}
