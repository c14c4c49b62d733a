//! A row: everything believed of one origin, front door or (pool, region), packed into one word.
//!
//! ```text
//! word     63 ............ 32 | 31 ............ 16 | 15 ............. 0
//!          valid until, ticks | weight, basis pts  | joining returning breaker stale drill drain forced health(2)
//! measure  63 ............ 32 | 31 .............. 0
//!          capacity per s, or  | usable weight, or what a front door is granted
//!          expected weight    |
//! moved    47 ............ 32 | 31 .............. 0
//!          weight at that tick | tick of the last change that matters
//! ```
//!
//! One word is read and written whole, so a row is never torn. The measure and the time it moved are words of their own and may be
//! one write younger or older than the first; nothing decides on both. All accesses are relaxed: a row refers to no other memory, and the first
//! content of a row is made visible by the swap that publishes the generation it appears in.

use std::sync::{Arc, atomic::Ordering};

use super::sync::{AtomicU64, Hold};
use crate::{
    clock::Ticks,
    fleet::{BasisPoints, Health},
};

/// Rows come in chunks of this many, so that a growing fleet never moves a row; as many as a `u8` counts, so that indexing
/// needs no check. Loom follows every row of a chunk, so there it is smaller.
const CHUNK_ROWS: usize = if cfg!(loom) { 4 } else { 256 };

/// What a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowState {
    /// Does it work?
    pub health: Health,
    /// An operator's word stands, whatever checks say.
    pub is_forced: bool,
    /// It finishes what it has and takes no new work.
    pub is_draining: bool,
    /// A drill made it so.
    pub is_drilled: bool,
    /// The belief is old, or the node doubts its own eyes: true once `valid_until` has passed, too.
    pub is_stale: bool,
    /// Its circuit breaker is open.
    pub is_breaker_open: bool,
    /// It was lost, works again, and gets its share back bit by bit: `weight` says how much of it.
    pub is_returning: bool,
    /// It is new among others, and has not had its share yet, whatever its health.
    pub is_joining: bool,
    /// The share of the configured weight that it may take.
    pub weight: BasisPoints,
    /// When the belief becomes stale. It keeps its verdict: nothing turns down by itself.
    pub valid_until: Ticks,
}

impl RowState {
    /// Nothing but this, at full weight, until somebody says otherwise.
    pub const fn of(health: Health) -> Self {
        Self {
            health,
            is_forced: false,
            is_draining: false,
            is_drilled: false,
            is_stale: false,
            is_breaker_open: false,
            is_returning: false,
            is_joining: false,
            weight: BasisPoints::FULL,
            valid_until: Ticks::FOREVER,
        }
    }
}

impl Default for RowState {
    fn default() -> Self {
        Self::of(Health::Unknown)
    }
}

impl RowState {
    const FORCED: u64 = 1 << 2;
    const DRAIN: u64 = 1 << 3;
    const DRILL: u64 = 1 << 4;
    const STALE: u64 = 1 << 5;
    const BREAKER: u64 = 1 << 6;
    const RETURNING: u64 = 1 << 7;
    const JOINING: u64 = 1 << 8;

    /// Known to work and open for new work.
    pub fn is_usable(self) -> bool {
        self.health == Health::Up && self.takes_new_work()
    }

    /// Nothing but health could stand in the way of new work.
    pub fn takes_new_work(self) -> bool {
        !self.is_draining && self.weight > BasisPoints::ZERO
    }

    /// Taken out on purpose: not even the last rung of the ladder asks it.
    pub fn is_withheld(self) -> bool {
        self.is_draining || (self.health == Health::Down && (self.is_forced || self.is_drilled))
    }

    /// An origin that the last rung may ask: an operator's weight of nothing takes out as a drain does.
    pub fn is_askable(self) -> bool {
        !self.is_withheld() && self.weight > BasisPoints::ZERO
    }

    /// Whether it is part of what its region is expected to have: who had no verdict yet, or has not had its share yet because it is new, is
    /// missed by nobody.
    pub fn is_counted_on(self) -> bool {
        self.health != Health::Unknown && !self.is_joining
    }

