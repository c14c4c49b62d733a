//! What an origin is carrying now: written by every worker, so it lives outside the table.
//!
//! Counters stand on boards of [`SEATS`], so that whoever looks for the least of a few reads one line for all of them, however many write it.
//! Boards are never given back to the system, only seats to those who come later: a request that is counted holds nothing but a reference,
//! and costs one write when it begins and one when it ends. Of a board half of the seats may stay empty, as those who come together sit
//! together; so memory is bounded by twice the most origins that there ever were at one time, and those that left with requests under way.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{clock::Ticks, config::PeakEwma};

/// Counters on one board: as many as fit a cache line.
pub(super) const SEATS: usize = 16;
/// What a failure counts as, at least: an origin that fails at once would else seem to be the fastest of all.
const FAILURE: Duration = Duration::from_secs(1);
/// The soonest anybody is thought to answer, in microseconds: what nobody has asked for long fades to this, not to nothing.
const SOONEST: f32 = 1.0;

#[derive(Debug, Default)]
#[repr(align(64))]
struct Board {
    in_flight: [AtomicU32; SEATS],
    /// How soon each answers: microseconds as the bits of an `f32` above, the tick of the last answer below; 0 before the first. Two workers
    /// may both read it before either writes: then one answer is not counted, and an estimate is all this is.
    latency: [AtomicU64; SEATS],
}

/// One origin's load.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    board: &'static Board,
    seat: u8,
}

impl Load {
    /// Requests that were sent and whose answer has not ended.
    #[inline]
    pub fn in_flight(self) -> u32 {
        self.count().load(Ordering::Relaxed)
    }

    /// Counts a request until the guard is dropped.
    pub(super) fn begin(self) -> InFlight {
        self.count().fetch_add(1, Ordering::Relaxed);
        InFlight { load: self, total: None, timed: None }
    }

    /// How soon it is thought to answer, in microseconds, had it answered at once just now.
    #[inline]
    pub(super) fn latency(self, fading: Fading, now: Ticks) -> f32 {
        match unpack(self.last().load(Ordering::Relaxed)) {
            None => fading.first_estimate,
            Some((estimate, then)) => (estimate * fading.since(then, now)).max(SOONEST),
        }
    }

    /// Counts an answer that took so long: at once where it was slower than thought, else a little.
    fn observe(self, took: f32, fading: Fading, now: Ticks) {
        let estimate = match unpack(self.last().load(Ordering::Relaxed)) {
            Some((estimate, then)) if took < estimate => {
                let kept = fading.since(then, now);
                estimate * kept + took * (1.0 - kept)
            }
            _ => took,
        };
        self.last().store(pack(estimate.max(SOONEST), now), Ordering::Relaxed);
    }

    #[inline]
    fn count(self) -> &'static AtomicU32 {
        &self.board.in_flight[usize::from(self.seat) % SEATS]
    }

    #[inline]
    fn last(self) -> &'static AtomicU64 {
        &self.board.latency[usize::from(self.seat) % SEATS]
    }
}

/// The right to a load: while it lives, nobody else is given it.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) load: Load,
    board: usize,
}

/// All boards, and which of their seats are free, as bits. Locked only where pools change.
static HALL: Mutex<Hall> = Mutex::new(Hall { boards: Vec::new(), free: BTreeMap::new() });

struct Hall {
    boards: Vec<&'static Board>,
    free: BTreeMap<usize, u16>,
}

impl Seat {
    /// So many, side by side as far as they fit one board.
    pub(super) fn take(mut count: usize) -> Vec<Arc<Self>> {
        let mut hall = HALL.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seats = Vec::with_capacity(count);
        while count > 0 {
            let wanted = count.min(SEATS);
            hall.seat(wanted, &mut seats);
            count -= wanted;
        }
        seats
    }
}

