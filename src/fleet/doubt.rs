//! Whether this node doubts its own eyes: control says so, and whoever counts what they see can ask.
//!
//! Not here: when it does (`control/suspicion`).

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The doubt; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Doubt(Arc<AtomicBool>);

impl Doubt {
    /// Says that there is one, or none any more.
    pub fn set(&self, is_there: bool) {
        self.0.store(is_there, Ordering::Relaxed);
    }

    /// Whether there is one now.
    pub fn is_there(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