    /// Whether a reader of one would decide otherwise than a reader of the other, whatever part of its weight a living one has.
    fn decides_as(self, other: Self) -> bool {
        let decisive = |state: Self| Self {
            is_stale: false,
            weight: BasisPoints::new(state.weight.get().min(1)),
            valid_until: Ticks::FOREVER,
            ..state
        };
        decisive(self) == decisive(other)
    }

    fn pack(self) -> u64 {
        let health = match self.health {
            Health::Unknown => 0,
            Health::Up => 1,
            Health::Down => 2,
        };
        let flag = |is_set: bool, bit: u64| if is_set { bit } else { 0 };
        health
            | flag(self.is_forced, Self::FORCED)
            | flag(self.is_draining, Self::DRAIN)
            | flag(self.is_drilled, Self::DRILL)
            | flag(self.is_stale, Self::STALE)
            | flag(self.is_breaker_open, Self::BREAKER)
            | flag(self.is_returning, Self::RETURNING)
            | flag(self.is_joining, Self::JOINING)
            | u64::from(self.weight.get()) << 16
            | u64::from(self.valid_until.0) << 32
    }

    fn unpack(word: u64, now: Ticks) -> Self {
        let valid_until = Ticks((word >> 32) as u32);
        Self {
            health: match word & 0b11 {
                1 => Health::Up,
                2 => Health::Down,
                _ => Health::Unknown,
            },
            is_forced: word & Self::FORCED != 0,
            is_draining: word & Self::DRAIN != 0,
            is_drilled: word & Self::DRILL != 0,
            is_stale: word & Self::STALE != 0 || valid_until < now,
            is_breaker_open: word & Self::BREAKER != 0,
            is_returning: word & Self::RETURNING != 0,
            is_joining: word & Self::JOINING != 0,
            weight: BasisPoints::new(((word >> 16) & 0xffff) as u16),
            valid_until,
        }
    }
}

/// Amounts that belong to a row but decide nothing about being alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Measure {
    /// Sum of the configured weights that can be used now, for a (pool, region); for a front door what it is [`Measure::granted`].
    pub usable_weight: u32,
    /// Requests per second it is built for, 0 where nobody said, for a front door; for a (pool, region) what is [`Measure::expected`].
    pub capacity_per_second: u32,
}

impl Measure {
    /// Of a (pool, region): what can be used now of what is expected to be there.
    pub fn of_pool(usable_weight: u32, expected: u32) -> Self {
        Self { usable_weight, capacity_per_second: expected }
    }

    /// Of a (pool, region): the configured weight that its usable weight is a part of.
    pub fn expected(self) -> u32 {
        self.capacity_per_second
    }

    /// Of a front door: the share that it may take by word of operators, whatever it returns from. Its row's weight leads new clients, and is
    /// less while it returns; those who came are served by this.
    pub fn granted(self) -> BasisPoints {
        BasisPoints::new(u16::try_from(self.usable_weight).unwrap_or(u16::MAX))
    }

    /// The same, granted so much.
    #[must_use]
    pub fn granting(self, share: BasisPoints) -> Self {
        Self { usable_weight: share.get().into(), ..self }
    }
}

#[derive(Debug)]
struct Row {
    word: AtomicU64,
    measure: AtomicU64,
    moved: AtomicU64,
}

/// Aligned, so that the count of its `Arc` is not on the line of the first rows.
#[derive(Debug)]
#[repr(align(64))]
struct Chunk([Row; CHUNK_ROWS]);

/// The right to read one row. While a clone of it lives, the row is not given to anybody else.
#[derive(Clone, Debug)]
pub struct RowHandle {
    chunk: Arc<Chunk>,
    index: u8,
    hold: Hold,
}

impl RowHandle {
    /// What is believed now; what has expired comes back marked stale.
    #[inline]
    pub fn read(&self, now: Ticks) -> RowState {
        RowState::unpack(self.row().word.load(Ordering::Relaxed), now)
    }

    /// The amounts beside it.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the halves of a word")]
    pub fn measure(&self) -> Measure {
        let word = self.row().measure.load(Ordering::Relaxed);
        Measure { usable_weight: word as u32, capacity_per_second: (word >> 32) as u32 }
    }

