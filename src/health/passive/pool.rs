//! One pool: who failed how often, who is out, and how many may be. Pure; the time is an argument.
//!
//! An observation costs a sum, the review once a second a look at each origin, and an ejection a count of who is out.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{
    detect::{self, Detector, Found},
    record::Record,
    window::Window,
};
use crate::{
    config::{Passive, PassiveMode, Pool},
    fleet::{Address, Observation, Watched},
};

/// What was decided about an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It is out from now on, for so long.
    Eject {
        /// Which.
        origin: Address,
        /// Who found it.
        detector: Detector,
        /// Why.
        said: String,
        /// For how long.
        span: Duration,
    },
    /// It was found, and stays, as too many are out already.
    Withhold,
    /// It is back.
    Return {
        /// Which.
        origin: Address,
    },
}

/// One pool's origins, as requests show them.
#[derive(Debug)]
pub(super) struct PoolWatch {
    settings: Passive,
    members: Vec<Member>,
    index: HashMap<Address, usize>,
}

#[derive(Debug)]
struct Member {
    address: Address,
    /// Whether it takes new work at all: who does not is not ejected, and not counted.
    counts: bool,
    window: Window,
    record: Record,
    /// As workers watch it, once one of them said something.
    watched: Option<Arc<Watched>>,
}

impl Member {
    fn forget(&mut self) {
        self.window.clear();
        if let Some(watched) = &self.watched {
            watched.forgive();
        }
    }
}

impl PoolWatch {
    /// As the config has it; whoever was there `before` keeps what is known of him. Who is out and may not be any more is put into `decided`.
    pub(super) fn new(pool: &Pool, before: Option<Self>, now: Duration, decided: &mut Vec<Decision>) -> Self {
        let settings = pool.passive.clone();
        let was_enforced = before.as_ref().is_some_and(Self::is_enforced);
        let known = before.into_iter().flat_map(|before| before.members);
        let mut known: HashMap<Address, Member> = known.map(|member| (member.address.clone(), member)).collect();
        let members = pool.origins.iter().map(|origin| {
            let (window, record) = (Window::new(settings.window), Record::default());
            let new =
                Member { address: origin.address.clone(), counts: origin.weight > 0, window, record, watched: None };
            let Some(mut same) = known.remove(&origin.address) else { return new };
            same.window.resize(settings.window);
            Member { counts: new.counts, ..same }
        });
        let members: Vec<_> = members.collect();
        let index = members.iter().enumerate().map(|(at, member)| (member.address.clone(), at)).collect();
        let mut watch = Self { settings, members, index };
        // What would have been is not what was.
        let keeps_none = was_enforced != watch.is_enforced();
        watch.release_surplus(keeps_none, now, decided);
        watch
    }

    pub(super) fn is_enforced(&self) -> bool {
        self.settings.mode == PassiveMode::Enforce
    }

    /// Those that are out, or would be.
    pub(super) fn ejected(&self) -> usize {
        self.members.iter().filter(|member| member.record.is_ejected()).count()
    }

    /// Takes in what a worker saw.
    pub(super) fn hear(&mut self, origin: &Address, seen: &Observation, now: Duration, decided: &mut Vec<Decision>) {
        let Some(at) = self.index.get(origin).copied().filter(|_| self.settings.mode != PassiveMode::Off) else {
            return;
        };
        let member = &mut self.members[at];
        member.watched = Some(Arc::clone(&seen.origin));
        // What was under way when it was ejected is no news.
        if member.record.is_ejected() {
            return;
        }
        member.window.add(seen, now);
        if let Some(wish) = seen.asked_out.filter(|wish| !wish.is_zero()) {
            self.eject(at, Detector::Asked, "it asked for it".to_owned(), Some(wish), now, decided);
        } else if let Some(failures) = seen.in_a_row.filter(|failures| self.counts_as_many(*failures)) {
            let last = seen.fault.map_or_else(String::new, |fault| format!(", the last of them: {fault}"));
            let said = format!("{failures} gateway failures in a row{last}");
            self.eject(at, Detector::Consecutive, said, None, now, decided);
        }
    }

