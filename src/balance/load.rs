//! What an origin is carrying now: written by every worker, so it lives outside the table, on a cache line of its own.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use crate::{clock::Ticks, config::PeakEwma};

/// What a failure counts as, at least: an origin that fails at once would else seem to be the fastest of all.
const FAILURE: Duration = Duration::from_secs(1);
/// The soonest anybody is thought to answer, in microseconds: what nobody has asked for long fades to this, not to nothing.
const SOONEST: f32 = 1.0;

/// One origin's load. The alignment keeps neighbours from slowing each other down.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct Load {
    in_flight: AtomicU32,
    /// How soon it answers: microseconds as the bits of an `f32` above, the tick of the last answer below; 0 before the first. Two workers
    /// may both read it before either writes: then one answer is not counted, and an estimate is all this is.
    latency: AtomicU64,
}

impl Load {
    /// Requests that were sent and whose answer has not ended.
    #[inline]
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a request until the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight { load: Arc::clone(self), total: None, timed: None }
    }

    /// How soon it is thought to answer, in microseconds, had it answered at once just now.
    #[inline]
    pub(super) fn latency(&self, fading: Fading, now: Ticks) -> f32 {
        match unpack(self.latency.load(Ordering::Relaxed)) {
            None => fading.first_estimate,
            Some((estimate, then)) => (estimate * fading.since(then, now)).max(SOONEST),
        }
    }

    /// Counts an answer that took so long: at once where it was slower than thought, else a little.
    fn observe(&self, took: f32, fading: Fading, now: Ticks) {
        let estimate = match unpack(self.latency.load(Ordering::Relaxed)) {
            Some((estimate, then)) if took < estimate => {
                let kept = fading.since(then, now);
                estimate * kept + took * (1.0 - kept)
            }
            _ => took,
        };
        self.latency.store(pack(estimate.max(SOONEST), now), Ordering::Relaxed);
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

/// Requests under way at all origins of a tier; counted where the method asks for it, as every worker writes it.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Total(AtomicU32);

impl Total {
    #[inline]
    pub(super) fn in_flight(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One request under way at an origin.
#[derive(Debug)]
pub struct InFlight {
    load: Arc<Load>,
    total: Option<Arc<Total>>,
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
    pub(super) fn among(mut self, total: &Arc<Total>) -> Self {
        total.0.fetch_add(1, Ordering::Relaxed);
        self.total = Some(Arc::clone(total));
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
        self.load.in_flight.fetch_sub(1, Ordering::Relaxed);
        if let Some(total) = &self.total {
            total.0.fetch_sub(1, Ordering::Relaxed);
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

    fn answer(load: &Arc<Load>, at: u64, took: u64) {
        let in_flight = load.begin().timed(&SETTINGS, Duration::from_millis(at - took));
        in_flight.answered(Duration::from_millis(at));
    }

    fn estimate(load: &Load, at: u64) -> f32 {
        load.latency(Fading::new(&SETTINGS), ticks(Duration::from_millis(at))) / 1_000.0
    }

    fn is_about(value: f32, expected: f32) -> bool {
        (value / expected - 1.0).abs() < 0.08
    }

    #[test]
    fn a_peak_counts_at_once_and_is_forgotten_slowly() {
        let load = Arc::<Load>::default();
        assert!(is_about(estimate(&load, 0), 10.0), "the first estimate");
        answer(&load, 1_000, 2);
        assert!(is_about(estimate(&load, 1_000), 2.0), "the first answer");
        answer(&load, 2_000, 500);
        answer(&load, 2_000, 2);
        assert!(is_about(estimate(&load, 2_000), 500.0), "the peak");
        assert!(is_about(estimate(&load, 12_000), 500.0 / std::f32::consts::E), "a decay later");
        answer(&load, 12_000, 2);
        assert!(is_about(estimate(&load, 12_000), 185.0), "an answer in between counts for its time");
        assert!(estimate(&load, 10_000_000) >= 0.001, "never nothing");
    }

    #[test]
    fn a_failure_is_never_fast_and_what_the_client_takes_is_not_counted() {
        let load = Arc::<Load>::default();
        load.begin().timed(&SETTINGS, Duration::ZERO).failed(Duration::from_millis(1));
        assert!(is_about(estimate(&load, 0), 1_000.0));
        let load = Arc::<Load>::default();
        let upload = load.begin().timed(&SETTINGS, Duration::ZERO);
        upload.asked(Duration::from_secs(30));
        upload.answered(Duration::from_millis(30_005));
        assert!(is_about(estimate(&load, 30_000), 5.0));
        assert!(!load.begin().is_timed() && upload.is_timed());
    }

    #[test]
    fn a_request_is_counted_until_it_ends() {
        let (load, total) = (Arc::<Load>::default(), Arc::<Total>::default());
        let (one, other) = (load.begin().among(&total), load.begin());
        assert_eq!((load.in_flight(), total.in_flight()), (2, 1));
        drop(one);
        assert_eq!((load.in_flight(), total.in_flight()), (1, 0));
        drop(other);
        assert_eq!(load.in_flight(), 0);
    }
}
