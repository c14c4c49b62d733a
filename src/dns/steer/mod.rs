//! Which region a steered name is answered with, for one client.
//!
//! A name has a tree of policies. What depends on where the client is was worked out for all addresses beforehand (`geo`): one lookup gives
//! the orders and branches for the whole tree. What depends on health is read from the rows now, and only the rows of regions that are
//! considered.
//!
//! A region can serve a name when its front door is up and each of the name's pools can be served there. A region that lost part of its
//! origins keeps as much as what is left can carry, and the excess goes on to the next. The tree is climbed once per rung:
//!
//! ```text
//! preferred      the first choice of the policy for this client
//! next           another one that has room, for all of it or for the excess
//! over-capacity  another one, although it has no room
//! unproven       without a verdict on any better one
//! last-resort    by the other pool that one names for this
//! drained        by one that works and was taken out of service, where every pool of the name opens when all is down
//! open           all is down, and every pool of the name opens then
//! closed         nobody: no data, the same for all clients
//! ```
//!
//! A branch in which nobody is left falls to its policy's default, and from there back out; what nobody in the tree can take goes to any
//! region that the name permits, before the next rung is tried. So whether there is an answer depends on the name alone.
//!
//! Costs one lookup of the address, and two row reads per region considered; nothing is allocated.

mod answers;
mod choose;
mod compass;
mod shares;

pub(super) use choose::{Asking, Settled};
pub(super) use compass::Compass;

/// How a steered name came to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Steering {
    /// By the first choice for this client.
    Preferred,
    /// By another one.
    Next,
    /// By another one, over its capacity.
    OverCapacity,
    /// Without a verdict on any better one.
    Unproven,
    /// By one that serves it from a pool's last resort.
    LastResort,
    /// By one that works, but was taken out of service.
    Drained,
    /// All is down, and open.
    Open,
    /// Nothing can serve it.
    Closed,
}

impl Steering {
    /// All of them, in order.
    pub const ALL: [Self; 8] = [
        Self::Preferred,
        Self::Next,
        Self::OverCapacity,
        Self::Unproven,
        Self::LastResort,
        Self::Drained,
        Self::Open,
        Self::Closed,
    ];

    /// The word used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Preferred => "preferred",
            Self::Next => "next",
            Self::OverCapacity => "over-capacity",
            Self::Unproven => "unproven",
            Self::LastResort => "last-resort",
            Self::Drained => "drained",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}
