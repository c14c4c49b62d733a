//! Dense ids: positions in the lists of one generation.
//!
//! An id is only meaningful beside the generation (or config) it came from; identity over time goes by name.

/// Position of a region in the config and in the generation made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegionId(pub u16);

/// Position of a pool in the config and in the generation made from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PoolId(pub u32);

/// Position of a steering policy in the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyId(pub u16);

impl PolicyId {
    /// The id as a list position.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl RegionId {
    /// The id as a list position.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl PoolId {
    /// The id as a list position.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
