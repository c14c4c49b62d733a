//! What this node sees of requests: how many of each pool its clients send, and how many each region gets.
//!
//! Until nodes share their load this is all that is known of it, and it answers two questions:
//!
//! - Has a region room for others' clients? It has below 80 % of its configured capacity.
//! - How much of a weakened pool stays at home? DNS leads a part of its clients elsewhere, and those who come nevertheless (by answers that
//!   are kept, by connections that are) are too many or not: what comes now is compared with what came before, so that the excess leaves once.
//!
//! Cost: a request adds one to two counters, each on a line of its own; once a second somebody closes the second.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{Grade, grade::word, share_of_capacity};
use crate::{
    config::Config,
    fleet::{BasisPoints, PoolId, RegionId},
    table::{Pool, Snapshot},
};

/// How much of the last second counts in what comes now: it follows within five.
const FOLLOWS: f32 = 0.2;
/// The part of what comes to a region that a pool has to be for the region's capacity to be its own.
const MOST_OF_ALL: f32 = 0.8;
/// What comes usually sinks by so much of the difference in a second: a lull of a minute is not forgotten to be one.
const SINKS: f32 = 1.0 / 64.0;

/// Requests by region and by pool.
#[derive(Debug)]
pub struct Flow {
    regions: Box<[(Arc<str>, Window)]>,
    pools: Box<[(Arc<str>, Inflow)]>,
}

/// Requests in this second and in the one before.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Window {
    /// The second in the upper half, the count in the lower.
    current: AtomicU64,
    previous: AtomicU64,
}

/// What this node's clients ask of one pool, in requests a second.
#[derive(Debug, Default)]
struct Inflow {
    window: Window,
    /// Now, as the bits of an `f32`.
    asked: AtomicU32,
    /// While nothing is missing; it hardly moves while something is.
    usual: AtomicU32,
}

impl Flow {
    /// For the regions and pools of a config; what was seen of them before goes on.
    pub fn of(config: &Config, before: Option<&Self>) -> Self {
        let regions = config.regions.iter().map(|region| Arc::clone(&region.name));
        Self::new(regions, config.pools.iter().map(|pool| Arc::clone(&pool.name)), before)
    }

    fn new(
        regions: impl Iterator<Item = Arc<str>>,
        pools: impl Iterator<Item = Arc<str>>,
        before: Option<&Self>,
    ) -> Self {
        let (windows, inflows) = before.map_or((&[][..], &[][..]), |before| (&*before.regions, &*before.pools));
        let windows: HashMap<&str, &Window> = windows.iter().map(|(name, window)| (&**name, window)).collect();
        let inflows: HashMap<&str, &Inflow> = inflows.iter().map(|(name, inflow)| (&**name, inflow)).collect();
        let window = |name: Arc<str>| {
            let seen = windows.get(&*name).map_or_else(Window::default, |window| window.copy());
            (name, seen)
        };
        let inflow = |name: Arc<str>| {
            let seen = inflows.get(&*name).map_or_else(Inflow::default, |inflow| inflow.copy());
            (name, seen)
        };
        Self { regions: regions.map(window).collect(), pools: pools.map(inflow).collect() }
    }

    /// A client's request for a pool has come to this node, whose region is `home`.
    pub fn comes(&self, (id, pool): (PoolId, &Pool), home: RegionId, snapshot: Snapshot<'_>, now: Duration) {
        // Where the pool has nobody at home, nothing of it is home's load.
        let Some(entry) = pool.region(home) else { return };
        self.note(id, now, || {
            let (row, door) = (entry.row.read(snapshot.now), snapshot.generation.region(home));
            let is_granted = door.is_none_or(|region| {
                word(&region.front_door, region.front_door.read(snapshot.now)) == BasisPoints::FULL
            });
            is_granted && !row.is_returning && Grade::Proven.of_pool(row) == Ok(BasisPoints::FULL)
        });
        self.goes(home, now);
    }

