//! Whether this node should doubt its own eyes. Pure: it is told what probes saw and when, and says whom to believe.
//!
//! A node that loses its network, its file descriptors or a few seconds of its processor sees the whole world die. Believing
//! that would withdraw the world. But a death that is real must be acted on, at once where it can be told apart. What tells
//! them apart is *where*: failures that people have to survive stay inside a region, failures of the node's own eyes do not.
//!
//! The node suspects itself when, within one window, all of these fell down by its own probes:
//! - more than half of the subjects that were up, of at least [`LEAST_SUBJECTS`];
//! - in more than half of the regions that had anything up, of at least two; a region fell when more than half of what was
//!   up there fell. With one region there is nowhere else to go and nothing to protect: everything is believed;
//! - its own region among them. Seeing far regions die while its own lives is a broken road or a true death; either way
//!   nothing can be sent there. If nothing was up in its own region, all the others must have fallen instead.
//!
//! So one region of two or more is always believed at once. While it suspects itself, the node keeps the last verdicts of
//! what fell, marked stale. That ends
//! - when all that fell is up again;
//! - one window after its eyes proved to work: a probe succeeded in a region that did not fall, or enough came back that the
//!   rule above no longer holds. What is still down then is down. So two regions of three, the node's own among them, are
//!   left after detection, plus the time to the next probe of the third, plus one window;
//! - after [`LONGEST_DOUBT`] in any case: what lasts that long is the truth.
//!
//! Only probes count here. Requests stand beside it: one that fails proves nothing about the eyes, and what is ejected for it (never more than half
//! of a pool) stays ejected while the node suspects itself, since requests go on to what it keeps up. One that succeeds says that the network works
//! on its way, but not that a probe would see it: requests travel by connections that are kept, and outlive the road for new ones. So traffic
//! neither begins nor ends a suspicion.
//!
//! The window is the longest time that a check of the config takes to notice a death, so that one cause stays in one window
//! however probes are spread; at least 2 s, at most 30 s.
//!
//! Cost: nothing while verdicts stay; a flip costs a look at each region.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use crate::clock::Ticks;

/// Fewer subjects than this say nothing about the node.
const LEAST_SUBJECTS: u32 = 3;

/// How long a node may doubt itself, whatever it sees.
const LONGEST_DOUBT: Duration = Duration::from_secs(30);

const SHORTEST_WINDOW: Duration = Duration::from_secs(2);
const LONGEST_WINDOW: Duration = Duration::from_secs(30);

/// How a subject stands, as the node's own probes see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Never seen, or seen to be down.
    NotUp,
    /// Seen to be up.
    Up,
    /// Seen to be down, and that is not believed.
    Withheld,
}

/// What just changed about the suspicion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It begins: keep the last verdicts of [`Suspicion::fallen`].
    Began,
    /// It ended for this reason: believe what was withheld.
    Ended(Ending),
}

/// Why a suspicion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// All that fell is up again.
    Recovered,
    /// Probes succeed elsewhere, and what fell stays down.
    Proven,
    /// It lasted too long to be an illusion.
    Lasted,
}

impl Ending {
    /// The words for the log.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Recovered => "all that fell is up again",
            Self::Proven => "other probes succeed, so what is still down is down",
            Self::Lasted => "it lasted too long to be an illusion",
        }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Region {
    up: u32,
    fallen: u32,
}

impl Region {
    fn had_any_up(self) -> bool {
        self.up + self.fallen > 0
    }

    fn has_fallen(self) -> bool {
        self.fallen > self.up
    }
}

#[derive(Clone, Copy, Debug)]
struct Doubt {
    since: Ticks,
    /// When the eyes proved to work.
    proven: Option<Ticks>,
}

/// The node's opinion of its own eyes. Subjects and regions are the caller's indices.
#[derive(Debug)]
pub(super) struct Suspicion {
    window: Duration,
    own_region: usize,
    regions: Vec<Region>,
    /// Who fell when: within the window, or since the suspicion began.
    fallen: HashMap<usize, (usize, Ticks)>,
    /// The same in order of time; what rose again since is skipped.
    order: VecDeque<(Ticks, usize)>,
    doubt: Option<Doubt>,
}

impl Suspicion {
    /// With everybody not up; `slowest_check` is the longest time in which a check notices a death.
    pub(super) fn new(own_region: usize, regions: usize, slowest_check: Duration) -> Self {
        Self {
            window: slowest_check.clamp(SHORTEST_WINDOW, LONGEST_WINDOW),
            own_region,
            regions: vec![Region::default(); regions],
            fallen: HashMap::new(),
            order: VecDeque::new(),
            doubt: None,
        }
    }

