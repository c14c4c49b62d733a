//! The overrides in force, by subject: at most one per subject for each of health, drain and weight.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    clock::Ticks,
    fleet::{BasisPoints, Belief, Health, Subject},
};

/// What an operator wants of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It works, whatever checks say.
    Up,
    /// It does not, whatever checks say.
    Down,
    /// It finishes what it has and takes no new work. On a front door this drains the region.
    Drain,
    /// It takes less and less, and after so long it drains.
    Evacuate(Duration),
    /// It takes this share of its configured weight.
    Weight(BasisPoints),
}

impl Action {
    /// The word used in status, logs and the admin API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Drain => "drain",
            Self::Evacuate(_) => "evacuate",
            Self::Weight(_) => "weight",
        }
    }

    /// What it makes the operator believe, in the end.
    pub(in crate::control) fn belief(self) -> Belief {
        match self {
            Self::Up => Belief::Health(Health::Up),
            Self::Down => Belief::Health(Health::Down),
            Self::Drain | Self::Evacuate(_) => Belief::Drain,
            Self::Weight(share) => Belief::Weight(share),
        }
    }

    /// Whether one takes the place of the other.
    pub(in crate::control) fn is_about_the_same(self, other: Self) -> bool {
        let dimension = |action| match action {
            Self::Up | Self::Down => 0,
            Self::Drain | Self::Evacuate(_) => 1,
            Self::Weight(_) => 2,
        };
        dimension(self) == dimension(other)
    }
}

/// An override that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOverride {
    /// Of what.
    pub subject: Subject,
    /// What is wanted.
    pub action: Action,
    /// Who wants it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// For how long; `None` until cleared.
    pub expires_in: Option<Duration>,
}

/// An override that is in force, or waits for its subject to return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// Of what.
    pub subject: Subject,
    /// What is wanted.
    pub action: Action,
    /// Who wanted it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// When it ends, in seconds since 1970; `None` when cleared.
    pub expires: Option<u64>,
    /// Its subject does not exist now. Not kept on disk.
    pub is_inert: bool,
}

/// There is no room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::control) struct TooMany;

/// All of them.
#[derive(Debug)]
pub(in crate::control) struct OverrideList {
    by_subject: BTreeMap<Subject, Vec<(Override, Ticks)>>,
    count: usize,
    /// No override ends before this tick.
    soonest: Ticks,
}

impl OverrideList {
    /// More than anybody decides by hand; bounds the file and what a slip of a script can do.
    pub(in crate::control) const LIMIT: usize = 10_000;

    pub(in crate::control) fn new() -> Self {
        Self { by_subject: BTreeMap::new(), count: 0, soonest: Ticks::FOREVER }
    }

    /// Adds one, which holds through `until`, in place of an earlier one about the same.
    pub(in crate::control) fn set(&mut self, new: Override, until: Ticks) -> Result<(), TooMany> {
        let kept = self.by_subject.get_mut(&new.subject);
        let earlier = kept.and_then(|all| all.iter_mut().find(|(old, _)| old.action.is_about_the_same(new.action)));
        self.soonest = self.soonest.min(until);
        if let Some(earlier) = earlier {
            *earlier = (new, until);
            return Ok(());
        }
        if self.count >= Self::LIMIT {
            return Err(TooMany);
        }
        self.count += 1;
        self.by_subject.entry(new.subject.clone()).or_default().push((new, until));
        Ok(())
    }

    /// Removes all that a subject has, and says how many.
    pub(in crate::control) fn clear(&mut self, subject: &Subject) -> usize {
        let cleared = self.by_subject.remove(subject).map_or(0, |all| all.len());
        self.count -= cleared;
        cleared
    }

    /// Removes what has ended, and says how many; looks only when something may have.
    pub(in crate::control) fn expire(&mut self, now: Ticks) -> usize {
        if now <= self.soonest {
            return 0;
        }
        let before = self.count;
        self.by_subject.retain(|_, all| {
            all.retain(|(_, until)| *until >= now);
            !all.is_empty()
        });
        self.count = self.by_subject.values().map(Vec::len).sum();
        let ends = self.by_subject.values().flatten().map(|(_, until)| *until);
        self.soonest = ends.min().unwrap_or(Ticks::FOREVER);
        before - self.count
    }

    /// What a subject has, with the tick through which each holds.
    pub(in crate::control) fn of(&self, subject: &Subject) -> &[(Override, Ticks)] {
        self.by_subject.get(subject).map_or(&[], Vec::as_slice)
    }

    /// All of them, in order of subject; `exists` says which subjects do now.
    pub(in crate::control) fn listed(&self, exists: impl Fn(&Subject) -> bool) -> Vec<Override> {
        let all = self.by_subject.values().flatten();
        all.map(|(one, _)| Override { is_inert: !exists(&one.subject), ..one.clone() }).collect()
    }

    pub(in crate::control) fn len(&self) -> usize {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(region: &str, action: Action) -> Override {
        let subject = Subject::FrontDoor { region: region.into() };
        let (author, reason) = ("ann".into(), "because".into());
        Override { subject, action, author, reason, created: 1, expires: None, is_inert: false }
    }

    #[test]
    fn a_newer_one_takes_the_place_of_one_about_the_same() {
        let mut list = OverrideList::new();
        for action in [Action::Up, Action::Drain, Action::Down] {
            list.set(made("a", action), Ticks::FOREVER).unwrap();
        }
        let actions: Vec<Action> = list.listed(|_| true).into_iter().map(|one| one.action).collect();
        assert_eq!(actions, [Action::Down, Action::Drain]);
        assert_eq!((list.len(), list.clear(&made("a", Action::Up).subject), list.len()), (2, 2, 0));
    }

    #[test]
    fn it_holds_through_its_last_tick() {
        let mut list = OverrideList::new();
        list.set(made("a", Action::Up), Ticks(10)).unwrap();
        list.set(made("b", Action::Up), Ticks(20)).unwrap();
        assert_eq!([10, 11, 20, 21].map(|now| list.expire(Ticks(now))), [0, 1, 0, 1]);
        assert_eq!(list.len(), 0);
    }

    #[test]
    fn the_list_is_bounded_and_replacing_needs_no_room() {
        let mut list = OverrideList::new();
        for at in 0..OverrideList::LIMIT {
            list.set(made(&format!("region-{at}"), Action::Drain), Ticks::FOREVER).unwrap();
        }
        assert_eq!(list.set(made("one-more", Action::Drain), Ticks::FOREVER), Err(TooMany));
        assert_eq!(list.set(made("region-7", Action::Drain), Ticks::FOREVER), Ok(()));
    }

    #[test]
    fn what_has_no_subject_is_listed_as_inert() {
        let mut list = OverrideList::new();
        list.set(made("gone", Action::Up), Ticks::FOREVER).unwrap();
        list.set(made("here", Action::Up), Ticks::FOREVER).unwrap();
        let here = made("here", Action::Up).subject;
        let inert: Vec<bool> = list.listed(|subject| *subject == here).iter().map(|one| one.is_inert).collect();
        assert_eq!(inert, [true, false]);
    }
}
