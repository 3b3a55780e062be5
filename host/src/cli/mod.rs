//! The command line. Everything on stdout is data, everything on stderr is for people. Exit codes: 0 done, 1 failed or
//! refused, 2 a command line, file or configuration that cannot be used.
//!
//! The only place where errors are `anyhow`'s: they have reached the person they are for.

mod connectors;
mod describe;
mod findings_table;
mod load;
mod markdown;
mod offsets;
mod preflight;
mod pretty;
mod run;
mod serve;
mod service;
mod shell;
mod tail;
mod top;
mod transform;
mod validate;

use std::{io, path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::telemetry::{
    Screen, Telemetry,
    log::{self, LogFormat, LogLevel},
};

/// Runs connector components and carries their records into Kafka.
#[derive(Debug, Parser)]
#[command(name = "tributary", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
struct Common {
    /// The worker file, Java .properties with Kafka Connect's names; without it, the embedded log in ./tributary-data
    #[arg(long, value_name = "FILE", global = true)]
    worker: Option<PathBuf>,
    /// The component; without it, each *.wasm under plugin.path of the worker file, then the copy in this program
    #[arg(long, value_name = "FILE", global = true)]
    component: Option<PathBuf>,
    /// How log lines look
    #[arg(long, value_enum, default_value_t, global = true)]
    log_format: LogFormat,
    /// How much is logged [default: info for run, warn for the others]
    #[arg(long, value_enum, global = true)]
    log_level: Option<LogLevel>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs connectors in the foreground until SIGINT or SIGTERM
    Run(run::Arguments),
    /// Runs connectors as a service, with Kafka Connect's REST API, until SIGINT or SIGTERM
    Serve(serve::Arguments),
    /// Lists, makes, pauses, resumes, stops, restarts and removes connectors of a running service
    Connectors(connectors::Arguments),
    /// Checks every property of a connector file; with --online also the services that it names
    Validate(validate::Arguments),
    /// Tells what the component is and every property it takes
    Describe(describe::Arguments),
    /// Prints records of the embedded log, as they come
    Tail(tail::Arguments),
    /// Shows what a configuration makes of given events, without the far side: events on stdin, one a line
    Transform(transform::Arguments),
    /// Reads or moves the position of a connector that is not running
    Offsets(offsets::Arguments),
    /// Shows the connectors of a running service as they work, until Ctrl-C
    Top(top::Arguments),
    /// Prints completions for a shell
    Completions(shell::Completions),
    /// Prints the manual page, or writes one for each command
    Man(shell::Man),
}

/// How a command ended, where no error ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Done,
    Refused,
}

/// What the commands share.
struct Context {
    common: Common,
    screen: Screen,
    telemetry: Telemetry,
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // A wrong command line ends here, with clap's text and code 2.
    let Cli { common, command } = Cli::parse();
    let screen = Screen::default();
    let usual = if matches!(command, Command::Run(_) | Command::Serve(_)) { LogLevel::Info } else { LogLevel::Warn };
    log::start(common.log_format, common.log_level.unwrap_or(usual), screen.clone());
    let context = Context { common, screen: screen.clone(), telemetry: Telemetry::default() };
    match perform(&context, command) {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Refused) => ExitCode::from(1),
        // Whoever read our output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // A stderr that is gone cannot be told about.
            let _ = screen.write_people(format!("error: {error:#}\n").as_bytes());
            ExitCode::from(2)
        }
    }
}

fn perform(context: &Context, command: Command) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let exit = runtime.block_on(async {
        match command {
            Command::Run(arguments) => run::run(context, arguments).await,
            Command::Serve(arguments) => serve::serve(context, arguments).await,
            Command::Connectors(arguments) => connectors::connectors(context, arguments).await,
            Command::Validate(arguments) => validate::validate(context, arguments).await,
            Command::Describe(arguments) => describe::describe(context, arguments).await,
            Command::Tail(arguments) => tail::tail(context, arguments),
            Command::Transform(arguments) => transform::transform(context, arguments).await,
            Command::Offsets(arguments) => offsets::offsets(context, arguments).await,
            Command::Top(arguments) => top::top(context, arguments).await,
            Command::Completions(arguments) => shell::completions(context, &arguments),
            Command::Man(arguments) => shell::man(context, &arguments),
        }
    });
    // What is still in a system call (a name being resolved) must not hold up the end.
    runtime.shutdown_background();
    exit
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_the_surface_promises_is_understood() {
        for line in [
            "run a.json",
            "run --worker w.properties a.json b.properties --tail",
            "--worker w.properties --component c.wasm --log-format json --log-level debug run a.json",
            "serve",
            "serve --worker w.properties --listen 127.0.0.1:0",
            "connectors list",
            "connectors status a --json",
            "connectors --url http://127.0.0.1:8083 restart a",
            "validate --worker w.properties a.json",
            "validate --online --json a.json",
            "validate --json a.json",
            "describe --json",
            "transform --config a.json --schema lead.json --json",
            "tail Account --from-beginning --max-messages 3 --timeout-ms 1000 --json",
            "offsets get accounts",
            "offsets alter accounts {\"replayId\":3826}",
            "offsets alter accounts {\"replayId\":3826} --partition {}",
            "offsets delete accounts",
            "offsets --url http://127.0.0.1:8083 get accounts",
            "top --url http://127.0.0.1:8083 --once",
            "completions bash",
            "man --dir man",
        ] {
            let words = ["tributary"].into_iter().chain(line.split(' '));
            assert!(Cli::try_parse_from(words).is_ok(), "{line}");
        }
        for line in ["", "run", "tail", "offsets", "offsets alter accounts", "run a.json --log-format xml"] {
            let words = ["tributary"].into_iter().chain(line.split(' ').filter(|word| !word.is_empty()));
            assert!(Cli::try_parse_from(words).is_err(), "{line}");
        }
    }
}
