//! How much room a region has left, as far as this node knows.
//!
//! Until nodes share their load, this counts what this node itself sends to a region in the current second against the region's
//! configured capacity. Receivers above 80 % of it take no more spill.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::fleet::RegionId;

/// Requests sent to each region in the current second; cells are padded, since every worker writes them.
#[derive(Debug)]
pub struct Spare(Box<[Window]>);

#[derive(Debug, Default)]
#[repr(align(64))]
struct Window {
    /// The second in the upper half, the count in the lower.
    word: AtomicU64,
}

impl Spare {
    /// For so many regions.
    pub fn new(regions: usize) -> Self {
        Self((0..regions).map(|_| Window::default()).collect())
    }

    /// Counts one request that goes there.
    pub fn count(&self, region: RegionId, now: Duration) {
        let Some(window) = self.0.get(region.index()) else { return };
        let second = now.as_secs() << 32;
        let seen = window.word.load(Ordering::Relaxed);
        if seen >> 32 == now.as_secs() {
            window.word.fetch_add(1, Ordering::Relaxed);
        } else {
            // Two workers may both open the new second and lose a count or two: an estimate is all this is.
            window.word.store(second + 1, Ordering::Relaxed);
        }
    }

    /// Whether a region with this capacity, 0 being unlimited, takes spill now.
    pub fn has_room(&self, region: RegionId, capacity_per_second: u32, now: Duration) -> bool {
        let Some(window) = self.0.get(region.index()) else { return true };
        let word = window.word.load(Ordering::Relaxed);
        let sent = if word >> 32 == now.as_secs() { word & u64::from(u32::MAX) } else { 0 };
        capacity_per_second == 0 || sent * 5 < u64::from(capacity_per_second) * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_above_four_fifths_of_its_capacity_takes_no_spill_until_the_next_second() {
        let (spare, region) = (Spare::new(1), RegionId(0));
        let now = Duration::from_secs(5);
        for _ in 0..80 {
            assert!(spare.has_room(region, 100, now));
            spare.count(region, now);
        }
        assert!(!spare.has_room(region, 100, now));
        assert!(spare.has_room(region, 0, now), "no stated capacity is no limit");
        assert!(spare.has_room(region, 100, now + Duration::from_secs(1)));
    }
}
