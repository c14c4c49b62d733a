//! Writes down what changed, within a budget: when a large region dies, the log must not become the next thing that fails.

use tracing::{info, warn};

use crate::{
    fleet::{Health, Subject},
    table::RowState,
};

use super::{merge::Merged, roster::Group};

/// Lines between two ticks.
const BUDGET: u32 = 100;

#[derive(Debug)]
pub(super) struct Journal {
    left: u32,
    unsaid: u64,
}

impl Journal {
    pub(super) fn new() -> Self {
        Self { left: BUDGET, unsaid: 0 }
    }

    /// A subject's row changed in what it means.
    pub(super) fn subject(&mut self, subject: &Subject, before: &RowState, after: &Merged) {
        if !self.has_room() {
            return;
        }
        let Merged { state, source } = after;
        let source = source.map_or("nobody", crate::fleet::Source::as_str);
        let (was, weight) = (before.health, state.weight.get());
        if state.health == Health::Down {
            warn!(%subject, %was, now = %state.health, source, state.is_draining, state.is_stale, weight, "changed");
        } else {
            info!(%subject, %was, now = %state.health, source, state.is_draining, state.is_stale, weight, "changed");
        }
    }

    /// The row of a pool in a region changed in what it means.
    pub(super) fn group(&mut self, group: &Group, before: &RowState) {
        if !self.has_room() {
            return;
        }
        let (pool, region, was, now) = (&group.pool, &group.region, before.health, group.state.health);
        if now == Health::Down {
            warn!(%pool, %region, %was, %now, "pool changed in region");
        } else {
            info!(%pool, %region, %was, %now, "pool changed in region");
        }
    }

    /// Time passed: there is room again.
    pub(super) fn tick(&mut self) {
        let unsaid = std::mem::take(&mut self.unsaid);
        if unsaid > 0 {
            warn!(unsaid, "more rows changed than were written down");
        }
        self.left = BUDGET;
    }

    fn has_room(&mut self) -> bool {
        let has_room = self.left > 0;
        self.left = self.left.saturating_sub(1);
        self.unsaid += u64::from(!has_room);
        has_room
    }
}
