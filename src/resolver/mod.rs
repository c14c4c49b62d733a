//! What the names of origins lead to now, and connecting to an origin wherever it is.
//!
//! One task per name looks it up in the background and writes its cell; who connects reads the cell without a lock. A name that
//! stops resolving keeps the addresses it had last. Cells are found by name in a [`Directory`], one for each config; names that stay
//! keep their cell, so what a name leads to changes without a new generation of the table.
//!
//! A name with several addresses is still one origin. Each connection tries them by Happy Eyeballs (RFC 8305), in the order of the
//! answer: to balance over servers, write them as origins.
//!
//! Cost on the hot path: a fixed address has no cell. A request to a name finds its cell once, by hash, and allocates nothing.
//!
//! | metric | labels |
//! |---|---|
//! | `meridian_resolver_lookups_total` | `result` (`good`, `empty`: no such name or address, `failed`: no usable answer) |
//! | `meridian_resolver_names` | `state` (`good`, `stale`: keeps what it led to last, `unknown`: never resolved) |
//!
//! Not here: answering DNS (`dns`), which origin a request goes to (`balance`).

mod directory;
mod known;
mod lookup;
mod means;
mod race;
mod task;

pub use directory::{Directory, Reach};
pub use means::is_out_of_means;
pub use task::Resolver;
