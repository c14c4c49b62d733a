//! How good an origin has to be to be asked.

use crate::{
    fleet::{BasisPoints, Health},
    table::RowState,
};

/// How good an origin has to be, from the ladder's rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// Known to be up.
    Proven,
    /// Not known to be down.
    Unproven,
    /// Not taken out by an operator or a drill: the last resort, at configured weights.
    Any,
}

impl Standard {
    /// The share of its configured weight that an origin in this state takes.
    pub fn share(self, row: RowState) -> BasisPoints {
        match self {
            Self::Proven if row.is_usable() => row.weight,
            Self::Unproven if row.health != Health::Down && !row.is_draining => row.weight,
            Self::Any if row.is_askable() => BasisPoints::FULL,
            _ => BasisPoints::ZERO,
        }
    }
}
