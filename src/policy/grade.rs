//! How good a region has to be on a step of the ladder, and what its rows leave of it then: for DNS and for HTTP.

use super::carry;
use crate::{
    fleet::{BasisPoints, Health},
    table::{RowHandle, RowState},
};

/// How good what is asked has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grade {
    /// Known to work, and to take new work.
    Proven,
    /// Not known to be down.
    Unproven,
    /// Known to work, behind a front door that an operator took out of service without a word on its health.
    Drained,
    /// Not taken out on purpose: the last step.
    Any,
}

/// Why a region is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// It has no origins of the pool.
    NoOrigins,
    /// None of them is healthy.
    Down,
    /// None of them had a verdict yet.
    Unproven,
    /// They take no new work.
    Draining,
    /// An operator or a drill took its front door out.
    DoorWithheld,
    /// Its front door is lost.
    DoorDown,
    /// Its front door had no verdict yet.
    DoorUnproven,
    /// It was lost, and gets its own clients back first.
    Returning,
    /// It cannot keep all of its own.
    Weakened,
    /// It is near its capacity.
    Full,
}

impl LeftOut {
    /// The words that `explain` uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoOrigins => "it has no origins of this pool",
            Self::Down => "its origins are down",
            Self::Unproven => "its origins had no verdict yet",
            Self::Draining => "its origins take no new work",
            Self::DoorWithheld => "it was taken out of service",
            Self::DoorDown => "its front door is down",
            Self::DoorUnproven => "its front door had no verdict yet",
            Self::Returning => "it returns, and gets its own clients back first",
            Self::Weakened => "it lost a part, and has no room for more than its own",
            Self::Full => "it is near its capacity",
        }
    }
}

impl Grade {
    /// What the row of a pool in a region leaves of the clients there. What is left of a pool carries more than its share.
    ///
    /// # Errors
    /// Says why it leaves nothing.
    pub fn of_pool(self, row: RowState) -> Result<BasisPoints, LeftOut> {
        let is_good = match self {
            Self::Proven | Self::Drained => row.is_usable(),
            Self::Unproven => row.health != Health::Down && row.takes_new_work(),
            Self::Any => !row.is_withheld(),
        };
        match (row.health, self) {
            (_, Self::Proven | Self::Drained) if is_good => Ok(carry(row.weight)),
            _ if is_good => Ok(BasisPoints::FULL),
            _ if row.is_draining => Err(LeftOut::Draining),
            (Health::Unknown, _) => Err(LeftOut::Unproven),
            _ => Err(LeftOut::Down),
        }
    }

    /// What its front door leaves, whose weight is an operator's word or a return.
    ///
    /// # Errors
    /// Says why it leaves nothing.
    pub fn of_door(self, row: RowState) -> Result<BasisPoints, LeftOut> {
        let is_by_word = row.is_forced || row.is_drilled;
        let is_good = match self {
            Self::Proven => row.is_usable(),
            Self::Unproven => row.health != Health::Down && row.takes_new_work(),
            Self::Drained => row.health == Health::Up && row.weight > BasisPoints::ZERO,
            // That it drains says nothing of whether it works: it is better than nobody.
            Self::Any => !(is_by_word && row.health == Health::Down) && row.weight > BasisPoints::ZERO,
        };
        match row.health {
            _ if is_good => Ok(if self == Self::Proven { row.weight } else { BasisPoints::FULL }),
            _ if row.is_withheld() || row.weight == BasisPoints::ZERO => Err(LeftOut::DoorWithheld),
            Health::Unknown => Err(LeftOut::DoorUnproven),
            _ => Err(LeftOut::DoorDown),
        }
    }
}

/// What operators leave a region of the requests that come to its front door: a return holds back new clients, not those who are here.
pub(super) fn word(door: &RowHandle, state: RowState) -> BasisPoints {
    if state.is_returning { door.measure().granted() } else { state.weight }
}