    /// A worker may have counted by another config.
    fn counts_as_many(&self, failures: u32) -> bool {
        (1..=failures).contains(&self.settings.consecutive)
    }

    /// Lets those back whose time is over.
    pub(super) fn tick(&mut self, now: Duration, decided: &mut Vec<Decision>) {
        for member in &mut self.members {
            if member.record.pass(&self.settings, now) {
                member.forget();
                decided.push(Decision::Return { origin: member.address.clone() });
            }
        }
    }

    /// Looks at what was seen lately.
    pub(super) fn review(&mut self, now: Duration, decided: &mut Vec<Decision>) {
        if self.settings.mode == PassiveMode::Off {
            return;
        }
        let (rate, ratio, latency) = (self.settings.success_rate, self.settings.failure_ratio, self.settings.latency);
        // Each looks anew: of whom the one before found nothing is left to be found again.
        if let Some(rule) = rate {
            let found = detect::success_rate(rule, &self.seen(|window| window.counts(now)));
            self.eject_all(Detector::SuccessRate, found, now, decided);
        }
        if let Some(rule) = ratio {
            let found = detect::failure_ratio(rule, &self.seen(|window| window.counts(now)));
            self.eject_all(Detector::FailureRatio, found, now, decided);
        }
        if let Some(rule) = latency {
            let found = detect::latency(rule, &self.seen(|window| window.times(now)));
            self.eject_all(Detector::Latency, found, now, decided);
        }
    }

    /// What was seen of those who are judged.
    fn seen<T>(&self, of: impl Fn(&Window) -> T) -> Vec<(usize, T)> {
        let judged = |member: &Member| member.counts && !member.record.is_ejected();
        let judged = self.members.iter().enumerate().filter(|(_, member)| judged(member));
        judged.map(|(at, member)| (at, of(&member.window))).collect()
    }

    fn eject_all(&mut self, detector: Detector, found: Vec<Found>, now: Duration, decided: &mut Vec<Decision>) {
        for (at, said) in found {
            self.eject(at, detector, said, None, now, decided);
        }
    }

    /// Ejects an origin, where there is room: for as long as it wished, or as its record says.
    fn eject(
        &mut self,
        at: usize,
        detector: Detector,
        said: String,
        wish: Option<Duration>,
        now: Duration,
        decided: &mut Vec<Decision>,
    ) {
        let member = &self.members[at];
        if member.record.is_ejected() || !member.counts {
            return;
        }
        if !self.is_within(1) {
            // Found again when it has shown as much again.
            self.members[at].forget();
            return decided.push(Decision::Withhold);
        }
        let (member, settings) = (&mut self.members[at], &self.settings);
        let span = match wish {
            Some(wish) => member.record.excuse(wish, settings, now),
            None => member.record.eject(settings, now),
        };
        member.forget();
        decided.push(Decision::Eject { origin: member.address.clone(), detector, said, span });
    }

    /// Whether so many more than are out would not be too many.
    fn is_within(&self, more: usize) -> bool {
        let among = self.members.iter().filter(|member| member.counts);
        let (all, out) =
            among.fold((0, 0), |(all, out), member| (all + 1, out + usize::from(member.record.is_ejected())));
        100 * (out + more) <= all * self.settings.max_ejected_percent as usize
    }

    /// After a change fewer may be out: those whose time is over last come back first.
    fn release_surplus(&mut self, keeps_none: bool, now: Duration, decided: &mut Vec<Decision>) {
        let mut out: Vec<usize> = (0..self.members.len()).filter(|at| self.members[*at].record.is_ejected()).collect();
        out.sort_by_key(|at| std::cmp::Reverse(self.members[*at].record.until()));
        for at in out {
            if keeps_none || !self.members[at].counts || !self.is_within(0) {
                let member = &mut self.members[at];
                member.record.release(now);
                member.forget();
                decided.push(Decision::Return { origin: member.address.clone() });
            }
        }
    }
}

#[cfg(test)]
mod tests;
