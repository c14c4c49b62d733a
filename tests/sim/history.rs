//! What was seen, second by second.

use super::clients::Tally;

/// One second.
#[derive(Clone, Debug)]
pub(crate) struct Second {
    pub(crate) tally: Tally,
    /// By region, load over what it can carry now.
    pub(crate) driven: Vec<f64>,
}

/// All of them, and what was done when.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) seconds: Vec<Second>,
    /// What happened, and at which second.
    pub(crate) marks: Vec<(usize, String)>,
}

impl History {
    /// Something was done now; what is done in one second is one mark.
    pub(crate) fn mark(&mut self, second: usize, what: &str) {
        match self.marks.last_mut().filter(|(last, _)| *last == second) {
            Some((_, words)) => *words += &format!(", {what}"),
            None => self.marks.push((second, what.to_owned())),
        }
    }

    /// The share of requests that a region answered over so many seconds up to one.
    pub(crate) fn share(&self, region: usize, to: usize, over: usize) -> f64 {
        let window = &self.seconds[(to + 1).saturating_sub(over)..=to];
        let served: u64 = window.iter().map(|second| second.tally.served[region]).sum();
        let all: u64 = window.iter().flat_map(|second| &second.tally.served).sum();
        served as f64 / (all as f64).max(1.0)
    }

    /// Requests to a region's front door over so many seconds up to one, and the share that it answered itself.
    pub(crate) fn stayed(&self, region: usize, to: usize, over: usize) -> (u64, f64) {
        let window = &self.seconds[(to + 1).saturating_sub(over)..=to];
        let sum =
            |what: fn(&Tally) -> &Vec<u64>| -> u64 { window.iter().map(|second| what(&second.tally)[region]).sum() };
        let (came, stayed) = (sum(|tally| &tally.came), sum(|tally| &tally.stayed));
        (came, stayed as f64 / (came as f64).max(1.0))
    }

    /// The share of requests that failed over so many seconds up to one.
    pub(crate) fn failures(&self, to: usize, over: usize) -> f64 {
        let window = &self.seconds[(to + 1).saturating_sub(over)..=to];
        let (failed, sent) = window
            .iter()
            .fold((0, 0), |(failed, sent), second| (failed + second.tally.failed, sent + second.tally.sent));
        failed as f64 / (sent as f64).max(1.0)
    }

    /// All of it in one number, to compare runs.
    pub(crate) fn digest(&self) -> u64 {
        let numbers = self.seconds.iter().flat_map(|second| {
            let Tally { sent, failed, served, .. } = &second.tally;
            served.iter().copied().chain([*sent, *failed])
        });
        numbers.fold(0xcbf2_9ce4_8422_2325, |hash, number| (hash ^ number).wrapping_mul(0x0100_0000_01b3))
    }

    /// Requests that failed, and all.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let sum = |what: fn(&Tally) -> u64| self.seconds.iter().map(|second| what(&second.tally)).sum();
        (sum(|tally| tally.failed), sum(|tally| tally.sent))
    }
}