impl Hall {
    fn seat(&mut self, wanted: usize, seats: &mut Vec<Arc<Seat>>) {
        let fits = |(at, free): (&usize, &u16)| {
            let idle = idle(self.boards[*at], *free);
            (idle.count_ones() as usize >= wanted).then_some((*at, idle))
        };
        let (at, idle) = self.free.iter().find_map(fits).unwrap_or_else(|| {
            self.boards.push(Box::leak(Box::default()));
            (self.boards.len() - 1, u16::MAX)
        });
        let board = self.boards[at];
        let mut taken = 0;
        for seat in (0..16_u8).filter(|seat| idle & 1 << seat != 0).take(wanted) {
            board.latency[usize::from(seat)].store(0, Ordering::Relaxed);
            seats.push(Arc::new(Seat { load: Load { board, seat }, board: at }));
            taken |= 1 << seat;
        }
        match self.free.get(&at).unwrap_or(&u16::MAX) & !taken {
            0 => _ = self.free.remove(&at),
            left => _ = self.free.insert(at, left),
        }
    }
}

/// Those free seats whose last requests have ended.
fn idle(board: &Board, free: u16) -> u16 {
    (0..SEATS)
        .filter(|seat| board.in_flight[*seat].load(Ordering::Relaxed) == 0)
        .fold(0, |idle, seat| idle | free & 1 << seat)
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut hall = HALL.lock().unwrap_or_else(PoisonError::into_inner);
        *hall.free.entry(self.board).or_default() |= 1 << self.load.seat;
    }
}

fn pack(estimate: f32, now: Ticks) -> u64 {
    u64::from(estimate.to_bits()) << 32 | u64::from(now.0)
}

#[allow(clippy::cast_possible_truncation, reason = "the halves of a word")]
fn unpack(word: u64) -> Option<(f32, Ticks)> {
    (word != 0).then_some((f32::from_bits((word >> 32) as u32), Ticks(word as u32)))
}

/// How an estimate fades: the settings in the units that a pick reckons in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fading {
    first_estimate: f32,
    /// How often it halves in a tick.
    halvings: f32,
}

impl Fading {
    pub(super) fn new(settings: &PeakEwma) -> Self {
        let ticks = settings.decay.as_secs_f32() * 10.0;
        Self { first_estimate: micros(settings.first_estimate), halvings: std::f32::consts::LOG2_E / ticks.max(1.0) }
    }

    /// What is left after this time: `e^(−time / decay)`, to within 7 %.
    #[inline]
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an exponent between 1 and 127 with its fraction, written where an `f32` has them: linear between powers of two"
    )]
    fn since(self, then: Ticks, now: Ticks) -> f32 {
        let halved = (now.0.saturating_sub(then.0) as f32 * self.halvings).min(126.0);
        f32::from_bits(((127.0 - halved) * 8_388_608.0) as u32)
    }
}

fn micros(span: Duration) -> f32 {
    span.as_secs_f32() * 1e6
}

/// One request under way at an origin.
#[derive(Debug)]
pub struct InFlight {
    load: Load,
    total: Option<Load>,
    timed: Option<Timed>,
}

/// When the origin was asked, in nanoseconds, and what becomes of its answer; small, as every connection has room for it.
#[derive(Debug)]
struct Timed {
    since: Cell<u64>,
    fading: Fading,
}

impl InFlight {
    /// The same, counted among those of its tier, too.
    pub(super) fn among(mut self, total: Load) -> Self {
        total.count().fetch_add(1, Ordering::Relaxed);
        self.total = Some(total);
        self
    }

    /// The same, timed from now.
    pub(super) fn timed(mut self, settings: &PeakEwma, now: Duration) -> Self {
        self.timed = Some(Timed { since: Cell::new(nanos(now)), fading: Fading::new(settings) });
        self
    }

    /// Whether anybody wants to know how long it takes.
    pub fn is_timed(&self) -> bool {
        self.timed.is_some()
    }

    /// All of the request was sent only now: what its client takes is not its origin's.
    pub fn asked(&self, now: Duration) {
        if let Some(timed) = &self.timed {
            timed.since.set(nanos(now));
        }
    }

    /// The answer's head is there.
    pub fn answered(&self, now: Duration) {
        self.observe(now, Duration::ZERO);
    }

    /// There will be no answer.
    pub fn failed(&self, now: Duration) {
        self.observe(now, FAILURE);
    }

