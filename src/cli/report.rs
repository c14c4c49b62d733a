//! Printing, and the three ways to end.

use std::{
    io::{self, Write},
    process::ExitCode,
};

/// It could not be found out.
pub(super) const COULD_NOT_TELL: u8 = 2;

/// Prints to standard output. A reader that has gone away (`| head`) is no failure.
pub(super) fn say(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(COULD_NOT_TELL),
        _ => ExitCode::SUCCESS,
    }
}

/// Prints to standard error, as far as that is possible.
pub(super) fn complain(text: &str) {
    _ = io::stderr().write_all(text.as_bytes());
}

/// Whether standard output is looked at by a person.
pub(super) fn is_colourful() -> bool {
    io::IsTerminal::is_terminal(&io::stdout())
}
