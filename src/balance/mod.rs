//! Which origin of a region takes the next request.
//!
//! What can be prepared is prepared when the pool changes ([`build`], injected into the table's writer), per region and tier: the turns of
//! round robin, the draw by weight, the slots of the hash. A pick reads rows and thins the configured weights by accept or reject. Nothing
//! here locks: what a pick remembers ([`Turns`]) is one worker's, and what workers share ([`Load`]) are counters on cache lines of their own.
//!
//! | file | |
//! |---|---|
//! | `pick` | the question, the order of tiers, and what happens when nobody is left |
//! | `choose` | one method each: in turn, by draw, the least, by hash |
//! | `round_robin`, `alias`, `maglev` | what is prepared for a tier |
//! | `load`, `turns` | what changes: requests under way and latency; turns and usable weight |
//! | `sticky` | the cookie that brings a client back |
//!
//! Metrics: the proxy counts picks by rung (`meridian_http_rungs_total`) and what became of cookies (`meridian_http_sticky_total` by
//! `result`: given, kept, moved).
//!
//! Cost: see `benches/balance.rs`; under 100 ns at 16 origins, under 200 ns at 1,000. Beside a worker that does nothing but choose and count
//! at the same origins the two methods that compare the loads of 16 take up to 130 and 220 ns: what they read is on its way from there.
//!
//! Not here: which region (`policy`), and whether the request may go at all (`govern`).

mod alias;
mod choose;
mod key;
mod load;
mod maglev;
mod pick;
mod round_robin;
mod selector;
mod standard;
mod sticky;
mod turns;

pub use key::{key_of, key_of_address};
pub use load::{InFlight, Load};
pub use pick::{Ask, keeps, pick};
pub use selector::{Selector, build};
pub use standard::Standard;
pub use sticky::{SecretsError, Shown, Stickiness, Sticky};
pub use turns::Turns;

#[cfg(test)]
mod scene;
#[cfg(test)]
mod tests;
