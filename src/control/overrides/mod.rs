//! What operators decided by hand: the list in memory, and the file that lets it survive a restart.
//!
//! An override has an author, a reason and perhaps an end. It belongs to a subject by name, so it stays, inert, while its
//! subject is not in the config, and applies again when the subject returns.
//!
//! Not here: what an override does to a row (`merge`), and when the file is written (`saving`).

mod file;
mod list;

pub(super) use file::OverrideFile;
pub use file::OverrideFileError;
pub use list::{Action, NewOverride, Override};
pub(super) use list::{OverrideList, TooMany};
