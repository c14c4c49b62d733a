//! What is wrong with a config: each mistake with its code, its places and a hint, as text for people and JSON for tools.
//!
//! Everything here collects: one run reports all mistakes, up to a bound, and nothing stops at the first.
//!
//! Not here: what counts as a mistake (`document` for one value, `resolve` for the whole).

mod code;
mod collect;
mod json;
mod mistake;
mod source;
mod suggest;
mod text;

pub use code::Code;
pub use collect::Diagnostics;
pub use mistake::{Diagnostic, Severity};
pub use source::Position;
pub(crate) use source::{FileId, Place};
pub(crate) use suggest::nearest;
