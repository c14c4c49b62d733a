//! The one task that turns signals into rows, and the only holder of the table's writer.
//!
//! Everything anybody believes arrives here as a signal or a command, is merged by strength of its source into the subject's
//! row, and moves the row of its pool in its region. A signal costs one merge and one update of a tally, whatever the size of
//! the fleet (`benches/table.rs`); only a reload looks at everything.
//!
//! Not here: who checks (`health`), and what DNS and HTTP make of the rows (`dns`, `proxy`).

mod command;
mod derive;
mod eyes;
mod journal;
mod ledger;
mod membership;
mod merge;
mod meters;
mod motion;
mod operate;
mod overrides;
mod report;
mod roster;
mod saving;
#[cfg(test)]
mod scene;
mod suspicion;
mod task;

pub use command::{Command, CommandError, Handle, Reply};
pub use overrides::{Action, NewOverride, Override, OverrideFileError};
pub use report::{GroupReport, Move, Moves, Report, SubjectReport, ViewReport, spell};
pub use task::{Control, Start};