    fn observe(&self, now: Duration, at_least: Duration) {
        let Some(Timed { since, fading }) = &self.timed else { return };
        let took = now.saturating_sub(Duration::from_nanos(since.get())).max(at_least);
        self.load.observe(micros(took), *fading, ticks(now));
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.load.count().fetch_sub(1, Ordering::Relaxed);
        if let Some(total) = self.total {
            total.count().fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn nanos(now: Duration) -> u64 {
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

fn ticks(now: Duration) -> Ticks {
    Ticks(u32::try_from(now.as_millis() / 100).unwrap_or(u32::MAX - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: PeakEwma = PeakEwma { decay: Duration::from_secs(10), first_estimate: Duration::from_millis(10) };

    fn seat() -> Arc<Seat> {
        Seat::take(1).remove(0)
    }

    fn answer(load: Load, at: u64, took: u64) {
        let in_flight = load.begin().timed(&SETTINGS, Duration::from_millis(at - took));
        in_flight.answered(Duration::from_millis(at));
    }

    fn estimate(load: Load, at: u64) -> f32 {
        load.latency(Fading::new(&SETTINGS), ticks(Duration::from_millis(at))) / 1_000.0
    }

    fn is_about(value: f32, expected: f32) -> bool {
        (value / expected - 1.0).abs() < 0.08
    }

    #[test]
    fn a_peak_counts_at_once_and_is_forgotten_slowly() {
        let seat = seat();
        let load = seat.load;
        assert!(is_about(estimate(load, 0), 10.0), "the first estimate");
        answer(load, 1_000, 2);
        assert!(is_about(estimate(load, 1_000), 2.0), "the first answer");
        answer(load, 2_000, 500);
        answer(load, 2_000, 2);
        assert!(is_about(estimate(load, 2_000), 500.0), "the peak");
        assert!(is_about(estimate(load, 12_000), 500.0 / std::f32::consts::E), "a decay later");
        answer(load, 12_000, 2);
        assert!(is_about(estimate(load, 12_000), 185.0), "an answer in between counts for its time");
        assert!(estimate(load, 10_000_000) >= 0.001, "never nothing");
    }

    #[test]
    fn a_failure_is_never_fast_and_what_the_client_takes_is_not_counted() {
        let (failing, slow) = (seat(), seat());
        let load = failing.load;
        load.begin().timed(&SETTINGS, Duration::ZERO).failed(Duration::from_millis(1));
        assert!(is_about(estimate(load, 0), 1_000.0));
        let load = slow.load;
        let upload = load.begin().timed(&SETTINGS, Duration::ZERO);
        upload.asked(Duration::from_secs(30));
        upload.answered(Duration::from_millis(30_005));
        assert!(is_about(estimate(load, 30_000), 5.0));
        assert!(!load.begin().is_timed() && upload.is_timed());
    }

    #[test]
    fn a_request_is_counted_until_it_ends() {
        let (seat, all) = (seat(), seat());
        let (load, total) = (seat.load, all.load);
        let (one, other) = (load.begin().among(total), load.begin());
        assert_eq!((load.in_flight(), total.in_flight()), (2, 1));
        drop(one);
        assert_eq!((load.in_flight(), total.in_flight()), (1, 0));
        drop(other);
        assert_eq!(load.in_flight(), 0);
    }

    #[test]
    fn those_who_come_together_share_a_board_and_nobody_shares_a_seat() {
        let (few, many) = (Seat::take(16), Seat::take(40));
        assert!(few.iter().all(|seat| std::ptr::eq(seat.load.board, few[0].load.board)));
        let all: Vec<_> = few.iter().chain(&many).map(|seat| std::ptr::from_ref(seat.load.count())).collect();
        let distinct: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!((all.len(), distinct.len()), (56, 56));
    }

    #[test]
    fn a_seat_is_given_away_once_its_last_request_has_ended_and_begins_anew() {
        let left = Seat::take(16);
        let board = std::ptr::from_ref(left[0].load.board);
        answer(left[3].load, 1_000, 2);
        let under_way = left[3].load.begin();
        drop(left);
        let given =
            || Seat::take(16).iter().map(|seat| std::ptr::from_ref(seat.load.board)).any(|other| other == board);
        assert!(!given(), "one of sixteen is busy");
        drop(under_way);
        // Tests beside this one take boards, too: what counts is that nobody starts with what another left.
        let next = Seat::take(64);
        assert!(next.iter().all(|seat| seat.load.in_flight() == 0 && is_about(estimate(seat.load, 0), 10.0)));
    }
}