    /// When it last changed so that a reader would decide otherwise.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "only ticks are written")]
    pub fn moved_at(&self) -> Ticks {
        Ticks(self.row().moved.load(Ordering::Relaxed) as u32)
    }

    /// Whether it decides otherwise with this `state` than when it last moved. A weight that wavers by a few percent is the same, but such steps
    /// add up.
    #[allow(clippy::cast_possible_truncation, reason = "only weights are written there")]
    pub(super) fn moves_with(&self, state: RowState, now: Ticks) -> bool {
        const WAVERS: u16 = 500;
        let weight = (self.row().moved.load(Ordering::Relaxed) >> 32) as u16;
        !self.read(now).decides_as(state) || weight.abs_diff(state.weight.get()) > WAVERS
    }

    /// It moved now, and has this weight since.
    pub(super) fn write_moved(&self, now: Ticks, weight: BasisPoints) {
        self.row().moved.store(u64::from(now.0) | u64::from(weight.get()) << 32, Ordering::Relaxed);
    }

    pub(super) fn write(&self, state: RowState) {
        self.row().word.store(state.pack(), Ordering::Relaxed);
    }

    pub(super) fn write_measure(&self, measure: Measure) {
        let word = u64::from(measure.usable_weight) | u64::from(measure.capacity_per_second) << 32;
        self.row().measure.store(word, Ordering::Relaxed);
    }

    /// Whether this is the only clone left, so that the row may be given away. Looks with `Acquire`, whose partner is the
    /// `Release` of each clone's drop: whatever a reader read through its clone, it read before the row is written anew.
    pub(super) fn is_last(&mut self) -> bool {
        Hold::get_mut(&mut self.hold).is_some()
    }

    fn row(&self) -> &Row {
        &self.chunk.0[usize::from(self.index)]
    }
}

/// A fresh chunk's rows, ready to be given out.
pub(super) fn new_chunk() -> impl Iterator<Item = RowHandle> {
    let word = RowState::default().pack();
    let row = |_| Row { word: AtomicU64::new(word), measure: AtomicU64::new(0), moved: AtomicU64::new(0) };
    let chunk = Arc::new(Chunk(std::array::from_fn(row)));
    let indices = (0..=u8::MAX).take(CHUNK_ROWS);
    indices.map(move |index| RowHandle { chunk: Arc::clone(&chunk), index, hold: Hold::new(()) })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    prop_compose! {
        fn any_state()(
            health in prop_oneof![Just(Health::Unknown), Just(Health::Up), Just(Health::Down)],
            flags in any::<[bool; 7]>(),
            weight in 0..=10_000_u16,
            valid_until in any::<u32>(),
        ) -> RowState {
            RowState {
                health,
                is_forced: flags[0],
                is_draining: flags[1],
                is_drilled: flags[2],
                is_stale: flags[3],
                is_breaker_open: flags[4],
                is_returning: flags[5],
                is_joining: flags[6],
                weight: BasisPoints::new(weight),
                valid_until: Ticks(valid_until),
            }
        }
    }

    proptest! {
        #[test]
        fn every_state_survives_packing(state in any_state()) {
            prop_assert_eq!(RowState::unpack(state.pack(), Ticks(0)), state);
        }
    }

    #[test]
    fn a_chunk_has_one_row_for_each_handle() {
        let rows: Vec<_> = new_chunk().collect();
        for (at, row) in (0..).zip(&rows) {
            row.write_measure(Measure { usable_weight: at, capacity_per_second: !at });
        }
        let seen: Vec<_> = rows.iter().map(RowHandle::measure).collect();
        let written = (0..).take(CHUNK_ROWS).map(|at| Measure { usable_weight: at, capacity_per_second: !at });
        assert_eq!(seen, written.collect::<Vec<_>>());
    }

    #[test]
    fn what_expires_keeps_its_verdict_and_is_marked_stale() {
        let row = new_chunk().next().unwrap();
        row.write(RowState { health: Health::Up, valid_until: Ticks(10), ..RowState::default() });
        assert!(!row.read(Ticks(10)).is_stale);
        let later = row.read(Ticks(11));
        assert!(later.is_stale && later.is_usable());
    }
}