    /// `is_whole` where the pool lacks nothing at home; asked once a second.
    fn note(&self, pool: PoolId, now: Duration, is_whole: impl FnOnce() -> bool) {
        let Some((_, inflow)) = self.pools.get(pool.index()) else { return };
        if let Some(closed) = inflow.window.count(now) {
            inflow.close(closed, second(now), is_whole());
        }
    }

    /// A request goes to a region; this node's own has it with [`Self::comes`], wherever it is sent then, or from another region's node.
    pub fn goes(&self, region: RegionId, now: Duration) {
        if let Some((_, window)) = self.regions.get(region.index()) {
            window.count(now);
        }
    }

    /// Whether a region with this capacity, 0 being unlimited, takes others' clients now.
    pub fn has_room(&self, region: RegionId, capacity_per_second: u32, now: Duration) -> bool {
        capacity_per_second == 0 || self.rate(region, now) < share_of_capacity::ROOM * to_float(capacity_per_second)
    }

    /// The part of what comes for a pool that stays at home, which is to keep `share` of what came usually.
    ///
    /// Where the region says what it is built for, and this pool is nearly all of what it does, what is left of the pool there (`usable`) is
    /// filled before anything is passed on, and is never overrun, however much it is said to keep for a while.
    pub fn stays(&self, pool: PoolId, home: RegionId, keeps: Keeps, now: Duration) -> f32 {
        let part = self.part(pool, keeps.share);
        let carried =
            f32::from(keeps.usable.get()) / f32::from(BasisPoints::FULL.get()) * to_float(keeps.capacity_per_second);
        let rate = self.rate(home, now);
        // What a small pool among others was built for, nobody said.
        let is_most = self.pools.get(pool.index()).is_some_and(|(_, inflow)| read(&inflow.asked) >= MOST_OF_ALL * rate);
        if carried <= 0.0 || rate <= 0.0 || !is_most {
            return part;
        }
        let least = if keeps.is_returning { 0.0 } else { share_of_capacity::ROOM * carried / rate };
        part.max(least).min(share_of_capacity::MOST * carried / rate).min(1.0)
    }

    /// The part of what comes for a pool that is `share` of what came usually.
    pub fn part(&self, pool: PoolId, share: BasisPoints) -> f32 {
        let share = f32::from(share.get()) / f32::from(BasisPoints::FULL.get());
        self.pools.get(pool.index()).map_or(share, |(_, inflow)| inflow.part(share))
    }

    fn rate(&self, region: RegionId, now: Duration) -> f32 {
        self.regions.get(region.index()).map_or(0.0, |(_, window)| window.rate(now))
    }
}

/// How much a pool is to keep at home.
#[derive(Clone, Copy, Debug)]
pub struct Keeps {
    /// Of its clients.
    pub share: BasisPoints,
    /// What works of it.
    pub usable: BasisPoints,
    /// What the region is built for; 0 where nobody said.
    pub capacity_per_second: u32,
    /// It was lost, and is cold: it is not filled.
    pub is_returning: bool,
}

