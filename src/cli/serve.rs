//! `meridian serve`: runs a node until it is told to stop.

use std::{path::PathBuf, process::ExitCode};

use super::report;
use crate::{
    config::{self, Identity},
    node::{self, Node},
    telemetry::{LogFormat, init_logs},
};

/// What a node is started with.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) config: PathBuf,
    pub(super) identity: Identity,
    pub(super) stop_with_stdin: bool,
}

pub(super) fn run(options: Options, log_format: LogFormat, log_level: &str) -> ExitCode {
    if let Err(error) = init_logs(log_format, log_level) {
        report::complain(&format!("{error}\n"));
        return ExitCode::from(report::COULD_NOT_TELL);
    }
    let loaded = config::load(&options.config, &options.identity);
    report::complain(&loaded.diagnostics.render_text(false));
    let Some(config) = loaded.config else { return ExitCode::FAILURE };
    let source = node::Source { path: options.config, identity: options.identity };
    let ran = Node::build(config, Some(source)).and_then(|node| node.run(options.stop_with_stdin));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(&format!("error: {error}\n"));
            ExitCode::FAILURE
        }
    }
}