    /// The same opinion about a new membership, in which nobody is up, and nobody fell, until [`Self::place`] and [`Self::place_fallen`] say so.
    #[must_use]
    pub(super) fn carried_to(&self, own_region: usize, regions: usize, slowest_check: Duration) -> Self {
        Self { doubt: self.doubt, ..Self::new(own_region, regions, slowest_check) }
    }

    /// Puts a subject that is up in its place in a new membership.
    pub(super) fn place(&mut self, region: usize) {
        self.regions[region].up += 1;
    }

    /// Puts a subject that fell in its place in a new membership; those that fell earlier come first.
    pub(super) fn place_fallen(&mut self, subject: usize, region: usize, fell: Ticks) {
        self.regions[region].fallen += 1;
        self.fallen.insert(subject, (region, fell));
        self.order.push_back((fell, subject));
    }

    /// Whether the node doubts its own eyes now.
    pub(super) fn is_active(&self) -> bool {
        self.doubt.is_some()
    }

    /// Who fell within the window, or since the suspicion began, and when.
    pub(super) fn fallen(&self) -> impl Iterator<Item = (usize, Ticks)> {
        self.fallen.iter().map(|(subject, (_, fell))| (*subject, *fell))
    }

    /// A probe of this node says up; `was_up` where it said so before.
    pub(super) fn up(&mut self, subject: usize, region: usize, was_up: bool, now: Ticks) {
        let is_witness = !self.regions[region].has_fallen();
        if let Some(doubt) = self.doubt.as_mut().filter(|_| is_witness) {
            doubt.proven.get_or_insert(now);
        }
        if self.fallen.remove(&subject).is_some() {
            self.regions[region].fallen -= 1;
        }
        self.regions[region].up += u32::from(!was_up);
    }

    /// A probe of this node says down of what it said was up.
    pub(super) fn down(&mut self, subject: usize, region: usize, now: Ticks) {
        self.regions[region].up -= 1;
        self.place_fallen(subject, region, now);
    }

    /// A probe of this node has nothing to say any more of what it said was up, or of what fell.
    pub(super) fn forget(&mut self, subject: usize, region: usize, was_up: bool) {
        if self.fallen.remove(&subject).is_some() {
            self.regions[region].fallen -= 1;
        }
        self.regions[region].up -= u32::from(was_up);
    }

    /// Begins or ends the suspicion, if it is time. On an ending [`Self::fallen`] still says who was withheld, until
    /// [`Self::settle`].
    pub(super) fn review(&mut self, now: Ticks) -> Option<Change> {
        if self.doubt.is_none() {
            self.expire(now);
        }
        let (is_founded, window) = (self.is_founded(), self.window);
        let Some(doubt) = &mut self.doubt else {
            if !is_founded {
                return None;
            }
            self.doubt = Some(Doubt { since: now, proven: None });
            return Some(Change::Began);
        };
        if !is_founded {
            doubt.proven.get_or_insert(now);
        }
        let ending = if self.fallen.is_empty() {
            Ending::Recovered
        } else if doubt.proven.is_some_and(|proven| now >= proven.after(window)) {
            Ending::Proven
        } else if now >= doubt.since.after(LONGEST_DOUBT) {
            Ending::Lasted
        } else {
            return None;
        };
        self.doubt = None;
        Some(Change::Ended(ending))
    }

    /// Forgets who fell: they are believed to be down.
    pub(super) fn settle(&mut self) {
        self.fallen.clear();
        self.order.clear();
        self.regions.iter_mut().for_each(|region| region.fallen = 0);
    }

    fn expire(&mut self, now: Ticks) {
        while let Some((fell, subject)) = self.order.front().copied().filter(|(fell, _)| fell.after(self.window) < now)
        {
            self.order.pop_front();
            if let Some((region, _)) = self.fallen.get(&subject).copied().filter(|(_, latest)| *latest == fell) {
                self.fallen.remove(&subject);
                self.regions[region].fallen -= 1;
            }
        }
    }

    fn is_founded(&self) -> bool {
        if self.fallen.is_empty() {
            return false;
        }
        let known = || self.regions.iter().filter(|region| region.had_any_up());
        let (up, fallen) = known().fold((0, 0), |(up, fallen), region| (up + region.up, fallen + region.fallen));
        if up + fallen < LEAST_SUBJECTS || fallen <= up {
            return false;
        }
        let (regions, fallen_regions) = (known().count(), known().filter(|region| region.has_fallen()).count());
        let own = self.regions.get(self.own_region).copied().unwrap_or_default();
        let is_own_gone = if own.had_any_up() { own.has_fallen() } else { fallen_regions == regions };
        regions >= 2 && is_own_gone && 2 * fallen_regions > regions
    }
}

#[cfg(test)]
mod tests;