impl Window {
    /// Says what the second before was, to the one who closes it.
    fn count(&self, now: Duration) -> Option<u64> {
        let (seen, second) = (self.current.load(Ordering::Relaxed), second(now));
        // Or later: somebody counts who looked at the time before.
        if seen >> 32 >= second {
            self.current.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let opened = self.current.compare_exchange(seen, second << 32 | 1, Ordering::Relaxed, Ordering::Relaxed);
        if let Ok(closed) = opened {
            self.previous.store(closed, Ordering::Relaxed);
            return Some(closed);
        }
        self.current.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Requests in the second that ends now: all of this one, and as much of the one before as is left of it.
    fn rate(&self, now: Duration) -> f32 {
        let second = second(now);
        let words = [self.current.load(Ordering::Relaxed), self.previous.load(Ordering::Relaxed)];
        let of = |wanted: u64| words.iter().find(|word| *word >> 32 == wanted).map_or(0.0, |word| count_of(*word));
        let gone = f32::from(u16::try_from(now.subsec_millis()).unwrap_or_default()) / 1_000.0;
        of(second) + of(second.wrapping_sub(1)) * (1.0 - gone)
    }

    fn copy(&self) -> Self {
        let copy = |word: &AtomicU64| word.load(Ordering::Relaxed).into();
        Self { current: copy(&self.current), previous: copy(&self.previous) }
    }
}

impl Inflow {
    /// Only the one who closed the second comes here; should two meet, one of two estimates stays.
    fn close(&self, closed: u64, second: u64, is_whole: bool) {
        let (asked, usual) = (read(&self.asked), read(&self.usual));
        let (came, quiet) = (count_of(closed), second.saturating_sub(closed >> 32).clamp(1, 10_000) as i32 - 1);
        let is_first = asked == 0.0 && usual == 0.0;
        let next = if is_first { came } else { asked + (came - asked) * FOLLOWS } * (1.0 - FOLLOWS).powi(quiet);
        let nears = usual + (next - usual) * (1.0 - (1.0 - SINKS).powi(quiet + 1));
        write(&self.asked, next);
        // While something is missing it does not sink, as others lead clients away then, and rises slowly: who was refused comes back at once.
        let usual = match (next > usual, is_whole) {
            (true, true) => next,
            (true, false) if is_first => next,
            (true, false) | (false, true) => nears,
            (false, false) => usual,
        };
        write(&self.usual, usual);
    }

    /// What of those who come is `share` of those who came before.
    fn part(&self, share: f32) -> f32 {
        let (asked, usual) = (read(&self.asked), read(&self.usual));
        if asked <= 0.0 || usual <= 0.0 { share } else { (share * usual / asked).min(1.0) }
    }

    fn copy(&self) -> Self {
        let copy = |word: &AtomicU32| word.load(Ordering::Relaxed).into();
        Self { window: self.window.copy(), asked: copy(&self.asked), usual: copy(&self.usual) }
    }
}

fn second(now: Duration) -> u64 {
    now.as_secs() & u64::from(u32::MAX)
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an estimate of the lower half")]
fn count_of(word: u64) -> f32 {
    word as u32 as f32
}

#[allow(clippy::cast_precision_loss, reason = "an estimate")]
fn to_float(number: u32) -> f32 {
    number as f32
}

fn read(cell: &AtomicU32) -> f32 {
    f32::from_bits(cell.load(Ordering::Relaxed))
}

fn write(cell: &AtomicU32, number: f32) {
    cell.store(number.to_bits(), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOL: PoolId = PoolId(0);
    const HOME: RegionId = RegionId(0);

    fn flow(regions: &[&str], pools: &[&str], before: Option<&Flow>) -> Flow {
        let names = |names: &[&str]| names.iter().map(|name| Arc::from(*name)).collect::<Vec<Arc<str>>>();
        Flow::new(names(regions).into_iter(), names(pools).into_iter(), before)
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// So many requests a second come for so many seconds.
    fn come(flow: &Flow, rate: u64, seconds: std::ops::Range<u64>, is_whole: bool) {
        for second in seconds {
            for one in 0..rate {
                let now = at(second * 1_000 + one * 1_000 / rate);
                flow.note(POOL, now, || is_whole);
                flow.goes(HOME, now);
            }
        }
    }

    fn keeps(share: u16, usable: u16, capacity_per_second: u32) -> Keeps {
        Keeps {
            share: BasisPoints::new(share),
            usable: BasisPoints::new(usable),
            capacity_per_second,
            is_returning: false,
        }
    }

    fn is_about(value: f32, expected: f32) -> bool {
        (value - expected).abs() < 0.03
    }

    #[test]
    fn a_receiver_above_four_fifths_of_its_capacity_takes_no_spill_until_a_second_slid_over_it() {
        let flow = flow(&["home"], &[], None);
        for one in 0..80 {
            assert!(flow.has_room(HOME, 100, at(5_000)), "{one}");
            flow.goes(HOME, at(5_000));
        }
        assert!(!flow.has_room(HOME, 100, at(5_000)));
        assert!(flow.has_room(HOME, 0, at(5_000)), "no stated capacity is no limit");
        assert!(!flow.has_room(HOME, 100, at(6_000)), "a new second is not a new beginning");
        assert!(flow.has_room(HOME, 100, at(6_100)));
        assert!(flow.has_room(HOME, 1, at(8_000)), "what was long ago does not count");
        flow.goes(HOME, at(8_000));
        (0..80).for_each(|_| flow.goes(HOME, at(8_999)));
        flow.goes(HOME, at(9_000));
        flow.goes(HOME, at(8_999));
        flow.goes(HOME, at(9_000));
        assert!(!flow.has_room(HOME, 100, at(9_000)), "who looked at the time before does not undo a second");
    }

    #[test]
    fn the_excess_leaves_once_whoever_passes_it_on() {
        let flow = flow(&["home"], &["shop"], None);
        come(&flow, 100, 0..60, true);
        let half = keeps(7_000, 5_000, 0);
        assert!(is_about(flow.stays(POOL, HOME, half, at(60_000)), 0.7), "DNS has done nothing yet");
        come(&flow, 70, 60..90, false);
        assert!(is_about(flow.stays(POOL, HOME, half, at(90_000)), 1.0), "DNS has done all of it");
        come(&flow, 100, 90..120, false);
        assert!(is_about(flow.stays(POOL, HOME, half, at(120_000)), 0.7), "and undone it");
    }

    #[test]
    fn a_burst_of_those_who_were_refused_is_not_what_is_usual() {
        let flow = flow(&["home"], &["shop"], None);
        come(&flow, 100, 0..60, true);
        come(&flow, 300, 60..65, false);
        come(&flow, 100, 65..90, false);
        let stays = flow.stays(POOL, HOME, keeps(7_000, 5_000, 0), at(90_000));
        assert!((0.65..0.85).contains(&stays), "{stays}");
    }

    #[test]
    fn the_capacity_of_a_region_is_not_that_of_a_small_pool_in_it() {
        let flow = flow(&["home"], &["shop"], None);
        come(&flow, 50, 0..30, true);
        (0..150).for_each(|_| flow.goes(HOME, at(29_999)));
        assert!(is_about(flow.stays(POOL, HOME, keeps(4_200, 3_000, 1_000), at(30_000)), 0.42));
    }

    #[test]
    fn what_is_left_is_filled_and_never_overrun_where_capacity_is_said() {
        let flow = flow(&["home"], &["shop"], None);
        come(&flow, 40, 0..30, true);
        assert!(is_about(flow.stays(POOL, HOME, keeps(7_000, 5_000, 100), at(30_000)), 1.0), "40 of 50 is room");
        come(&flow, 80, 30..60, false);
        assert!(
            is_about(flow.stays(POOL, HOME, keeps(10_000, 5_000, 100), at(60_000)), 0.85 * 50.0 / 80.0),
            "80 is too much"
        );
        let cold = Keeps { is_returning: true, ..keeps(1, 10_000, 100) };
        assert!(flow.stays(POOL, HOME, cold, at(60_000)) < 0.01, "who returns is not filled");
    }

    #[test]
    fn nothing_seen_keeps_the_share_and_a_lull_is_not_what_is_usual() {
        let flow = flow(&["home"], &["shop"], None);
        assert!(is_about(flow.stays(POOL, HOME, keeps(3_000, 2_000, 0), at(0)), 0.3));
        come(&flow, 100, 0..60, true);
        come(&flow, 50, 60..65, true);
        assert!(flow.stays(POOL, HOME, keeps(5_000, 4_000, 0), at(65_000)) > 0.6);
    }

    #[test]
    fn what_was_seen_is_carried_to_where_things_stand_now() {
        let flow = flow(&["home"], &["shop"], None);
        come(&flow, 100, 0..60, true);
        let next = self::flow(&["away", "home"], &["cart", "shop"], Some(&flow));
        let half = keeps(5_000, 4_000, 0);
        assert!(is_about(next.stays(PoolId(1), RegionId(1), half, at(60_000)), 0.5));
        assert!(!next.has_room(RegionId(1), 100, at(60_000)) && next.has_room(HOME, 100, at(60_000)));
    }
}
